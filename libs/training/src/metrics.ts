import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { LossFunction, Tf } from './tfjs';

/**
 * A metric that is exact over any cut of the data: sums are accumulated over rows, added across replicas, batches and
 * workers, and turned into a number at the end. tfjs's own metrics are means over rows, so that its precision and recall
 * are averages of batches' values.
 *
 * It is a function as `compile({metrics})` takes it, and gives the batch's value in plain tfjs.
 */
export interface MergeableMetric extends LossFunction {
  /** Number of sums. */
  readonly size: number;
  /** The sums over these rows: float32 of shape [size]. */
  accumulate(this: void, target: Tensor, output: Tensor): Tensor1D;
  /** The metric's value for the sums over all rows. */
  result(this: void, sums: readonly number[]): number;
}

/** What makes up a mergeable metric; `name` is its name in History. */
export interface MergeableMetricDefinition {
  readonly name: string;
  readonly size: number;
  readonly accumulate: (this: void, target: Tensor, output: Tensor) => Tensor1D;
  readonly result: (this: void, sums: readonly number[]) => number;
}

export const isMergeable = (metric: LossFunction): metric is MergeableMetric =>
  'accumulate' in metric && typeof metric.accumulate === 'function' && 'result' in metric && typeof metric.result === 'function';

/** Makes a metric for `compile({metrics: [...]})` from its sums. */
export function mergeableMetric(tf: Tf, definition: MergeableMetricDefinition): MergeableMetric {
  const { accumulate, result, size } = definition;
  const value = (target: Tensor, output: Tensor): Tensor => {
    const sums = tf.tidy(() => Array.from(accumulate(target, output).dataSync()));
    return tf.scalar(result(sums));
  };
  Object.defineProperty(value, 'name', { value: definition.name });
  return Object.assign(value, { accumulate, result, size });
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Exact precision at 0.5 (Keras's Precision): true positives over predicted positives, 0 when there are none. */
export const precision = (tf: Tf): MergeableMetric =>
  mergeableMetric(tf, {
    name: 'precision',
    size: 2,
    accumulate: (target, output) => {
      const predicted = tf.cast(tf.greater(output, 0.5), 'float32');
      const actual = tf.cast(tf.greater(target, 0.5), 'float32');
      return tf.stack([tf.sum(tf.mul(predicted, actual)), tf.sum(predicted)]) as Tensor1D;
    },
    result: ([hits = 0, predicted = 0]) => ratio(hits, predicted),
  });

/** Exact recall at 0.5 (Keras's Recall): true positives over actual positives, 0 when there are none. */
export const recall = (tf: Tf): MergeableMetric =>
  mergeableMetric(tf, {
    name: 'recall',
    size: 2,
    accumulate: (target, output) => {
      const predicted = tf.cast(tf.greater(output, 0.5), 'float32');
      const actual = tf.cast(tf.greater(target, 0.5), 'float32');
      return tf.stack([tf.sum(tf.mul(predicted, actual)), tf.sum(actual)]) as Tensor1D;
    },
    result: ([hits = 0, actual = 0]) => ratio(hits, actual),
  });

/**
 * Area under the ROC curve of a binary classifier, interpolated over 200 thresholds as Keras's AUC is.
 * Outputs are probabilities in [0, 1].
 */
export function auc(tf: Tf, thresholdCount = 200): MergeableMetric {
  // Keras's thresholds: evenly spaced, the ends pushed outwards so that 0 and 1 fall inside.
  const thresholds = Array.from({ length: thresholdCount }, (_, i) => i / (thresholdCount - 1));
  thresholds[0] = -1e-7;
  thresholds[thresholdCount - 1] = 1 + 1e-7;
  return mergeableMetric(tf, {
    name: 'auc',
    size: 2 * thresholdCount + 2,
    accumulate: (target, output) => {
      const actual = tf.reshape(tf.cast(tf.greater(target, 0.5), 'float32'), [1, -1]);
      const above = tf.cast(tf.greater(tf.reshape(output, [1, -1]), tf.tensor2d(thresholds, [thresholdCount, 1])), 'float32');
      const truePositives = tf.sum(tf.mul(above, actual), 1);
      const falsePositives = tf.sub(tf.sum(above, 1), truePositives);
      const positives = tf.reshape(tf.sum(actual), [1]);
      return tf.concat([truePositives, falsePositives, positives, tf.sub(tf.scalar(actual.size), positives)]) as Tensor1D;
    },
    result: (sums) => {
      const positives = sums[2 * thresholdCount] ?? 0;
      const negatives = sums[2 * thresholdCount + 1] ?? 0;
      const truePositiveRate = (i: number): number => ratio(sums[i] ?? 0, positives);
      const falsePositiveRate = (i: number): number => ratio(sums[thresholdCount + i] ?? 0, negatives);
      let area = 0;
      for (let i = 0; i + 1 < thresholdCount; i++) {
        area += ((falsePositiveRate(i) - falsePositiveRate(i + 1)) * (truePositiveRate(i) + truePositiveRate(i + 1))) / 2;
      }
      return area;
    },
  });
}
