import fc from 'fast-check';
import { containsRange, evenPart, rangeLength } from './range';

test.each([
  [10, 3, [[0, 3], [3, 6], [6, 10]]],
  [4, 4, [[0, 1], [1, 2], [2, 3], [3, 4]]],
  [2, 3, [[0, 0], [0, 1], [1, 2]]],
  [0, 2, [[0, 0], [0, 0]]],
])('%i in %i parts', (total, parts, expected) => {
  expect(expected.map((_, i) => evenPart(total, parts, i))).toEqual(expected.map(([from, to]) => ({ from, to })));
});

test('parts follow each other, cover everything, and differ by at most one', () => {
  fc.assert(fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 300 }), (total, parts) => {
    const cut = Array.from({ length: parts }, (_, i) => evenPart(total, parts, i));
    expect(cut[0]?.from).toBe(0);
    expect(cut[parts - 1]?.to).toBe(total);
    cut.slice(1).forEach((part, i) => expect(part.from).toBe(cut[i]?.to));
    const lengths = cut.map(rangeLength);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
  }));
});

test.each([[-1], [3], [0.5], [Number.NaN]])('part %p of 3 does not exist', (index) => {
  expect(() => evenPart(9, 3, index)).toThrow(RangeError);
});

test.each([
  [{ from: 2, to: 4 }, true],
  [{ from: 0, to: 8 }, true],
  [{ from: 7, to: 9 }, false],
  [{ from: -1, to: 2 }, false],
])('[0, 8) contains %j: %p', (inner, expected) => {
  expect(containsRange({ from: 0, to: 8 }, inner)).toBe(expected);
});
