import path from 'node:path';
import type * as wasm from '@tensorflow/tfjs-backend-wasm';
import { loadModule, resolveModule } from './load-module';
import { type Tfjs, activate, loadTfjs } from './tfjs';
import { transposeProductsFirst } from './transposed-matmul';

/** Loads the WebAssembly backend with products that transpose first. Runs on one thread in Node. */
export async function loadWasm(): Promise<Tfjs> {
  const tf = loadTfjs();
  const { setWasmPaths } = loadModule<typeof wasm>('@tensorflow/tfjs-backend-wasm');
  // The .wasm files lie beside the script; given as a folder, or Node's URL rules are applied to a path.
  if (tf.findBackend('wasm') === null) setWasmPaths(path.join(path.dirname(resolveModule('@tensorflow/tfjs-backend-wasm')), path.sep));
  await withoutNewListeners(() => activate(tf, 'wasm'));
  transposeProductsFirst(tf);
  return tf;
}

const FAILURE_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Emscripten's start-up code makes every unhandled rejection end the process, past whoever would handle it: what the program says of such failures stands. */
async function withoutNewListeners(start: () => Promise<void>): Promise<void> {
  const before = FAILURE_EVENTS.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  await start();
  FAILURE_EVENTS.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException')) if (before[i]?.has(listener) !== true) process.off(event, listener);
  });
}

/** True when the engine runs the SIMD build: part of the numerics fingerprint. */
export const usesSimd = (tf: Tfjs): boolean => tf.env().getBool('WASM_HAS_SIMD_SUPPORT');
