import path from 'node:path';
import * as wasm from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, Tensor } from '@tensorflow/tfjs-core';
import { loadCpu } from './load-cpu';
import { resolveModule } from './load-module';
import { loadWasm } from './load-wasm';
import { type Tfjs, activate, loadTfjs } from './tfjs';
import { transposeFirst } from './transposed-matmul';

interface Case {
  readonly title: string;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const CASES: readonly Case[] = [
  { title: 'plain', a: [5, 7], b: [7, 3], transposeA: false, transposeB: false },
  { title: 'a transposed', a: [7, 5], b: [7, 3], transposeA: true, transposeB: false },
  { title: 'b transposed', a: [5, 7], b: [3, 7], transposeA: false, transposeB: true },
  { title: 'both transposed', a: [7, 5], b: [3, 7], transposeA: true, transposeB: true },
  { title: 'a batch, b transposed', a: [4, 5, 7], b: [4, 3, 7], transposeA: false, transposeB: true },
  { title: 'a batch of two axes, a transposed', a: [2, 3, 7, 5], b: [2, 3, 7, 4], transposeA: true, transposeB: false },
  { title: 'a batch against one matrix, both transposed', a: [4, 7, 5], b: [1, 3, 7], transposeA: true, transposeB: true },
  { title: 'vectors in matrices', a: [9, 1], b: [4, 9], transposeA: true, transposeB: true },
  { title: 'a dense layer\'s weight gradient', a: [128, 64], b: [128, 32], transposeA: true, transposeB: false },
];

const multiply = (tf: Tfjs, { a, b, transposeA, transposeB }: Case): Float32Array => tf.tidy(() =>
  tf.matMul(tf.randomUniform([...a], -1, 1, 'float32', 11), tf.randomUniform([...b], -1, 1, 'float32', 12), transposeA, transposeB).dataSync<'float32'>());

const fused = (tf: Tfjs, { a, b, transposeA, transposeB }: Case): Float32Array => tf.tidy(() => {
  const left: Tensor = tf.randomUniform([...a], -1, 1, 'float32', 11);
  const columns = transposeB ? b[b.length - 2] : b[b.length - 1];
  return tf.fused.matMul({
    a: left, b: tf.randomUniform([...b], -1, 1, 'float32', 12), transposeA, transposeB,
    bias: tf.randomUniform([columns ?? 0], -1, 1, 'float32', 13), activation: 'relu',
  }).dataSync<'float32'>();
});

/** The largest difference, in units of the largest value. */
const largestDifference = (x: Float32Array, y: Float32Array): number => {
  expect(x.length).toBe(y.length);
  const scale = y.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  expect(scale).toBeGreaterThan(0);
  return x.reduce((max, value, i) => Math.max(max, Math.abs(value - (y[i] ?? NaN)) / scale), 0);
};

describe('products that transpose first', () => {
  const stock = new Map<Case, Float32Array>();
  const cpu = new Map<Case, Float32Array>();
  const cpuFused = new Map<Case, Float32Array>();
  let tf: Tfjs;
  beforeAll(async () => {
    await loadCpu();
    tf = loadTfjs();
    for (const c of CASES) {
      cpu.set(c, multiply(tf, c));
      cpuFused.set(c, fused(tf, c));
    }
    // The stock kernels' results, before they are replaced.
    wasm.setWasmPaths(path.join(path.dirname(resolveModule('@tensorflow/tfjs-backend-wasm')), path.sep));
    await activate(tf, 'wasm');
    for (const c of CASES) stock.set(c, multiply(tf, c));
    await loadWasm();
  });

  const valuesOf = (results: ReadonlyMap<Case, Float32Array>, c: Case): Float32Array => {
    const values = results.get(c);
    if (values === undefined) throw new Error(`no values of "${c.title}"`);
    return values;
  };

  test.each(CASES)('matMul equals the stock kernel and plain JavaScript: $title', (c) => {
    const ours = multiply(tf, c);
    expect(largestDifference(ours, valuesOf(stock, c))).toBeLessThanOrEqual(1e-6);
    expect(largestDifference(ours, valuesOf(cpu, c))).toBeLessThanOrEqual(1e-6);
  });

  // Not against the stock kernel: with a transposed operand it adds the bias of another column (tfjs-backend-wasm 4.22.0).
  test.each(CASES.filter((c) => c.a.length === 2))('fused with bias and relu equals plain JavaScript: $title', (c) => {
    expect(largestDifference(fused(tf, c), valuesOf(cpuFused, c))).toBeLessThanOrEqual(1e-6);
  });

  test('nothing is left in the engine or the backend', () => {
    const before = [tf.memory().numTensors, tf.backend().numDataIds()];
    for (const c of CASES) multiply(tf, c);
    expect([tf.memory().numTensors, tf.backend().numDataIds()]).toEqual(before);
  });

  test('selecting wasm again wraps nothing twice', async () => {
    const once = tf.getKernel('BatchMatMul', 'wasm').kernelFunc;
    await loadWasm();
    expect(tf.getKernel('BatchMatMul', 'wasm').kernelFunc).toBe(once);
  });

  test.each(CASES)('the product sees no flag and operands of its own shapes: $title', ({ a, b, transposeA, transposeB }) => {
    const seen: unknown[] = [];
    const disposed: unknown[] = [];
    const product: KernelFunc = ({ inputs, attrs }) => {
      seen.push([inputs['a']?.shape, inputs['b']?.shape, attrs]);
      return { dataId: {}, shape: [], dtype: 'float32' };
    };
    const transpose: KernelFunc = ({ inputs, attrs }) => {
      const shape = inputs['x']?.shape ?? [];
      return { dataId: { transposed: shape }, shape: (attrs?.['perm'] as number[]).map((axis) => shape[axis] ?? -1), dtype: 'float32' };
    };
    const tensor = (shape: readonly number[]) => ({ dataId: {}, shape: [...shape], dtype: 'float32' as const });
    transposeFirst(product, transpose)({
      inputs: { a: tensor(a), b: tensor(b) }, attrs: { transposeA, transposeB, activation: 'relu' },
      backend: { disposeData: (dataId: unknown) => disposed.push(dataId) },
    });
    const swapped = (shape: readonly number[]) => [...shape.slice(0, -2), shape.at(-1), shape.at(-2)];
    expect(seen).toEqual([[transposeA ? swapped(a) : a, transposeB ? swapped(b) : b, { transposeA: false, transposeB: false, activation: 'relu' }]]);
    expect(disposed).toEqual([...(transposeA ? [{ transposed: a }] : []), ...(transposeB ? [{ transposed: b }] : [])]);
  });

  test('what was transposed is disposed when the product throws', () => {
    let disposals = 0;
    const kernel = transposeFirst(() => { throw new Error('no memory'); }, ({ inputs }) => ({ dataId: {}, shape: inputs['x']?.shape ?? [], dtype: 'float32' }));
    const x = { dataId: {}, shape: [2, 2], dtype: 'float32' as const };
    expect(() => kernel({ inputs: { a: x, b: x }, attrs: { transposeA: true, transposeB: true }, backend: { disposeData: () => disposals++ } })).toThrow('no memory');
    expect(disposals).toBe(2);
  });
});
