import type { Optimizer } from '@tensorflow/tfjs-core';
import type { Tf } from '../tfjs';

/**
 * Whether the optimizer is one of tfjs 4.22.0's own, which make new tensors of a gradient and keep none: what the
 * gradient lies in may be overwritten after the step. A class derived from one of them may keep its gradients.
 */
export function isPlainOptimizer(tf: Tf, optimizer: Optimizer): boolean {
  const plain = [
    tf.SGDOptimizer, tf.MomentumOptimizer, tf.RMSPropOptimizer, tf.AdagradOptimizer, tf.AdadeltaOptimizer, tf.AdamOptimizer, tf.AdamaxOptimizer,
  ];
  const prototype: unknown = Object.getPrototypeOf(optimizer);
  return plain.some((optimizerClass) => optimizerClass.prototype === prototype);
}
