// Scores are warped before a process is fitted to them: what is bad is told apart less than what is good. Scores here are to be minimised.
import { quantile } from '../numeric/normal';

/**
 * Half-rank, standardised. (Yeo and Johnson's power transformation after it made no difference to regret: better on three of six functions.)
 * @param scores finite, at least one
 * @returns in the same order; mean 0 and variance 1, or all 0 when the scores are equal
 */
export const warpScores = (scores: readonly number[]): Float64Array => standardize(halfRank(scores));

/** To mean 0 and variance 1; all 0 when there is no variance. */
export function standardize(values: Float64Array): Float64Array {
  const mean = average(values);
  const centred = values.map((value) => value - mean);
  const deviation = Math.sqrt(average(centred.map((value) => value * value)));
  return deviation > 0 ? centred.map((value) => value / deviation) : centred.fill(0);
}

/**
 * Scores above the median are replaced by half-normal quantiles of their ranks, in units of the spread below it (the half-rank warping of Song et al., "The Vizier
 * Gaussian Process Bandit Algorithm", 2024, section 4.1): the good half keeps its shape, outliers of the bad half lose theirs.
 */
export function halfRank(scores: readonly number[]): Float64Array {
  // Divided first, so that neither differences nor squares overflow.
  const scale = scores.reduce((largest, score) => Math.max(largest, Math.abs(score)), 0) || 1;
  const values = Float64Array.from(scores, (score) => score / scale);
  const levels = Float64Array.from(new Set(values)).sort();
  const sorted = values.toSorted();
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const good = values.filter((value) => value <= median);
  const spread = Math.sqrt(average(good.map((value) => (value - median) ** 2))) || Math.sqrt(average(values.map((value) => (value - median) ** 2))) || 1;
  const rankOf = new Map(Array.from(levels, (level, rank) => [level, rank]));
  const medianRank = rankOf.get(median) ?? 0;
  return values.map((value) => {
    if (value <= median) return value;
    const share = 0.5 + 0.5 * ((rankOf.get(value) ?? 0) - medianRank) / (levels.length - medianRank);
    return median + spread * quantile(Math.min(share, 1 - 0.5 / scores.length));
  });
}

const average = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
