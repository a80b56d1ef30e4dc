import { SearchError } from '../search-error';
import type { Direction, Objective } from './objective';

/** Metrics of Keras, in snake case, of which more is better. */
const MAX_METRICS: ReadonlySet<string> = new Set([
  'acc', 'accuracy', 'binary_accuracy', 'categorical_accuracy', 'sparse_categorical_accuracy', 'top_k_categorical_accuracy',
  'sparse_top_k_categorical_accuracy', 'true_positives', 'true_negatives', 'precision', 'recall', 'auc', 'sensitivity_at_specificity',
  'specificity_at_sensitivity', 'precision_at_recall', 'recall_at_precision',
]);

/** Losses and errors of Keras, of which less is better. */
const MIN_METRICS: ReadonlySet<string> = new Set([
  'loss', 'error', 'ce', 'crossentropy', 'binary_crossentropy', 'categorical_crossentropy', 'sparse_categorical_crossentropy', 'binary_focal_crossentropy',
  'categorical_focal_crossentropy', 'categorical_generalized_cross_entropy', 'mse', 'mae', 'mape', 'msle', 'rmse', 'mean_squared_error',
  'mean_absolute_error', 'mean_absolute_percentage_error', 'mean_squared_logarithmic_error', 'root_mean_squared_error', 'hinge',
  'squared_hinge', 'categorical_hinge', 'huber', 'log_cosh', 'log_cosh_error', 'kl_divergence', 'poisson', 'ctc', 'circle', 'dice', 'tversky',
  'false_positives', 'false_negatives',
]);

/**
 * Whether a metric is to be made small or large, told by its name: with or without `val_` and `weighted_` before and a number
 * after it, in snake case or camel case. Where KerasTuner knows, it is as KerasTuner says, except that names are refused which
 * KerasTuner minimises although more is better (F1Score, R2Score, IoU) or which are both a loss and a metric (cosineSimilarity).
 * @throws {SearchError} UNKNOWN_DIRECTION
 */
export function directionOf(metric: string): Direction {
  const name = metric.replace(/^val_/, '').replace(/^weighted_/, '').replace(/_\d+$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z])([A-Z][a-z])/g, '$1_$2').toLowerCase();
  if (MAX_METRICS.has(name)) return 'MAX';
  if (MIN_METRICS.has(name)) return 'MIN';
  throw new SearchError('UNKNOWN_DIRECTION', [{ field: 'objective', description: `whether ${JSON.stringify(metric)} is to be small or large is not known: say the direction, MIN or MAX` }]);
}

/** An objective of a metric's name alone. @throws {SearchError} UNKNOWN_DIRECTION */
export const objectiveOf = (metric: string): Objective => ({ metric, direction: directionOf(metric) });
