// A search over the penguins that is done in seconds: a Gaussian process that learns from the scores, or Hyperband, whose trials go on from their parents.
import * as tf from '@tensorflow/tfjs';
import { BayesianOptimization, Hyperband, type FnArgs, type HyperParameters, type TunerFnResult } from '@lockstep/module';

interface Config {
  readonly algorithm: 'BayesianOptimization' | 'Hyperband';
  /** Milliseconds that each step takes longer: all members wait the same, so that no bit depends on it. */
  readonly stepMs: number;
}

/** By their scale. */
const FEATURES = [['Beak Length (mm)', 0.1], ['Beak Depth (mm)', 0.1], ['Flipper Length (mm)', 0.01], ['Body Mass (g)', 0.001]] as const;
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
  xs: tf.concat(FEATURES.map(([name, scale]) => tf.mul(tf.cast(xs[name] as tf.Tensor, 'float32'), scale)), 1),
  ys: tf.oneHot(tf.tensor1d(Array.from(ys.dataSync<'string'>(), (name) => SPECIES.indexOf(name)), 'int32'), SPECIES.length),
});

function build(hp: HyperParameters): tf.LayersModel {
  const units = hp.Int('units', { minValue: 4, maxValue: 32 });
  hp.Boolean('dropout');
  const dropped = hp.conditionalScope('dropout', true, () => hp.Float('rate', { minValue: 0.1, maxValue: 0.5 }));
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [FEATURES.length], units, activation: hp.Choice('activation', ['relu', 'tanh']) }));
  if (dropped !== undefined) model.add(tf.layers.dropout({ rate: dropped }));
  model.add(tf.layers.dense({ units: SPECIES.length, activation: 'softmax' }));
  model.compile({ optimizer: tf.train.adam(hp.Float('learning_rate', { minValue: 1e-3, maxValue: 1e-1, sampling: 'log' })), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

export function tunerFn(fnArgs: FnArgs): TunerFnResult {
  const { algorithm, stepMs } = fnArgs.customConfig as unknown as Config;
  const options = { batchSize: 32, labelKey: 'Species', numEpochs: 1 };
  const data = (patterns: readonly string[], shuffle: boolean) => fnArgs.dataAccessor.tfDatasetFactory(patterns, { ...options, shuffle }).mapRows(toRow);
  return {
    tuner: algorithm === 'Hyperband'
      ? new Hyperband({ hypermodel: build, objective: 'val_loss', maxEpochs: 2, factor: 2, sampler: 'gaussianProcess' })
      : new BayesianOptimization({ hypermodel: build, objective: 'val_loss', maxTrials: 4, numInitialPoints: 3 }),
    fitKwargs: {
      trainDataset: data(fnArgs.trainFiles, true), validationData: data(fnArgs.evalFiles, false), epochs: 2, verbose: 0,
      callbacks: () => [new tf.CustomCallback({ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, stepMs)) })],
    },
  };
}
