import { emptyPrediction, type Posterior, type Prediction } from '../gaussian/posterior';
import type { Criterion } from './criterion';

/** A criterion as a function of the point. Its buffers make it unfit for being called by itself. */
export class Acquisition {
  private readonly surrogates: readonly { readonly posterior: Posterior; readonly prediction: Prediction }[];
  private readonly means: Float64Array;
  private readonly deviations: Float64Array;
  private readonly byMean: Float64Array;
  private readonly byDeviation: Float64Array;
  private readonly whole: Float64Array;

  /**
   * @param posteriors one for each objective, over the same coordinates
   * @param columns length of a point
   * @param suffix coordinates of the posteriors that follow those of a point and are the same for all: the fidelity to be good at
   */
  constructor(posteriors: readonly Posterior[], private readonly criterion: Criterion, columns: number, private readonly suffix: readonly number[] = []) {
    const objectives = posteriors.length;
    this.surrogates = posteriors.map((posterior) => ({ posterior, prediction: emptyPrediction(columns + suffix.length) }));
    this.whole = Float64Array.of(...new Float64Array(columns), ...suffix);
    this.means = new Float64Array(objectives);
    this.deviations = new Float64Array(objectives);
    this.byMean = new Float64Array(objectives);
    this.byDeviation = new Float64Array(objectives);
  }

  /** Larger is better. */
  value(point: Float64Array): number {
    this.whole.set(point);
    this.surrogates.forEach(({ posterior, prediction }, i) => {
      posterior.predict(this.whole, prediction);
      this.take(i, prediction.mean, prediction.variance);
    });
    return this.judge();
  }

  /** The value; overwrites `gradient`, which is 0 in categorical coordinates. */
  valueWithGradient(point: Float64Array, gradient: Float64Array): number {
    this.whole.set(point);
    this.surrogates.forEach(({ posterior, prediction }, i) => {
      posterior.predictWithGradient(this.whole, prediction);
      this.take(i, prediction.mean, prediction.variance);
    });
    const value = this.judge();
    gradient.fill(0);
    this.surrogates.forEach(({ prediction: { meanGradient, varianceGradient } }, i) => {
      const byMean = this.byMean[i] ?? 0;
      const byVariance = (this.byDeviation[i] ?? 0) / (2 * (this.deviations[i] ?? 1));
      for (let d = 0; d < gradient.length; d++) gradient[d] = (gradient[d] ?? 0) + byMean * (meanGradient[d] ?? 0) + byVariance * (varianceGradient[d] ?? 0);
    });
    return value;
  }

  /** The values of many points. */
  values(points: readonly Float64Array[]): Float64Array {
    const wholes = this.suffix.length === 0 ? points : points.map((point) => Float64Array.of(...point, ...this.suffix));
    const predicted = this.surrogates.map(({ posterior }) => {
      const means = new Float64Array(points.length);
      const variances = new Float64Array(points.length);
      posterior.predictMany(wholes, (index, mean, variance) => {
        means[index] = mean;
        variances[index] = variance;
      });
      return { means, variances };
    });
    return Float64Array.from(points, (_point, index) => {
      predicted.forEach(({ means, variances }, i) => { this.take(i, means[index] ?? 0, variances[index] ?? 0); });
      return this.judge();
    });
  }

  private take(objective: number, mean: number, variance: number): void {
    this.means[objective] = mean;
    this.deviations[objective] = Math.sqrt(variance);
  }

  private judge(): number {
    return this.criterion.evaluate(this.means, this.deviations, this.byMean, this.byDeviation);
  }
}
