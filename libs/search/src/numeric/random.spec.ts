import { randomOf } from './random';

describe('randomOf', () => {
  it.each([[[1, 2], [2, 1]], [[1], [1, 0]], [[2 ** 32], [0]], [[2 ** 33], [2 ** 34]], [[7, 3], [7, 4]]])('streams of %p and %p differ', (a, b) => {
    expect(randomOf(...a).uniform()).not.toBe(randomOf(...b).uniform());
  });

  it('gives standard normal numbers', () => {
    const random = randomOf(3);
    const draws = Array.from({ length: 20_000 }, () => random.normal());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(draws.reduce((sum, x) => sum + x * x, 0) / draws.length).toBeCloseTo(1, 1);
  });

  it('gives every integer below the bound', () => {
    const random = randomOf(8);
    expect(new Set(Array.from({ length: 200 }, () => random.below(5)))).toEqual(new Set([0, 1, 2, 3, 4]));
  });
});
