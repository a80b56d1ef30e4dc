import fc from 'fast-check';
import { naturalLogarithm, power } from './exact-power';

describe('exact power', () => {
  test.each([[10, 3, 1000], [2, 0, 1], [1, 0.5, 1], [4, 0.5, 2], [2, 1023, 2 ** 1023], [1e300, 1, 1e300], [10, 22, 1e22]])('%d ^ %d is %d', (base, exponent, expected) => {
    expect(power(base, exponent)).toBe(expected);
  });

  test('is within a last bit of Math.pow, and the logarithm of Math.log', () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 1e300, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (base, exponent) => {
      const exact = power(base, exponent);
      expect(Math.abs(exact - Math.pow(base, exponent))).toBeLessThanOrEqual(exact * 2 ** -51);
      expect(Math.abs(naturalLogarithm(base) - Math.log(base))).toBeLessThanOrEqual(Math.log(base) * 2 ** -51);
    }));
  });

  test('a square root to the power 2 is correctly rounded', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 94_906_265 }), (n) => { expect(power(n * n, 0.5)).toBe(n); }));
  });
});
