import { readGolden } from '../numeric/testing/golden';
import { fit } from './fit';
import { negativeLogPrior, parameterBox, uniformParameters, type LogParameters } from './hyperparameters';
import { Likelihood } from './likelihood';
import { pointsOf, type CoordinateKind } from './points';
import { emptyPrediction, Posterior } from './posterior';

const { gaussian } = readGolden();
const COLUMNS = 4;
const kinds: readonly CoordinateKind[] = Array.from({ length: COLUMNS }, () => 'NUMERIC' as const);
const mixedKinds: readonly CoordinateKind[] = ['NUMERIC', 'NUMERIC', 'NUMERIC', 'CATEGORICAL'];
const vectors = gaussian.points.map((point) => Float64Array.from(point));
const points = pointsOf(vectors, COLUMNS);
/** The last coordinate as one of three categories. */
const mixedPoints = pointsOf(vectors.map((point) => point.map((x, d) => (d === 3 ? Math.floor(3 * x) : x))), COLUMNS);
const scores = Float64Array.from(gaussian.scores);
const parameters: LogParameters = Float64Array.from([...gaussian.lengthscales, gaussian.amplitude, gaussian.noise], Math.log);
const zero = { kind: 'AT', mean: 0 } as const;
const profiled = { kind: 'PROFILED' } as const;

function numericGradient(f: (x: Float64Array) => number, x: Float64Array): number[] {
  const h = 1e-5;
  return Array.from(x, (_, i) => (f(x.map((v, k) => (k === i ? v + h : v))) - f(x.map((v, k) => (k === i ? v - h : v)))) / (2 * h));
}

const expectClose = (values: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  Array.from(expected).forEach((value, i) => { expect(Math.abs((values[i] ?? NaN) - value)).toBeLessThan(tolerance * Math.max(1, Math.abs(value))); });
};

describe('likelihood', () => {
  it('is scikit-learn\'s, and so is its gradient', () => {
    const gradient = new Float64Array(COLUMNS + 2);
    const value = new Likelihood(points, kinds, scores, zero).negative(parameters, gradient);
    expect(Math.abs(value + gaussian.logLikelihood)).toBeLessThan(1e-8);
    const { lengthscales, amplitude, noise } = gaussian.gradient;
    expectClose(gradient, [...lengthscales, amplitude, noise].map((slope) => -slope), 1e-8);
  });

  it.each([['numeric coordinates', points, kinds], ['a category', mixedPoints, mixedKinds]])('with a profiled mean has the gradient of central differences: %s', (_name, data, these) => {
    const likelihood = new Likelihood(data, these, scores, profiled);
    const gradient = new Float64Array(COLUMNS + 2);
    likelihood.negative(parameters, gradient);
    expectClose(gradient, numericGradient((x) => likelihood.negative(x, new Float64Array(COLUMNS + 2)), parameters), 1e-6);
  });

  it('has a prior whose gradient is that of central differences', () => {
    const gradient = new Float64Array(COLUMNS + 2);
    negativeLogPrior(parameters, gradient);
    expectClose(gradient, numericGradient((x) => negativeLogPrior(x, new Float64Array(COLUMNS + 2)), parameters), 1e-8);
  });
});

