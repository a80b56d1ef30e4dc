// Scores are warped before a process is fitted to them: what is bad is told apart less than what is good. Scores here are to be minimised.
import { quantile } from '../numeric/normal';

/**
 * Half-rank, then Yeo-Johnson, standardised. Without the second, regret on six functions is as good, but a fit is apt to take the tail of the scores
 * for noise.
 * @param scores finite, at least one
 * @returns in the same order; mean 0 and variance 1, or all 0 when the scores are equal
 */
export const warpScores = (scores: readonly number[]): Float64Array => standardize(yeoJohnson(standardize(halfRank(scores))).values);

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

const EXPONENT_MIN = -2;
const EXPONENT_MAX = 4;
const SECTIONS = 40;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Yeo and Johnson's power transformation (2000) with the exponent of the largest likelihood. @param values standardised */
export function yeoJohnson(values: Float64Array): { readonly values: Float64Array; readonly exponent: number } {
  const signedLogs = values.reduce((sum, value) => sum + Math.sign(value) * Math.log1p(Math.abs(value)), 0);
  const likelihood = (exponent: number) => {
    const transformed = values.map((value) => power(value, exponent));
    const mean = average(transformed);
    const variance = average(transformed.map((value) => (value - mean) ** 2));
    return -0.5 * values.length * Math.log(variance + Number.MIN_VALUE) + (exponent - 1) * signedLogs;
  };
  let low = EXPONENT_MIN;
  let high = EXPONENT_MAX;
  for (let i = 0; i < SECTIONS; i++) {
    const left = high - GOLDEN * (high - low);
    const right = low + GOLDEN * (high - low);
    if (likelihood(left) > likelihood(right)) high = right;
    else low = left;
  }
  const exponent = 0.5 * (low + high);
  return { values: values.map((value) => power(value, exponent)), exponent };
}

function power(value: number, exponent: number): number {
  if (value >= 0) return Math.abs(exponent) < 1e-8 ? Math.log1p(value) : Math.expm1(exponent * Math.log1p(value)) / exponent;
  const mirrored = 2 - exponent;
  return Math.abs(mirrored) < 1e-8 ? -Math.log1p(-value) : -Math.expm1(mirrored * Math.log1p(-value)) / mirrored;
}

const average = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
