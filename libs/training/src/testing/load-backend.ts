import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { selectBackend } from '@lockstep/backend';
import * as tfjs from '@tensorflow/tfjs';
import type { Tf } from '../tfjs';

export type TestBackend = 'cpu' | 'wasm' | 'tensorflow';

const requireModule = createRequire(__filename);

/** Whether the native addon is built on this machine. */
export function hasNative(): boolean {
  return existsSync(path.join(path.dirname(requireModule.resolve('@tensorflow/tfjs-node/package.json')), 'lib', 'napi-v8', 'tfjs_binding.node'));
}

/** TensorFlow.js on a backend, in any thread: the worker's own loader takes the native one on a main thread only. */
export async function loadBackend(name: TestBackend): Promise<Tf> {
  switch (name) {
    case 'cpu':
      await tfjs.setBackend('cpu');
      return tfjs;
    case 'wasm':
      return (await selectBackend({ LOCKSTEP_BACKEND: 'wasm' }, { mathThreads: 1 })).tf;
    case 'tensorflow': {
      const tf = requireModule('@tensorflow/tfjs-node') as Tf;
      await tf.setBackend('tensorflow');
      return tf;
    }
  }
}
