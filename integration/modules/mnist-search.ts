// Hyperband with a Gaussian process over a small convolutional network on MNIST's digits, as data/mnist of TFX has them.
import * as tf from '@tensorflow/tfjs';
import { Hyperband, type FnArgs, type HyperParameters, type TunerFnResult } from '@lockstep/module';

interface Config {
  /** Milliseconds that each step takes longer: all members wait the same, so that no bit depends on it. */
  readonly stepMs: number;
}

const SIDE = 28;
const DIGITS = 10;

const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
  xs: tf.reshape(xs['image_floats'] as tf.Tensor, [-1, SIDE, SIDE, 1]),
  ys: tf.oneHot(tf.cast(tf.reshape(ys, [-1]), 'int32'), DIGITS),
});

function build(hp: HyperParameters): tf.LayersModel {
  const model = tf.sequential({ layers: [
    tf.layers.conv2d({ inputShape: [SIDE, SIDE, 1], filters: hp.Int('filters', { minValue: 2, maxValue: 12 }), kernelSize: 5, strides: 2, activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.1 }),
    tf.layers.dense({ units: DIGITS, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(hp.Float('learning_rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log' })), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

export function tunerFn(fnArgs: FnArgs): TunerFnResult {
  const { stepMs } = fnArgs.customConfig as unknown as Config;
  const data = (patterns: readonly string[], shuffle: boolean) => fnArgs.dataAccessor.tfDatasetFactory(patterns, { batchSize: 32, labelKey: 'image_class', numEpochs: 1, shuffle }).mapRows(toRow);
  return {
    tuner: new Hyperband({ hypermodel: build, objective: 'val_accuracy', maxEpochs: 4, factor: 2, sampler: 'gaussianProcess' }),
    fitKwargs: {
      trainDataset: data(fnArgs.trainFiles, true), validationData: data(fnArgs.evalFiles, false), verbose: 0,
      callbacks: () => [new tf.CustomCallback({ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, stepMs)) })],
    },
  };
}
