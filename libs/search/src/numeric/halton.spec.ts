import { haltonPoint } from './halton';

const points = (count: number, dimensions: number, seed: number) => Array.from({ length: count }, (_, i) => haltonPoint(i, dimensions, seed));

describe('haltonPoint', () => {
  it('is determined by index and seed', () => {
    expect(haltonPoint(5, 3, 1)).toEqual(haltonPoint(5, 3, 1));
    expect(haltonPoint(5, 3, 1)).not.toEqual(haltonPoint(5, 3, 2));
  });

  it.each([[0, 2], [1, 3], [2, 5], [3, 7]])('puts one of the first b^2 points into each b^2-th of dimension %p (b = %p)', (dimension, base) => {
    const cells = points(base ** 2, 4, 9).map((point) => Math.floor((point[dimension] ?? NaN) * base ** 2));
    expect(new Set(cells).size).toBe(base ** 2);
  });

  it('covers the square more evenly than random points do', () => {
    // The mean of x * y over the unit square is 1/4; the standard error of 256 random points is 0.014.
    const mean = points(256, 2, 4).reduce((sum, [x = 0, y = 0]) => sum + x * y, 0) / 256;
    expect(Math.abs(mean - 0.25)).toBeLessThan(0.003);
  });

  it('stays below 1 in a thousand dimensions', () => {
    for (const point of points(3, 1000, 2)) expect(point.every((x) => x >= 0 && x < 1)).toBe(true);
  });
});
