import { readGolden } from '../numeric/testing/golden';
import { halfRank, standardize, warpScores, yeoJohnson } from './output-warp';

const { warp } = readGolden();

describe('Yeo and Johnson\'s transformation', () => {
  it('is SciPy\'s', () => {
    const { values, exponent } = yeoJohnson(Float64Array.from(warp.values));
    expect(exponent).toBeCloseTo(warp.exponent, 5);
    values.forEach((value, i) => { expect(value).toBeCloseTo(warp.warped[i] ?? NaN, 5); });
  });
});

describe('half-rank', () => {
  it('keeps the good half, up to a factor, and the order of all', () => {
    const scores = [5, 1, 4, 1000, 2, 3, 1e9];
    const warped = halfRank(scores);
    const order = (values: ArrayLike<number>) => Array.from(scores.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
    expect(order(warped)).toEqual(order(scores));
    const [at5 = 0, at1 = 0, at4 = 0, , at2 = 0, at3 = 0, worst = 0] = warped;
    expect((at4 - at1) / (at3 - at2)).toBeCloseTo(3, 6);
    expect((worst - at4) / (at4 - at1)).toBeLessThan(2);
    expect(at5).toBeGreaterThan(at4);
  });
});

describe('warpScores', () => {
  it.each([
    ['one score', [3]], ['equal scores', [2, 2, 2]], ['huge scores', [1e308, -1e308, 0, 1e308]], ['tiny scores', [5e-324, 1e-320, 0]],
    ['an outlier', [1, 1.1, 1.2, 1e300]], ['more bad than good', [0, 1, 1, 1, 1]],
  ])('stays finite and in order: %s', (_name, scores) => {
    const warped = warpScores(scores);
    expect(warped.every(Number.isFinite)).toBe(true);
    scores.forEach((a, i) => { scores.forEach((b, j) => { if (a < b) expect(warped[i]).toBeLessThanOrEqual(warped[j] ?? NaN); }); });
  });

  it('depends neither on the scale nor on the origin of scores', () => {
    const scores = [3, 1, 4, 1, 5, 9, 2, 6];
    const moved = warpScores(scores.map((score) => 1e4 * score - 7e3));
    warpScores(scores).forEach((value, i) => { expect(moved[i]).toBeCloseTo(value, 6); });
  });

  it('standardises to mean 0 and variance 1', () => {
    const values = standardize(Float64Array.of(1, 2, 3, 4));
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
    expect(values.reduce((sum, value) => sum + value * value, 0) / 4).toBeCloseTo(1, 12);
  });
});
