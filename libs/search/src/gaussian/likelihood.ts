import { factorizeRows, inverseFromTransposed, invertTransposed, solveLower, solveUpper } from '../numeric/cholesky';
import { dot } from '../numeric/dot';
import { logAmplitude, logNoise, type LogParameters } from './hyperparameters';
import { inverseSquares } from './matern';
import { squaredDistance, type CoordinateKind, type Points } from './points';

/** The constant mean that maximises the likelihood, given the factor of the covariance: 1ᵀK⁻¹y / 1ᵀK⁻¹1. */
export function profiledMean(factor: Float64Array, stride: number, scores: Float64Array): number {
  const rows = scores.length;
  const ones = new Float64Array(rows).fill(1);
  const whitened = new Float64Array(rows);
  solveLower(factor, stride, rows, ones, ones);
  solveLower(factor, stride, rows, scores, whitened);
  return dot(ones, 0, whitened, 0, rows) / dot(ones, 0, ones, 0, rows);
}

/** Where the scores are centred: at a given value, or where the likelihood is largest. */
export type Centre = { readonly kind: 'PROFILED' } | { readonly kind: 'AT'; readonly mean: number };

/**
 * The log marginal likelihood of scores at points under a Gaussian process (Rasmussen and Williams, Gaussian Processes for Machine Learning,
 * 2006, equations 5.8 and 5.9). Its buffers, of rows² numbers each, serve all evaluations.
 */
export class Likelihood {
  private readonly covariance: Float64Array;
  private readonly steepness: Float64Array;
  private readonly factor: Float64Array;
  private readonly inverse: Float64Array;

  /** @param scores one for each row of `points`, standardised */
  constructor(
    private readonly points: Points, private readonly kinds: readonly CoordinateKind[], private readonly scores: Float64Array, private readonly centre: Centre,
  ) {
    const size = points.rows * points.rows;
    this.covariance = new Float64Array(size);
    this.steepness = new Float64Array(size);
    this.factor = new Float64Array(size);
    this.inverse = new Float64Array(size);
  }

  /**
   * The negative log likelihood; overwrites `gradient` by its gradient in `parameters`. With a profiled mean the gradient is exact too: the likelihood is flat
   * in the mean there. NaN where the covariance is not positive definite.
   */
  negative(parameters: LogParameters, gradient: Float64Array): number {
    const { factor, scores } = this;
    const rows = scores.length;
    this.fillCovariance(parameters);
    if (!factorizeRows(this.covariance, factor, rows, 0, rows)) return NaN;
    const mean = this.centre.kind === 'AT' ? this.centre.mean : profiledMean(factor, rows, scores);
    const whitened = scores.map((score) => score - mean);
    solveLower(factor, rows, rows, whitened, whitened);
    let value = 0.5 * rows * Math.log(2 * Math.PI) + 0.5 * dot(whitened, 0, whitened, 0, rows);
    for (let i = 0; i < rows; i++) value += Math.log(factor[i * rows + i] ?? 0);
    const weights = new Float64Array(rows);
    solveUpper(factor, rows, rows, whitened, weights);
    this.fillGradient(parameters, weights, gradient);
    return value;
  }

  /** The lower triangles of the covariance and of the kernel's steepness. */
  private fillCovariance(parameters: LogParameters): void {
    const { covariance, steepness, kinds, points: { rows, columns, values } } = this;
    const amplitude = Math.exp(logAmplitude(parameters));
    const noise = Math.exp(logNoise(parameters));
    const scales = inverseSquares(parameters);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < i; j++) {
        let square = 0;
        for (let d = 0; d < columns; d++) square += (scales[d] ?? 0) * squaredDistance(kinds[d], values[i * columns + d] ?? 0, values[j * columns + d] ?? 0);
        const a = Math.sqrt(5 * square);
        const decayed = amplitude * Math.exp(-a);
        covariance[i * rows + j] = (1 + a + a * a / 3) * decayed;
        steepness[i * rows + j] = (5 / 3) * (1 + a) * decayed;
      }
      covariance[i * rows + i] = amplitude + noise;
    }
  }

  /** ½ tr((K⁻¹ - ααᵀ) ∂K) for each parameter, α the weights K⁻¹(y - mean). */
  private fillGradient(parameters: LogParameters, weights: Float64Array, gradient: Float64Array): void {
    const { covariance, steepness, factor, inverse, kinds, points: { rows, columns, values } } = this;
    invertTransposed(factor, rows, rows, inverse);
    inverseFromTransposed(inverse, rows, rows, factor); // The factor has served: its place takes K⁻¹.
    gradient.fill(0);
    let byAmplitude = 0;
    let trace = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * rows;
      const weight = weights[i] ?? 0;
      trace += (factor[at + i] ?? 0) - weight * weight;
      for (let j = 0; j < i; j++) {
        const coefficient = (factor[at + j] ?? 0) - weight * (weights[j] ?? 0);
        byAmplitude += coefficient * (covariance[at + j] ?? 0);
        const slope = coefficient * (steepness[at + j] ?? 0);
        for (let d = 0; d < columns; d++) {
          gradient[d] = (gradient[d] ?? 0) + slope * squaredDistance(kinds[d], values[i * columns + d] ?? 0, values[j * columns + d] ?? 0);
        }
      }
    }
    inverseSquares(parameters).forEach((scale, d) => { gradient[d] = (gradient[d] ?? 0) * scale; });
    gradient[columns] = byAmplitude + 0.5 * trace * Math.exp(logAmplitude(parameters));
    gradient[columns + 1] = 0.5 * trace * Math.exp(logNoise(parameters));
  }
}
