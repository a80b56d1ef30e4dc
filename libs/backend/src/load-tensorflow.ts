import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { BackendError } from './backend-error';
import { loadModule, resolveModule } from './load-module';
import { fixMathThreads } from './math-threads';
import { type Tfjs, activate, loadTfjs } from './tfjs';

/** The native backend, running, or why it does not. */
export type TensorflowLoad =
  | { readonly kind: 'loaded'; readonly tensorflowVersion: string; readonly usesGpu: boolean }
  | { readonly kind: 'unavailable'; readonly why: string };

/** What of tfjs-node's backend object is used here; its own types leave it out. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** The file that tfjs-node loads: asked for first, because tfjs-node answers its absence with advice that cannot work here. */
export function nativeAddonFile(): string {
  const packageDir = path.dirname(resolveModule('@tensorflow/tfjs-node/package.json'));
  return path.join(packageDir, 'lib', 'napi-v8', 'tfjs_binding.node');
}

/** Loads tfjs-node and makes it the engine's backend. @throws BackendError WRONG_THREAD, THREADS_ALREADY_FIXED */
export async function loadTensorflow(mathThreads: number): Promise<TensorflowLoad> {
  if (!fs.existsSync(nativeAddonFile())) return { kind: 'unavailable', why: 'the native addon is not built' };
  if (!isMainThread) {
    // A worker thread's process.env is a copy: TensorFlow would not see the number of threads.
    throw new BackendError('WRONG_THREAD', 'the native backend must be selected on the main thread of a process; start a child process instead of a worker thread');
  }
  const tf = loadTfjs();
  fixMathThreads(process.env, mathThreads, tf.findBackendFactory('tensorflow') !== null);
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  restoreIsNullOrUndefined();
  try {
    loadModule('@tensorflow/tfjs-node');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED') {
      return { kind: 'unavailable', why: `the native addon does not load (${firstLine(error.message)})` };
    }
    throw error;
  }
  await activate(tf, 'tensorflow');
  const { binding, isUsingGpuDevice } = nodeBackend(tf);
  return { kind: 'loaded', tensorflowVersion: binding.TF_Version, usesGpu: isUsingGpuDevice };
}

function nodeBackend(tf: Tfjs): NodeBackend {
  const backend: object = tf.backend();
  if (isNodeBackend(backend)) return backend;
  throw new BackendError('UNAVAILABLE', 'the backend that is registered as "tensorflow" is not tfjs-node 4.22.0\'s; remove what registers it');
}

const isNodeBackend = (backend: object): backend is NodeBackend =>
  'isUsingGpuDevice' in backend && typeof backend.isUsingGpuDevice === 'boolean'
  && 'binding' in backend && typeof backend.binding === 'object' && backend.binding !== null
  && 'TF_Version' in backend.binding && typeof backend.binding.TF_Version === 'string';

/** tfjs-node 4.22.0 calls util.isNullOrUndefined, which Node 23 dropped (tensorflow/tfjs#8609). */
function restoreIsNullOrUndefined(): void {
  if ('isNullOrUndefined' in util) return;
  Object.defineProperty(util, 'isNullOrUndefined', { value: (value: unknown) => value === null || value === undefined });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;
