import * as fc from 'fast-check';
import { iterationOf, passOf } from './pass-numbers';
import { MAX_TALLIES, readTally, TALLY_LANES, writeTally } from './tally-lanes';
import { mergeTallies, type TallySummary } from './visit-tally';

const tallyArbitrary: fc.Arbitrary<TallySummary> = fc.record({ records: fc.nat(2 ** 31 - 1), sum: fc.bigInt(0n, 2n ** 64n - 1n) });

const lanesOf = (tally: TallySummary): Float32Array => {
  const lanes = new Float32Array(TALLY_LANES);
  writeTally(tally, lanes);
  return lanes;
};

/** As an all-reduce adds: in float32, in some tree. */
const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + (b[i] ?? NaN));

test('lanes that are added up in float32, in any tree, are the merged tally', () => {
  fc.assert(fc.property(fc.array(tallyArbitrary, { minLength: 1, maxLength: 60 }), fc.array(fc.nat()), (tallies, cuts) => {
    const nodes = tallies.map(lanesOf);
    for (let i = 0; nodes.length > 1; i++) {
      const at = (cuts[i] ?? 0) % (nodes.length - 1);
      const [left, right] = nodes.slice(at, at + 2);
      if (left && right) nodes.splice(at, 2, add(left, right));
    }
    expect(readTally(nodes[0] ?? [])).toEqual(mergeTallies(tallies));
  }));
});

test('as many tallies as may be added up, each lane full: nothing is rounded', () => {
  const full: TallySummary = { records: 2 ** 32 - 1, sum: 2n ** 64n - 1n };
  let sum = lanesOf(full);
  // Doubling is the same sum as one after the other, where nothing is rounded.
  for (let n = 1; n < MAX_TALLIES; n *= 2) sum = add(sum, sum);
  expect(readTally(sum)).toEqual({ records: full.records * MAX_TALLIES, sum: BigInt.asUintN(64, full.sum * BigInt(MAX_TALLIES)) });
  expect(() => readTally(add(sum, lanesOf(full)))).toThrow(/lane/);
});

test.each<[string, number[]]>([
  ['a fraction', [0.5]], ['a negative number', [-1]], ['NaN', [NaN]], ['more than can be added up', [255 * MAX_TALLIES + 1]],
])('%s is no sum of tallies', (_what, [first = 0]) => {
  expect(() => readTally([first, ...new Array<number>(TALLY_LANES - 1).fill(0)])).toThrow(expect.objectContaining({ reason: 'BAD_ARGUMENT' }));
});

test('too few lanes, and a count that does not fit, are refused', () => {
  expect(() => readTally([1, 2])).toThrow(/lane 11 of a tally is undefined/);
  expect(() => writeTally({ records: 2 ** 32, sum: 0n }, new Float32Array(TALLY_LANES))).toThrow(/does not fit/);
  expect(() => writeTally({ records: 1, sum: 0n }, new Float32Array(1))).toThrow(/does not fit/);
});

test('the passes of a job have numbers of their own, also in its last call', () => {
  const numbers = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [99_999, 2 ** 20 - 1, 2 ** 16 - 1]].map(([call = 0, epoch = 0, pass = 0]) => passOf(iterationOf(call, epoch), pass));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every(Number.isSafeInteger)).toBe(true);
});
