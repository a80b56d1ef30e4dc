import type { Tensor } from '@tensorflow/tfjs';
import { GraphError } from './graph-error';
import { handleOf, type NativeBackend, type Tf } from './native-backend';
import { SERVE_TAG } from './saved-model-proto';

/** One run of an exported graph, with what it must give. */
export interface Verification {
  /** For the error. */
  readonly signature: string;
  /** Values of tensors of the graph, which TensorFlow takes in place of computing them. */
  readonly feeds: readonly { readonly tensor: string; readonly value: Tensor }[];
  readonly outputs: readonly { readonly name: string; readonly tensor: string; readonly expected: Tensor }[];
}

/** A session fuses and reorders float operations, so its last bits differ from eager mode's; 2e-7 was seen. */
const TOLERANCE = 1e-4;

/**
 * Loads a SavedModel the way a server does, variables restored, and runs it.
 *
 * @throws GraphError VERIFICATION_FAILED when TensorFlow does not load it, or when a float output is off by more than 1e-4
 *   (relative to the larger of 1 and the expected value). Outputs of other types are compared by shape: a rounding
 *   at a tie may go either way.
 */
export function verifySavedModel(tf: Tf, backend: NativeBackend, directory: string, runs: readonly Verification[]): void {
  const failed = (message: string, cause?: unknown): GraphError =>
    new GraphError('VERIFICATION_FAILED', `The exported SavedModel was not kept: ${message}`, [], { cause });
  const attempt = <T>(what: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw failed(`TensorFlow does not ${what} (${error instanceof Error ? error.message : String(error)})`, error);
    }
  };
  const model = attempt('load it', () => backend.binding.loadSavedModel(directory, SERVE_TAG));
  try {
    for (const run of runs) {
      const tensors = [...new Set(run.outputs.map(({ tensor }) => tensor))];
      const ids = run.feeds.map(({ value }) => handleOf(backend, value));
      const fed = run.feeds.map(({ tensor }) => tensor).join(',');
      const results = attempt(`run ${run.signature}`, () => backend.binding.runSavedModel(model, ids, fed, tensors.join(',')))
        .map((result) => backend.createOutputTensor(result));
      try {
        for (const { name, tensor, expected } of run.outputs) {
          const got = results[tensors.indexOf(tensor)];
          const problem = got === undefined ? 'is missing' : difference(expected, got);
          if (problem !== undefined) throw failed(`output '${name}' of ${run.signature} ${problem}`);
        }
      } finally {
        tf.dispose(results);
      }
    }
  } finally {
    backend.binding.deleteSavedModel(model);
  }
}

function difference(expected: Tensor, got: Tensor): string | undefined {
  if (expected.shape.join() !== got.shape.join()) return `has shape [${got.shape.join()}] in the graph and [${expected.shape.join()}] in the model`;
  if (expected.dtype !== 'float32') return undefined;
  const values = got.dataSync();
  for (const [i, want] of expected.dataSync().entries()) {
    const value = values[i] ?? NaN;
    const same = Object.is(want, value) || Math.abs(want - value) <= TOLERANCE * Math.max(1, Math.abs(want));
    if (!same) return `differs at element ${i}: ${value} in the graph and ${want} in the model`;
  }
  return undefined;
}
