import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelInternals, Tf } from '../tfjs';
import { tensorData, type TensorData } from './tensor-batches';

/** Data in the model's order; dispose() frees the tensors that standardising made, not the caller's. */
export interface StandardizedData {
  readonly data: TensorData;
  dispose(): void;
}

/** Checks and orders x and y as tfjs's own fit() and evaluate() do. @throws tfjs's ValueError */
export function standardize(tf: Tf, model: ModelInternals, x: unknown, y: unknown, batchSize: number): StandardizedData {
  const [inputs, targets] = model.standardizeUserDataXY(x, y, true, batchSize);
  const given = new Set<unknown>([...listed(tf, x), ...listed(tf, y)]);
  return {
    data: tensorData(model.inputs.length, model.outputs.length, [...inputs, ...targets]),
    dispose: () => {
      for (const tensor of [...inputs, ...targets]) if (!given.has(tensor)) tensor.dispose();
    },
  };
}

const listed = (tf: Tf, data: unknown): readonly unknown[] =>
  data instanceof tf.Tensor ? [data] : typeof data === 'object' && data !== null ? (Object.values(data) as Tensor[]) : [];
