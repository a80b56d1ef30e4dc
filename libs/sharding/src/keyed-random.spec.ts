import * as fc from 'fast-check';
import { Xoshiro128 } from './keyed-random';

test('draws what the authors\' C program draws (xoshiro128starstar.c, state 1 2 3 4)', () => {
  const random = new Xoshiro128([1, 2, 3, 4]);
  expect(Array.from({ length: 10 }, () => random.next())).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
});

test('refuses the state that it could not leave', () => {
  expect(() => new Xoshiro128([0, 0, 0, 0])).toThrow(RangeError);
});

test.each<[string, readonly (string | number)[], readonly (string | number)[]]>([
  ['number and text', [1, 'a'], ['1', 'a']],
  ['where one part ends', ['ab', 'c'], ['a', 'bc']],
  ['seed', ['order', 1, 0], ['order', 2, 0]],
])('keys that differ in %s give other draws', (_what, a, b) => {
  const draws = (key: readonly (string | number)[]) => Array.from({ length: 4 }, ((random) => () => random.next())(Xoshiro128.of(key)));
  expect(draws(a)).not.toEqual(draws(b));
  expect(draws(a)).toEqual(draws(a));
});

test('a permutation holds every number once', () => {
  fc.assert(fc.property(fc.nat(200), fc.integer(), (length, seed) => {
    const order = Xoshiro128.of([seed]).permutation(length);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  }));
});

test('draws below a limit are uniform (chi-square over 7 values, 14,000 draws)', () => {
  const random = Xoshiro128.of(['uniform']);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 14_000; i++) {
    const draw = random.below(7);
    counts[draw] = (counts[draw] ?? 0) + 1;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
  expect(chiSquare).toBeLessThan(22.46); // 6 degrees of freedom, p = 0.001; the draws are fixed
  expect(chiSquare).toBeGreaterThan(0);
});

test.each([0, -1, 1.5, 2 ** 32 + 1])('no draw below %s', (limit) => {
  expect(() => Xoshiro128.of(['x']).below(limit)).toThrow(RangeError);
});
