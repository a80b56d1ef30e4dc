import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { TALLY_LANES } from '@lockstep/sharding';
import { allLayers, statisticsOf } from '../layers';
import type { LayerInternals, ModelInternals, Tf, WeightInternals } from '../tfjs';
import { HeldVariables } from './held-variables';
import { isPlainOptimizer } from './plain-optimizer';
import { ValueLayout } from './value-layout';

/** What a collective call trains: made anew for each call, because compile() or `trainable` may have changed. */
export interface Binding {
  readonly model: ModelInternals;
  readonly layers: readonly LayerInternals[];
  readonly optimizer: Optimizer;
  readonly trainable: readonly WeightInternals[];
  readonly variables: readonly Variable[];
  /** Weights that the forward pass may write: their new values are reduced and applied, never left behind. */
  readonly statistics: readonly WeightInternals[];
  /** The values of all statistics before the step. */
  readonly held: HeldVariables;
  readonly values: ValueLayout;
  /** Shapes of what one replica contributes before the tail, in order: a gradient a variable, then a statistic each. */
  readonly tensorShapes: readonly (readonly number[])[];
  /** Length of the last part: values, then a flag for each tensor that says how many replicas had it, then the tally. */
  readonly tailLength: number;
  /** Where in the tail the tally of the consumed rows begins; it has TALLY_LANES elements. */
  readonly tallyOffset: number;
  /** The gradients, where the optimizer keeps none. */
  readonly borrowedTensors: number;
}

/** Call dispose() on `held` at the end of the call. */
export function bind(tf: Tf, model: ModelInternals): Binding {
  const trainable = model.collectedTrainableWeights;
  const variables = trainable.map((weight) => weight.val);
  const statistics = statisticsOf(model);
  const values = new ValueLayout(model);
  const tensorShapes = [...variables, ...statistics.map((weight) => weight.val)].map((variable) => variable.shape);
  const tallyOffset = values.size + tensorShapes.length;
  return {
    model,
    layers: allLayers(model),
    optimizer: model.optimizer_,
    trainable,
    variables,
    statistics,
    held: new HeldVariables(tf, statistics.map((weight) => weight.val)),
    values,
    tensorShapes,
    tailLength: tallyOffset + TALLY_LANES,
    tallyOffset,
    borrowedTensors: isPlainOptimizer(tf, model.optimizer_) ? variables.length : 0,
  };
}
