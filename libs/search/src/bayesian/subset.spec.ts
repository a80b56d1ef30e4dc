import { representative } from './subset';

const points = Array.from({ length: 1000 }, (_, i) => Float64Array.of(i / 1000));
const scores = Float64Array.from(points, ([x = 0]) => (x - 0.3) ** 2);

describe('representative', () => {
  it('keeps all points while they are few', () => {
    expect(representative(points.slice(0, 5), scores.subarray(0, 5), ['NUMERIC'], 5)).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps the best, the most recent and some of all times, no more than it may', () => {
    const chosen = representative(points, scores, ['NUMERIC'], 40);
    expect(chosen).toHaveLength(40);
    expect(new Set(chosen).size).toBe(40);
    expect(chosen).toEqual(expect.arrayContaining([300, 299, 301, 999, 998, 990]));
    expect(chosen.filter((index) => index < 250).length).toBeGreaterThan(1);
    expect(chosen.filter((index) => index > 400 && index < 980).length).toBeGreaterThan(3);
  });
});
