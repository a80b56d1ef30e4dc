// One training step against plain TensorFlow.js: the adopted fit on the native backend, and our wasm kernels.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './lib/compare.mjs';

/** What must be built before. */
export const needs = ['libs/backend', 'libs/training'];

const program = fileURLToPath(new URL('./lib/mlp-contender.mjs', import.meta.url));
const one = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
const contender = (name, kind) => ({ name, file: process.execPath, argv: [program, kind], cwd: path.dirname(program), env: { ...process.env, ...one } });

/** @returns the rows {name, ours, rival, unit, ratio, target, pass} */
export async function suite({ quick, report }) {
  const comparisons = [
    {
      name: 'MLP 784-512-512-10, batch 128, native eager, one thread', target: 1.1, size: 40, rounds: quick ? 5 : 21,
      ours: contender('adopted fit', 'native-adopted'), rival: contender('tfjs-node', 'native-plain'),
    },
    {
      name: 'MLP 784-512-512-10, batch 128, wasm', target: 0.25, size: 5, rounds: quick ? 3 : 9,
      ours: contender('wasm', 'wasm-ours'), rival: contender('stock wasm', 'wasm-stock'),
    },
  ];
  const rows = [];
  for (const comparison of comparisons) rows.push(await compare({ unit: 'ms/step', better: 'lower', ...comparison }, report));
  return rows;
}
