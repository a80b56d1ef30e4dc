// A tunerFn over the penguins: dropout, BatchNorm and Adam, a conditional parameter, one that only some trials find, and faults that the job's customConfig names.
import * as tf from '@tensorflow/tfjs';
import {
  Asha, BayesianOptimization, earlyStopping, FailedTrialError, GridSearch, Hyperband, RandomSearch,
  type FnArgs, type HyperParameters, type TunerFnResult, type TunerOptions,
} from '@lockstep/module';

interface Config {
  readonly algorithm?: 'RandomSearch' | 'GridSearch' | 'BayesianOptimization' | 'Hyperband' | 'Asha';
  readonly objective?: string;
  readonly epochs?: number;
  /** Milliseconds that each step takes longer. */
  readonly stepMs?: number;
  readonly fault?: 'NO_TUNER' | 'OTHER_KIND' | 'INFEASIBLE' | 'NAN';
}

const FEATURES = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];
const SCALE = [0.1, 0.1, 0.01, 0.001];
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
  xs: tf.concat(FEATURES.map((name, i) => tf.mul(tf.cast(xs[name], 'float32'), SCALE[i])), 1),
  ys: tf.oneHot(tf.tensor1d(Array.from(ys.dataSync<'string'>(), (name) => SPECIES.indexOf(name)), 'int32'), SPECIES.length),
});

function build(hp: HyperParameters, { fault }: Config): tf.LayersModel {
  const units = fault === 'OTHER_KIND' ? Number(hp.Choice('units', ['8', '16'])) : hp.Int('units', { minValue: 8, maxValue: 32, step: 8 });
  if (fault === 'INFEASIBLE') throw new FailedTrialError(`${units} units are more than the machine holds`);
  const normalised = hp.Boolean('norm', { default: true });
  const momentum = hp.conditionalScope('norm', true, () => hp.Float('norm_momentum', { minValue: 0.5, maxValue: 0.99, default: 0.9 }));
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [FEATURES.length], units, activation: hp.Choice('activation', ['relu', 'tanh']) }));
  if (normalised) model.add(tf.layers.batchNormalization({ momentum: momentum ?? 0.9 }));
  model.add(tf.layers.dropout({ rate: 0.2 }));
  // Found by wide trials only: the space grows.
  if (units === 32 && hp.Boolean('deep', { default: true })) model.add(tf.layers.dense({ units: 8, activation: 'relu' }));
  model.add(tf.layers.dense({ units: SPECIES.length, activation: 'softmax' }));
  const rate = hp.Float('rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log', default: 0.01 });
  model.compile({ optimizer: tf.train.adam(rate), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function tunerOf(options: TunerOptions, { algorithm = 'RandomSearch' }: Config): TunerFnResult['tuner'] {
  switch (algorithm) {
    case 'RandomSearch': return new RandomSearch({ ...options, maxTrials: 4, seed: 42 });
    case 'GridSearch': return new GridSearch(options);
    case 'BayesianOptimization': return new BayesianOptimization({ ...options, maxTrials: 6 });
    case 'Hyperband': return new Hyperband({ ...options, maxEpochs: 9 });
    case 'Asha': return new Asha({ ...options, maxTrials: 20, maxEpochs: 9 });
  }
}

export function tunerFn(fnArgs: FnArgs): TunerFnResult {
  const config = fnArgs.customConfig as Config;
  const { objective = 'val_accuracy', epochs = 3, stepMs = 0, fault } = config;
  if (fault === 'NO_TUNER') return { fitKwargs: {} } as TunerFnResult;
  const options = { batchSize: 25, labelKey: 'Species', numEpochs: 1 };
  const data = (patterns: readonly string[], shuffle: boolean) => fnArgs.dataAccessor.tfDatasetFactory(patterns, { ...options, shuffle }).mapRows(toRow);
  const pause = (): tf.CustomCallback => new tf.CustomCallback({ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, stepMs)) });
  return {
    tuner: tunerOf({ hypermodel: (hp) => build(hp, config), objective, ...(fault === 'NAN' && { hypermodel: { build: (hp) => build(hp, config), fit: () => NaN }, objective: { name: 'score', direction: 'max' } }) }, config),
    fitKwargs: {
      trainDataset: data(fnArgs.trainFiles, true), validationData: data(fnArgs.evalFiles, false), epochs, verbose: 0,
      callbacks: () => [pause(), earlyStopping(tf, { monitor: 'val_loss', patience: 20 })],
    },
  };
}
