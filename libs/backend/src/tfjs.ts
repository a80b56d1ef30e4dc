import type * as tfjs from '@tensorflow/tfjs';
import { BackendError } from './backend-error';
import type { BackendName } from './choice';
import { loadModule } from './load-module';

/** The namespace of @tensorflow/tfjs: the one that user modules get too. */
export type Tfjs = typeof tfjs;

/** The process's one TensorFlow.js. */
export const loadTfjs = (): Tfjs => loadModule<Tfjs>('@tensorflow/tfjs');

/** Makes a registered backend the engine's. @throws BackendError UNAVAILABLE: setBackend answers false instead of throwing. */
export async function activate(tf: Tfjs, name: BackendName): Promise<void> {
  const accepted = await tf.setBackend(name);
  if (!accepted) throw new BackendError('UNAVAILABLE', `TensorFlow.js did not accept the backend "${name}"; set LOCKSTEP_BACKEND to another one`);
  await tf.ready();
}
