// A tunerFn over the penguins: dropout, BatchNorm and Adam, a conditional parameter, one that only some trials find, and faults that customConfig names.
import * as tf from '@tensorflow/tfjs';
import { earlyStopping, FailedTrialError, Hyperband, RandomSearch, type FnArgs, type HyperParameters, type TunerFnResult, type TunerOptions } from '@lockstep/module';

interface Config {
  readonly algorithm?: 'RandomSearch' | 'Hyperband';
  /** Milliseconds that each step takes longer. */
  readonly stepMs?: number;
  readonly fault?: 'OTHER_KIND' | 'INFEASIBLE';
}

/** By their scale. */
const FEATURES = [['Beak Length (mm)', 0.1], ['Beak Depth (mm)', 0.1], ['Flipper Length (mm)', 0.01], ['Body Mass (g)', 0.001]] as const;
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
  xs: tf.concat(FEATURES.map(([name, scale]) => tf.mul(tf.cast(xs[name] as tf.Tensor, 'float32'), scale)), 1),
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

const tunerOf = (options: TunerOptions, { algorithm = 'RandomSearch' }: Config): TunerFnResult['tuner'] =>
  (algorithm === 'Hyperband' ? new Hyperband({ ...options, maxEpochs: 9 }) : new RandomSearch({ ...options, maxTrials: 4, seed: 42 }));

export function tunerFn(fnArgs: FnArgs): TunerFnResult {
  const config = fnArgs.customConfig as Config;
  const { stepMs = 0 } = config;
  const options = { batchSize: 25, labelKey: 'Species', numEpochs: 1 };
  const data = (patterns: readonly string[], shuffle: boolean) => fnArgs.dataAccessor.tfDatasetFactory(patterns, { ...options, shuffle }).mapRows(toRow);
  const pause = (): tf.CustomCallback => new tf.CustomCallback({ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, stepMs)) });
  return {
    tuner: tunerOf({ hypermodel: (hp) => build(hp, config), objective: 'val_accuracy' }, config),
    fitKwargs: {
      trainDataset: data(fnArgs.trainFiles, true), validationData: data(fnArgs.evalFiles, false), epochs: 3, verbose: 0,
      callbacks: () => [pause(), earlyStopping(tf, { monitor: 'val_loss', patience: 20 })],
    },
  };
}
