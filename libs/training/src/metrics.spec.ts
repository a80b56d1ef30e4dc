import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from './install';
import { auc, precision, recall, type MergeableMetric } from './metrics';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const targets = [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1];
const outputs = [0.9, 0.8, 0.7, 0.3, 0.2, 0.6, 0.55, 0.1, 0.45, 0.05, 0.95];
const all = tf.tensor2d(targets, [11, 1]);
const predicted = tf.tensor2d(outputs, [11, 1]);

// By hand: 6 of 11 are positive; above 0.5 are 0.9 0.8 0.7 0.6 0.55 0.95, of which 4 are. 23 of the 30 pairs of a positive and a negative are in order.
const METRICS: readonly [string, () => MergeableMetric, number][] = [
  ['precision', () => precision(tf), 4 / 6],
  ['recall', () => recall(tf), 4 / 6],
  ['auc', () => auc(tf), 23 / 30],
];

test.each(METRICS)('%s of all rows, in plain tfjs', (_name, metric, expected) => {
  expect(metric()(all, predicted).dataSync()[0]).toBeCloseTo(expected, 6);
});

/** A model that gives its input. */
function identity(metric: MergeableMetric): tf.Sequential {
  const model = tf.sequential({ layers: [tf.layers.dense({ name: 'same', units: 1, inputShape: [1], kernelInitializer: 'ones', useBias: false })] });
  model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError', metrics: [metric] });
  return model;
}

test.each(METRICS)('%s is exact over batches and replicas, in evaluate, fit and validation', async (name, metric, expected) => {
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(4) });
  try {
    const model = identity(metric());
    const [, value] = model.evaluate(predicted, all, { batchSize: 4 }) as tf.Scalar[];
    expect(value?.dataSync()[0]).toBeCloseTo(expected, 6);
    const { history } = await model.fit(predicted, all, { batchSize: 5, verbose: 0, validationData: [predicted, all] });
    expect(history[name]?.[0]).toBeCloseTo(expected, 6);
    expect(history[`val_${name}`]?.[0]).toBeCloseTo(expected, 6);
  } finally {
    training.uninstall();
  }
});
