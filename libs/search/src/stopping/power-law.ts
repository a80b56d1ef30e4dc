/**
 * Where a learning curve goes: Bayesian averaging over power laws y(t) = c + a t^-alpha + noise, the family "pow3" of T. Domhan,
 * J. T. Springenberg, F. Hutter, Speeding up Automatic Hyperparameter Optimization ..., IJCAI 2015.
 *
 * For a given alpha the law is linear in c and a, so that the posterior under a normal-inverse-gamma prior and the evidence are
 * closed forms (C. Bishop, Pattern Recognition and Machine Learning, 3.3 and 3.5); alphas are weighed by their evidence. Time is
 * rescaled so that the regressor falls from 1 at the first epoch to 0 at the horizon, and c is the value there.
 */
const ALPHAS = [0.1, 0.25, 0.5, 1, 2] as const;

/** Variance of c and a, in units of the noise; wide. */
const PRIOR_VARIANCE = 100;
/** Of the noise's variance, where the curve's own variance is 1. */
const PRIOR_SHAPE = 1;
const PRIOR_RATE = 0.01;

export interface TimePoint {
  /** Positive. */
  readonly epoch: number;
  readonly value: number;
}

/**
 * The probability that the curve's value at the horizon is below a bound.
 * @param points at least two, of different positive epochs before the horizon, ascending; values finite
 */
export function probabilityBelow(points: readonly TimePoint[], horizon: number, bound: number): number {
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const variance = points.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / points.length;
  const scale = variance > 0 ? Math.sqrt(variance) : 1;
  const ys = points.map(({ value }) => (value - mean) / scale);
  const first = points[0]?.epoch ?? 1;
  const laws = ALPHAS.map((alpha) => {
    const steepness = (first / horizon) ** -alpha - 1;
    return fit(points.map(({ epoch }) => ((epoch / horizon) ** -alpha - 1) / steepness), ys);
  });
  const top = Math.max(...laws.map(({ logEvidence }) => logEvidence));
  const weights = laws.map(({ logEvidence }) => Math.exp(logEvidence - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const target = (bound - mean) / scale;
  return laws.reduce((sum, { location, spread, freedom }, i) => sum + (weights[i] ?? 0) / total * studentBelow((target - location) / spread, freedom), 0);
}

/** What is known of c: Student's t of `freedom` degrees, shifted and scaled. */
interface Law {
  readonly location: number;
  readonly spread: number;
  readonly freedom: number;
  /** Up to a constant that all laws of the same points share. */
  readonly logEvidence: number;
}

function fit(xs: readonly number[], ys: readonly number[]): Law {
  const n = xs.length;
  const sum = (f: (x: number, y: number) => number): number => xs.reduce((total, x, i) => total + f(x, ys[i] ?? 0), 0);
  // Precision matrix of (c, a) and its inverse.
  const cc = n + 1 / PRIOR_VARIANCE;
  const ca = sum((x) => x);
  const aa = sum((x) => x * x) + 1 / PRIOR_VARIANCE;
  const determinant = cc * aa - ca * ca;
  const [y, xy, yy] = [sum((_, v) => v), sum((x, v) => x * v), sum((_, v) => v * v)];
  const c = (aa * y - ca * xy) / determinant;
  const a = (cc * xy - ca * y) / determinant;
  const shape = PRIOR_SHAPE + n / 2;
  const rate = PRIOR_RATE + Math.max(0, yy - c * y - a * xy) / 2;
  return {
    location: c, spread: Math.sqrt(rate / shape * aa / determinant), freedom: 2 * PRIOR_SHAPE + n,
    logEvidence: -Math.log(determinant) / 2 - shape * Math.log(rate),
  };
}

/** P(T < t) of Student's t with whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4). */
export function studentBelow(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return t > 0 ? 1 : 0;
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cosine = Math.cos(angle);
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  const within = isOdd ? 2 / Math.PI * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return (1 + within) / 2;
}