describe('posterior', () => {
  const posterior = new Posterior(points, kinds, scores, parameters, 0, zero);

  it('is scikit-learn\'s, one point at a time and many', () => {
    const prediction = emptyPrediction(COLUMNS);
    gaussian.queries.forEach((query, i) => {
      posterior.predict(Float64Array.from(query), prediction);
      expect(Math.abs(prediction.mean - (gaussian.mean[i] ?? NaN))).toBeLessThan(1e-8);
      expect(Math.abs(Math.sqrt(prediction.variance) - (gaussian.deviation[i] ?? NaN))).toBeLessThan(1e-8);
    });
    const seen: number[] = [];
    posterior.predictMany(gaussian.queries.map((query) => Float64Array.from(query)), (i, mean, variance) => {
      seen.push(i);
      expect(Math.abs(mean - (gaussian.mean[i] ?? NaN))).toBeLessThan(1e-8);
      expect(Math.abs(Math.sqrt(variance) - (gaussian.deviation[i] ?? NaN))).toBeLessThan(1e-8);
    });
    expect(seen).toEqual(gaussian.queries.map((_, i) => i));
  });

  it.each([['numeric coordinates', points, kinds], ['a category', mixedPoints, mixedKinds]])('has the gradients of central differences: %s', (_name, data, these) => {
    const about = new Posterior(data, these, scores, parameters);
    const prediction = emptyPrediction(COLUMNS);
    const query = Float64Array.of(0.31, 0.62, 0.47, 1);
    const value = (of: (p: typeof prediction) => number) => (x: Float64Array) => { about.predict(x, prediction); return of(prediction); };
    const slopes = (of: (p: typeof prediction) => number) => numericGradient(value(of), query).map((slope, d) => (these[d] === 'CATEGORICAL' ? 0 : slope));
    const exact = emptyPrediction(COLUMNS);
    about.predictWithGradient(query, exact);
    expectClose(exact.meanGradient, slopes((p) => p.mean), 1e-6);
    expectClose(exact.varianceGradient, slopes((p) => p.variance), 1e-6);
  });

  it('with points appended is that of all points', () => {
    const first = 30;
    const grown = new Posterior(pointsOf(vectors.slice(0, first), COLUMNS), kinds, scores.subarray(0, first), parameters, 10, zero);
    expect(grown.append(vectors.slice(first), [...scores.subarray(first)])).toBe(10);
    const [a, b] = [emptyPrediction(COLUMNS), emptyPrediction(COLUMNS)];
    for (const query of gaussian.queries) {
      grown.predict(Float64Array.from(query), a);
      posterior.predict(Float64Array.from(query), b);
      expect(a.mean).toBeCloseTo(b.mean, 3); // An appended row has a little jitter.
      expect(a.variance).toBeCloseTo(b.variance, 3);
    }
    expect(() => grown.append([Float64Array.of(0, 0, 0, 0)], [0])).toThrow('there is room for 0 points more, not for 1');
  });

  it('survives the same point many times without noise', () => {
    const same = pointsOf(Array.from({ length: 20 }, () => Float64Array.of(0.5, 0.5, 0.5, 0.5)), COLUMNS);
    const flat = new Posterior(same, kinds, new Float64Array(20).fill(2), uniformParameters(COLUMNS, 1, 1, 1e-20), 5);
    flat.append(Array.from({ length: 5 }, () => Float64Array.of(0.5, 0.5, 0.5, 0.5)), [2, 2, 2, 2, 2]);
    const prediction = emptyPrediction(COLUMNS);
    flat.predict(Float64Array.of(0.5, 0.5, 0.5, 0.5), prediction);
    expect(prediction.mean).toBeCloseTo(2, 6);
  });
});

describe('fit', () => {
  const box = parameterBox(COLUMNS);
  const posteriorDensity = (found: LogParameters) => {
    const scratch = new Float64Array(COLUMNS + 2);
    return new Likelihood(points, kinds, scores, profiled).negative(found, scratch) + negativeLogPrior(found, scratch);
  };

  it('is better than what the data were made with, and a warm start from it changes nothing', () => {
    const found = fit({ points, kinds, scores, model: 'ARD', box, share: 1, warmStart: undefined });
    expect(posteriorDensity(found)).toBeLessThan(posteriorDensity(parameters));
    expect(posteriorDensity(fit({ points, kinds, scores, model: 'ARD', box, share: 1, warmStart: found }))).toBeCloseTo(posteriorDensity(found), 1);
  });

  it('has one lengthscale when it is isotropic', () => {
    const found = fit({ points, kinds, scores, model: 'ISOTROPIC', box, share: 1, warmStart: undefined });
    expect(new Set(found.subarray(0, COLUMNS)).size).toBe(1);
    expect(found).toHaveLength(COLUMNS + 2);
  });
});
