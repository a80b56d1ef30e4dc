import { readGolden } from '../numeric/testing/golden';
import { confidenceBound, improvement, logExpectedImprovement } from './criterion';

const { normal } = readGolden();

describe('log expected improvement', () => {
  it.each(normal.logExpectedImprovement)('is mpmath\'s at z = %p', (z, expected) => {
    const { deviation } = normal;
    expect(Math.abs(improvement(0, deviation, z * deviation).logValue - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)));
  });

  it.each([3, 0.5, 0, -0.5, -2, -10, -50])('has the derivatives of central differences at z = %p', (z) => {
    const h = 1e-5;
    const at = (mean: number, deviation: number) => improvement(mean, deviation, 0).logValue;
    const found = improvement(-z, 1, 0);
    expect(found.byMean).toBeCloseTo((at(-z + h, 1) - at(-z - h, 1)) / (2 * h), 3);
    expect(found.byDeviation / ((at(-z, 1 + h) - at(-z, 1 - h)) / (2 * h))).toBeCloseTo(1, 5);
  });

  it('prefers a lower mean, and at the same mean the larger deviation', () => {
    const judge = (mean: number, deviation: number) => logExpectedImprovement(0).evaluate(Float64Array.of(mean), Float64Array.of(deviation), new Float64Array(1), new Float64Array(1));
    expect(judge(-1, 0.1)).toBeGreaterThan(judge(1, 0.1));
    expect(judge(1, 1)).toBeGreaterThan(judge(1, 0.1));
  });
});

describe('confidence bound', () => {
  it('is beta deviations below the mean, negated', () => {
    expect(confidenceBound(2.6).evaluate(Float64Array.of(1), Float64Array.of(0.5), new Float64Array(1), new Float64Array(1))).toBeCloseTo(0.3, 12);
  });
});
