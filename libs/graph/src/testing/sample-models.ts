import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { Tf } from '../native-backend';

/** A kind of model, small, with random weights that its seed determines. */
export interface SampleModel {
  readonly kind: string;
  readonly make: (tf: Tf) => LayersModel;
}

type Layer = InstanceType<Tf['layers']['Layer']>;

const sequential = (kind: string, layers: (l: Tf['layers']) => Layer[]): SampleModel => ({
  kind,
  make: (tf) => tf.sequential({ name: 'sample', layers: layers(tf.layers) }),
});

/** Kinds of models that an export must support: every family of layers, several inputs and outputs. */
export const SAMPLE_MODELS: readonly SampleModel[] = [
  sequential('dense', (l) => [l.dense({ name: 'hidden', units: 8, inputShape: [5], activation: 'relu' }), l.dense({ name: 'out', units: 3, activation: 'softmax' })]),
  sequential('activations', (l) => [
    l.dense({ name: 'a', units: 5, inputShape: [4], activation: 'elu' }), l.leakyReLU({ name: 'b' }), l.dense({ name: 'c', units: 4, activation: 'selu' }),
    l.dense({ name: 'd', units: 4, activation: 'softplus' }), l.dense({ name: 'e', units: 4, activation: 'relu6' }), l.dense({ name: 'f', units: 4, activation: 'tanh' }),
    l.dense({ name: 'g', units: 4, activation: 'swish' }), l.prelu({ name: 'h' }), l.dense({ name: 'i', units: 3, activation: 'hardSigmoid' }),
  ]),
  sequential('conv2d and max pooling', (l) => [
    l.conv2d({ name: 'conv', inputShape: [8, 8, 2], filters: 4, kernelSize: 3, activation: 'relu' }), l.maxPooling2d({ name: 'pool', poolSize: 2 }),
    l.flatten({ name: 'flat' }), l.dense({ name: 'out', units: 3 }),
  ]),
  sequential('conv1d and average pooling', (l) => [
    l.conv1d({ name: 'conv', inputShape: [9, 3], filters: 4, kernelSize: 3 }), l.averagePooling1d({ name: 'pool', poolSize: 2 }), l.globalAveragePooling1d({ name: 'global' }),
  ]),
  sequential('separable, depthwise and transposed convolution', (l) => [
    l.separableConv2d({ name: 'separable', inputShape: [7, 7, 3], filters: 4, kernelSize: 3 }), l.depthwiseConv2d({ name: 'depthwise', kernelSize: 2 }),
    l.conv2dTranspose({ name: 'transposed', filters: 2, kernelSize: 3, strides: 2 }), l.upSampling2d({ name: 'up', size: [2, 2] }), l.globalMaxPooling2d({ name: 'global' }),
  ]),
  sequential('batch normalization', (l) => [
    l.conv2d({ name: 'conv', inputShape: [6, 6, 2], filters: 3, kernelSize: 2 }), l.batchNormalization({ name: 'norm4d' }), l.flatten({ name: 'flat' }),
    l.dense({ name: 'hidden', units: 6 }), l.batchNormalization({ name: 'norm2d' }),
  ]),
  sequential('layer normalization', (l) => [l.dense({ name: 'hidden', units: 6, inputShape: [4] }), l.layerNormalization({ name: 'norm' })]),
  sequential('dropout and noise in inference', (l) => [
    l.dense({ name: 'hidden', units: 6, inputShape: [4] }), l.dropout({ name: 'drop', rate: 0.5 }), l.gaussianNoise({ name: 'noise', stddev: 1 }), l.dense({ name: 'out', units: 2 }),
  ]),
  sequential('lstm', (l) => [l.lstm({ name: 'lstm', units: 4, inputShape: [5, 3] }), l.dense({ name: 'out', units: 2 })]),
  sequential('gru with sequences', (l) => [l.gru({ name: 'gru', units: 4, inputShape: [5, 3], returnSequences: true }), l.timeDistributed({ name: 'each', layer: l.dense({ name: 'out', units: 2 }) })]),
  sequential('bidirectional lstm', (l) => [l.bidirectional({ name: 'both', layer: l.lstm({ name: 'lstm', units: 3, inputShape: [5, 3] }), mergeMode: 'concat', inputShape: [5, 3] })]),
  sequential('embedding', (l) => [l.embedding({ name: 'embed', inputDim: 20, outputDim: 4, inputLength: 6 }), l.flatten({ name: 'flat' }), l.dense({ name: 'out', units: 2 })]),
  sequential('reshape, permute and padding', (l) => [
    l.reshape({ name: 'reshape', inputShape: [24], targetShape: [4, 6] }), l.permute({ name: 'permute', dims: [2, 1] }), l.reshape({ name: 'image', targetShape: [6, 4, 1] }),
    l.zeroPadding2d({ name: 'pad', padding: 1 }), l.cropping2D({ name: 'crop', cropping: [[0, 1], [1, 0]] }), l.flatten({ name: 'flat' }),
  ]),
  sequential('masked lstm', (l) => [l.masking({ name: 'mask', inputShape: [5, 3] }), l.lstm({ name: 'lstm', units: 3 })]),
  sequential('repeat and simple RNN', (l) => [l.dense({ name: 'hidden', units: 3, inputShape: [4] }), l.repeatVector({ name: 'repeat', n: 3 }), l.simpleRNN({ name: 'rnn', units: 3 })]),
  {
    kind: 'two inputs and two outputs',
    make: (tf) => {
      const left = tf.input({ name: 'left', shape: [3] });
      const right = tf.input({ name: 'right', shape: [4], dtype: 'int32' });
      const embedded = tf.layers.flatten({ name: 'flat' }).apply(tf.layers.embedding({ name: 'embed', inputDim: 10, outputDim: 2 }).apply(right));
      const joined = tf.layers.concatenate({ name: 'join' }).apply([left, embedded] as SymbolicTensor[]);
      const hidden = tf.layers.dense({ name: 'hidden', units: 4, activation: 'relu' }).apply(joined);
      const outputs = ['score', 'rank'].map((name) => tf.layers.dense({ name, units: name.length, useBias: name === 'score' }).apply(hidden));
      return tf.model({ name: 'sample', inputs: [left, right], outputs: outputs as SymbolicTensor[] });
    },
  },
];

/** Replaces the weights by values that are the same in every process: spread over [-0.5, 0.5), variances positive. */
export function setSampleWeights(tf: Tf, model: LayersModel): void {
  let at = 0;
  const values = model.weights.map((weight) => {
    const shape = weight.shape.map((size) => size ?? 1);
    const count = shape.reduce((product, size) => product * size, 1);
    const offset = weight.originalName.endsWith('variance') ? 1 : 0;
    return tf.tensor(Float32Array.from({ length: count }, () => ((++at * 0.7548777) % 1) - 0.5 + offset), shape);
  });
  model.setWeights(values);
  tf.dispose(values);
}
