import type { Tensor } from '@tensorflow/tfjs-core';
import type { ClassWeight, ClassWeightMap } from '@tensorflow/tfjs-layers';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';

/** classWeight as fit() and fitDataset() take it: of the one output, of each in order, or by output name. */
export type ClassWeights = ClassWeight | ClassWeight[] | ClassWeightMap;

/** One weight table an output, null where an output has none. */
export function classWeightsByOutput(outputNames: readonly string[], weights: ClassWeights): readonly (ClassWeight | null)[] {
  if (Array.isArray(weights)) {
    if (weights.length !== outputNames.length) throw new TrainingError('BAD_ARGUMENT', `classWeight has ${weights.length} entries, the model has ${outputNames.length} outputs`);
    return weights;
  }
  if (isByName(weights)) return outputNames.map((name) => weights[name] ?? null);
  if (outputNames.length === 1) return [weights];
  throw new TrainingError('BAD_ARGUMENT', `the model has ${outputNames.length} outputs: give classWeight as a list, or as an object by output name (${outputNames.join(', ')})`);
}

const isByName = (weights: ClassWeight | ClassWeightMap): weights is ClassWeightMap => Object.values(weights).some((value) => typeof value === 'object');

/** The weight of each row's class; targets are class indices ([rows] or [rows, 1]) or one-hot ([rows, classes]). */
export function rowWeights(tf: Tf, target: Tensor, weights: ClassWeight): Tensor {
  const [rowCount = 0, width = 1] = target.shape;
  if (target.rank > 2) throw new TrainingError('BAD_ARGUMENT', `classWeight needs targets of rank 1 or 2, got rank ${target.rank}`);
  const classes = tf.tidy(() => Array.from((width > 1 ? tf.argMax(target, 1) : tf.reshape(target, [rowCount])).dataSync()));
  return tf.tensor1d(
    classes.map((index) => {
      const weight = weights[index];
      if (weight === undefined) throw new TrainingError('BAD_ARGUMENT', `class ${index} occurs in the data, but classWeight has only ${Object.keys(weights).join(', ')}`);
      return weight;
    }),
    'float32',
  );
}
