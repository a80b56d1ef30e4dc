import fc from 'fast-check';
import { randomStream } from './random-stream';
import { xoshiro128 } from './xoshiro';

test('xoshiro128** gives the numbers of its reference implementation in C for the state 1, 2, 3, 4', () => {
  const next = xoshiro128([1, 2, 3, 4]);
  const drawn = Array.from({ length: 10 }, next);
  // xoshiro128starstar.c by its authors, as rand_xoshiro (Rust) tests against it.
  expect(drawn).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
});

const draws = (key: (string | number)[], count: number): number[] => Array.from({ length: count }, randomStream(key));

test('a stream depends on its key alone, and lies in [0, 1)', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.integer())), (key) => {
      const drawn = draws(key, 20);
      expect(draws(key, 20)).toEqual(drawn);
      expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
    }),
  );
});

test('keys that differ give other streams', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.integer())), fc.array(fc.oneof(fc.string(), fc.integer())), (left, right) => {
      fc.pre(JSON.stringify(left) !== JSON.stringify(right));
      expect(draws(left, 4)).not.toEqual(draws(right, 4));
    }),
  );
});

test('the mean and spread of many draws are those of uniform numbers', () => {
  const drawn = draws(['uniform'], 100_000);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  expect(mean).toBeCloseTo(0.5, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
});
