import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from '../tfjs';

/**
 * What logical replicas add to a step: a replica's own, the sum over a subtree, or the sum over all. Gradients and
 * statistics are weighted by their share of the batch's rows, so that sums are means over all rows.
 */
export interface Contribution {
  /** Gradients in the order of the trainable weights, then statistics; zeros or the old value where a replica has none. */
  readonly tensors: readonly Tensor[];
  /**
   * In training: values as their layout says, for each tensor the number of replicas that had it, and the tally of the rows
   * that were consumed (tally-lanes of @lockstep/sharding). In an evaluation: values.
   */
  readonly tail: Float32Array;
}

/** Adds in float32, the left operand first, as the exchange does, and disposes of both. */
export function addContributions(tf: Tf, left: Contribution, right: Contribution): Contribution {
  const tensors = left.tensors.map((tensor, i) => {
    const other = right.tensors[i];
    if (!other) throw new RangeError(`contributions of ${left.tensors.length} and ${right.tensors.length} tensors`);
    return tf.keep(tf.add(tensor, other));
  });
  disposeContribution(left);
  disposeContribution(right);
  // A Float32Array rounds the float64 sum of two float32, which is the float32 sum.
  return { tensors, tail: left.tail.map((value, i) => value + (right.tail[i] ?? NaN)) };
}

export function disposeContribution(contribution: Contribution): void {
  for (const tensor of contribution.tensors) tensor.dispose();
}
