import { lossRatio, logDensity, mills } from '../numeric/normal';

/**
 * How much a point is worth trying, from what the surrogates of the objectives say about it. Objectives are minimised; a larger value is
 * better.
 */
export interface Criterion {
  /**
   * @param means one for each objective
   * @param deviations standard deviations, above 0
   * @param byMean, byDeviation overwritten by the derivatives
   */
  evaluate(means: Float64Array, deviations: Float64Array, byMean: Float64Array, byDeviation: Float64Array): number;
}

/** What `improvement` says. */
export interface Improvement {
  /** ln E[max(0, incumbent - Y)] */
  readonly logValue: number;
  /** Derivatives of the logarithm. */
  readonly byMean: number;
  readonly byDeviation: number;
}

/**
 * The logarithm of the expected improvement of a normal Y over an incumbent (Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian
 * Optimization", 2023), to full precision however unlikely the improvement is.
 */
export function improvement(mean: number, deviation: number, incumbent: number): Improvement {
  const z = (incumbent - mean) / deviation;
  const t = Math.abs(z);
  const density = logDensity(z);
  if (z <= 0) {
    const loss = lossRatio(t); // h(z) = φ(z) + z Φ(z) = φ(z) loss
    return { logValue: Math.log(deviation) + density + Math.log(loss), byMean: -mills(t) / (loss * deviation), byDeviation: 1 / (loss * deviation) };
  }
  const height = Math.exp(density);
  const upper = 1 - mills(t) * height;
  const h = height + z * upper;
  return { logValue: Math.log(deviation * h), byMean: -upper / (h * deviation), byDeviation: height / (h * deviation) };
}

/** Log expected improvement of a single objective. */
export const logExpectedImprovement = (incumbent: number): Criterion => ({
  evaluate: (means, deviations, byMean, byDeviation) => {
    const found = improvement(means[0] ?? 0, deviations[0] ?? 1, incumbent);
    byMean[0] = found.byMean;
    byDeviation[0] = found.byDeviation;
    return found.logValue;
  },
});

/** Minus the lower confidence bound: -(mean - beta * deviation). KerasTuner's criterion. */
export const confidenceBound = (beta: number): Criterion => ({
  evaluate: (means, deviations, byMean, byDeviation) => {
    byMean[0] = -1;
    byDeviation[0] = beta;
    return beta * (deviations[0] ?? 0) - (means[0] ?? 0);
  },
});
