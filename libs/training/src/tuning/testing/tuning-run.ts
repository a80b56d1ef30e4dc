import type { Values } from '@lockstep/search';
import { LocalCollective } from '@lockstep/reduction';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FnArgs } from '../../fn-args';
import { installTraining, type Training } from '../../install';
import type { Tf } from '../../tfjs';
import { testData } from '../../testing/models';
import type { HyperParameters } from '../hyper-parameters';
import type { TunerFnResult } from '../hypermodel';
import { RandomSearch, type RandomSearchOptions } from '../tuners';
import type { TrialTask } from '../trial';

/** Of the tests, no tunerFn reads any. */
export const FN_ARGS = {} as FnArgs;

/** Runs with training installed, as in a job's process. */
export async function asJob<T>(tf: Tf, seed: number, run: (training: Training) => Promise<T>): Promise<T> {
  const training = installTraining(tf, { seed, collective: new LocalCollective(2) });
  try {
    return await run(training);
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}

/** A model with one tuned width, BatchNorm and dropout; every process gives its layers the same names. */
export function buildModel(tf: Tf, hp: HyperParameters): LayersModel {
  const units = hp.Int('units', { minValue: 4, maxValue: 16, step: 4, default: 8 });
  const model = tf.sequential({ name: 'tuned', layers: [
    tf.layers.dense({ name: 'hidden', inputShape: [20], units, activation: 'relu' }),
    tf.layers.batchNormalization({ name: 'norm' }),
    tf.layers.dropout({ name: 'drop', rate: 0.2 }),
    tf.layers.dense({ name: 'out', units: 5, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(hp.Float('rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log', default: 0.01 })), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** A tunerFn that fits that model on tensors. */
export function tunerFn(tf: Tf, options: Partial<RandomSearchOptions> = {}, fitKwargs: Partial<TunerFnResult['fitKwargs']> = {}): () => TunerFnResult {
  return () => {
    const { x, y } = testData(tf, 40);
    return {
      tuner: new RandomSearch({ hypermodel: (hp) => buildModel(tf, hp), objective: 'val_loss', ...options }),
      fitKwargs: { x, y, batchSize: 10, validationSplit: 0.25, verbose: 0, ...fitKwargs } as TunerFnResult['fitKwargs'],
    };
  };
}

/** A trial of a study that knows no parameters yet. */
export const task = (more: Partial<TrialTask> = {}, values: Values = new Map()): TrialTask => ({
  hyperparameters: { space: [], values }, initialEpoch: 0, epochs: undefined, executions: undefined, startFrom: undefined, ...more,
});
