import type { LayersModel, Sequential } from '@tensorflow/tfjs-layers';
import type { Optimizer, Tensor2D } from '@tensorflow/tfjs-core';
import type { Tf } from '../tfjs';

/** Data of the test models: 20 and 4 features, 5 classes and one number. */
export interface TestData {
  readonly x: Tensor2D;
  readonly x2: Tensor2D;
  readonly y: Tensor2D;
  readonly y2: Tensor2D;
}

export const testData = (tf: Tf, rowCount: number, seed = 7): TestData => ({
  x: tf.randomNormal([rowCount, 20], 0, 1, 'float32', seed),
  x2: tf.randomNormal([rowCount, 4], 0, 1, 'float32', seed + 1),
  y: tf.tidy(() => tf.cast(tf.oneHot(tf.randomUniform([rowCount], 0, 5, 'int32', seed + 2), 5), 'float32') as Tensor2D),
  y2: tf.randomNormal([rowCount, 1], 0, 1, 'float32', seed + 3),
});

export interface ModelOptions {
  readonly batchNorm?: boolean;
  readonly dropout?: boolean;
  readonly regularized?: boolean;
  /** Uses the BatchNorm layer twice. */
  readonly shared?: boolean;
  /** Leaves the initialisers unseeded. */
  readonly unseeded?: boolean;
}

const initializer = (tf: Tf, seed: number, options: ModelOptions): ReturnType<Tf['initializers']['glorotUniform']> =>
  tf.initializers.glorotUniform(options.unseeded ? {} : { seed });

/** One input, one output. */
export function sequentialModel(tf: Tf, options: ModelOptions = {}): Sequential {
  const { layers } = tf;
  const model = tf.sequential({ name: 'sequential' });
  model.add(layers.dense({ name: 'hidden', inputShape: [20], units: 16, activation: 'relu', kernelInitializer: initializer(tf, 1, options) }));
  if (options.batchNorm) model.add(layers.batchNormalization({ name: 'norm' }));
  if (options.dropout) model.add(layers.dropout({ name: 'drop', rate: 0.3 }));
  model.add(
    layers.dense({
      name: 'out',
      units: 5,
      activation: 'softmax',
      kernelInitializer: initializer(tf, 2, options),
      ...(options.regularized ? { kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) } : {}),
    }),
  );
  return model;
}

/** Two inputs, two outputs. */
export function functionalModel(tf: Tf, options: ModelOptions = {}): LayersModel {
  const { layers } = tf;
  const first = tf.input({ shape: [20], name: 'first' });
  const second = tf.input({ shape: [4], name: 'second' });
  const dense = layers.dense({ name: 'hidden', units: 12, activation: 'tanh', kernelInitializer: initializer(tf, 1, options) });
  let hidden = dense.apply(first) as typeof first;
  if (options.batchNorm) {
    const norm = layers.batchNormalization({ name: 'norm' });
    hidden = norm.apply(hidden) as typeof first;
    if (options.shared) hidden = norm.apply(hidden) as typeof first;
  }
  if (options.dropout) hidden = layers.dropout({ name: 'drop', rate: 0.3 }).apply(hidden) as typeof first;
  const joined = layers.concatenate({ name: 'joined' }).apply([hidden, second]) as typeof first;
  const classes = layers.dense({ name: 'classes', units: 5, activation: 'softmax', kernelInitializer: initializer(tf, 2, options) }).apply(joined) as typeof first;
  const number = layers.dense({ name: 'number', units: 1, kernelInitializer: initializer(tf, 3, options) }).apply(joined) as typeof first;
  return tf.model({ inputs: [first, second], outputs: [classes, number], name: 'functional' });
}

export const OPTIMIZERS = {
  sgd: (tf) => tf.train.sgd(0.1),
  momentum: (tf) => tf.train.momentum(0.05, 0.9),
  adam: (tf) => tf.train.adam(0.01),
  adamax: (tf) => tf.train.adamax(0.01),
  rmsprop: (tf) => tf.train.rmsprop(0.01, 0.9, 0.5),
  adagrad: (tf) => tf.train.adagrad(0.1),
  adadelta: (tf) => tf.train.adadelta(0.5),
} as const satisfies Record<string, (tf: Tf) => Optimizer>;

export type OptimizerName = keyof typeof OPTIMIZERS;

/** Bits of all weights, to be compared exactly. */
export const weightBits = (model: LayersModel): string[] =>
  model.getWeights().map((weight) => {
    const values = weight.dataSync();
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
  });
