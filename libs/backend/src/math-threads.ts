import { BackendError } from './backend-error';

const MATH_THREADS_MAX = 1024;

/** The variables by which TensorFlow sizes its pools; read once, when its library starts. */
const POOL_VARIABLES = ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'] as const;

/** @throws BackendError INVALID_THREADS unless `mathThreads` is a whole number from 1 to 1024 */
export function checkMathThreads(mathThreads: number): void {
  if (!Number.isInteger(mathThreads) || mathThreads < 1 || mathThreads > MATH_THREADS_MAX) {
    throw new BackendError('INVALID_THREADS', `mathThreads is ${mathThreads}; it must be a whole number from 1 to ${MATH_THREADS_MAX}`);
  }
}

/**
 * Fixes the number of TensorFlow's threads in this process, before its library is loaded.
 * A session has a pool of its own beside the operators' pool: both are set, or one thread is not one.
 * @param isLoaded whether the library runs already, with whatever was set then
 * @throws BackendError THREADS_ALREADY_FIXED when it runs with another number
 */
export function fixMathThreads(processEnv: NodeJS.ProcessEnv, mathThreads: number, isLoaded: boolean): void {
  for (const name of POOL_VARIABLES) {
    if (isLoaded && processEnv[name] !== String(mathThreads)) {
      throw new BackendError('THREADS_ALREADY_FIXED', `TensorFlow was loaded in this process with ${name}=${processEnv[name] ?? 'its default'} and cannot be given ${mathThreads} threads any more; select the backend before anything imports @tensorflow/tfjs-node`);
    }
    processEnv[name] = String(mathThreads);
  }
}
