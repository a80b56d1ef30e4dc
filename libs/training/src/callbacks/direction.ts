/** Which way a metric gets better, by its name. Keras 3 asks the metric itself; a tfjs metric is a function and does not know. */

/** Whether less or more is better. */
export type Direction = 'min' | 'max';

/** Keras's metrics and tfjs's short names, without case and underscores. */
const BETTER_WHEN_MORE = [
  'acc', 'accuracy', 'binaryaccuracy', 'categoricalaccuracy', 'sparsecategoricalaccuracy', 'topkcategoricalaccuracy', 'sparsetopkcategoricalaccuracy',
  'auc', 'precision', 'recall', 'precisionatrecall', 'recallatprecision', 'sensitivityatspecificity', 'specificityatsensitivity',
  'f1score', 'fbetascore', 'iou', 'binaryiou', 'meaniou', 'onehotiou', 'onehotmeaniou', 'r2score', 'cosinesimilarity',
  'concordancecorrelation', 'pearsoncorrelation',
];
const BETTER_WHEN_LESS = [
  'loss', 'mse', 'mae', 'mape', 'msle', 'rmse', 'meansquarederror', 'meanabsoluteerror', 'meanabsolutepercentageerror', 'meansquaredlogarithmicerror',
  'rootmeansquarederror', 'binarycrossentropy', 'categoricalcrossentropy', 'sparsecategoricalcrossentropy', 'hinge', 'squaredhinge', 'categoricalhinge',
  'logcosh', 'kldivergence', 'kullbackleiblerdivergence', 'poisson',
  // tfjs's cosine is the negative of Keras's similarity.
  'cosine', 'cosineproximity',
];
const DIRECTIONS = new Map<string, Direction>([
  ...BETTER_WHEN_MORE.map((name) => [name, 'max'] as const),
  ...BETTER_WHEN_LESS.map((name) => [name, 'min'] as const),
]);

/**
 * Direction of a metric as it is named in the logs: `loss`, `val_acc`, and of a model with several outputs
 * `val_digit_acc`; undefined when the name does not tell.
 */
export function directionOf(logName: string): Direction | undefined {
  const parts = logName.replace(/^val_/, '').split('_');
  for (let from = 0; from < parts.length; from++) {
    const found = DIRECTIONS.get(parts.slice(from).join('').toLowerCase());
    if (found) return found;
  }
  return undefined;
}
