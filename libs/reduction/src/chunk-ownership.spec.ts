import fc from 'fast-check';
import { chunkCount, chunkRange, splitBucket } from './chunk-ownership';
import { rangeLength } from './range';

const ONE_SHOT_BYTES = 65_536;

test.each([
  [16_384, 2, 3, 'ONE_SHOT', [[0, 16_384], [0, 16_384]]],
  [16_385, 2, 3, 'SCATTER_GATHER', [[0, 8_208], [8_208, 16_385]]],
  [16_385, 2, 2, 'ONE_SHOT', [[0, 16_385], [0, 16_385]]],
  [1_000_000, 1, 1, 'ONE_SHOT', [[0, 1_000_000]]],
  [0, 3, 3, 'ONE_SHOT', [[0, 0], [0, 0], [0, 0]]],
])('%i elements over %i members with %i roots: %s', (length, worldSize, slots, mode, owned) => {
  expect(splitBucket(length, worldSize, slots, ONE_SHOT_BYTES)).toEqual({ mode, owned: owned.map(([from, to]) => ({ from, to })) });
});

test('members that outnumber the aligned pieces own nothing', () => {
  const { owned } = splitBucket(20, 4, 4, 0);
  expect(owned.map(rangeLength)).toEqual([16, 4, 0, 0]);
});

test('owned parts cut the bucket at 64-byte boundaries', () => {
  fc.assert(fc.property(fc.nat(5_000_000), fc.integer({ min: 2, max: 40 }), (length, worldSize) => {
    const { owned } = splitBucket(length, worldSize, worldSize + 1, 0);
    if (length === 0) return;
    expect(owned[0]?.from).toBe(0);
    expect(owned[worldSize - 1]?.to).toBe(length);
    owned.slice(1).forEach((range, i) => {
      expect(range.from).toBe(owned[i]?.to);
      if (rangeLength(range) > 0) expect((range.from * 4) % 64).toBe(0);
    });
  }));
});

test('chunks cut a range; an empty range is one empty chunk', () => {
  fc.assert(fc.property(fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 3_000 }), (from, length, chunkLength) => {
    const range = { from, to: from + length };
    const chunks = Array.from({ length: chunkCount(range, chunkLength) }, (_, i) => chunkRange(range, chunkLength, i));
    expect(chunks.reduce((sum, chunk) => sum + rangeLength(chunk), 0)).toBe(length);
    chunks.forEach((chunk, i) => {
      expect(chunk.from).toBe(i === 0 ? from : chunks[i - 1]?.to);
      if (i < chunks.length - 1) expect(rangeLength(chunk)).toBe(chunkLength);
    });
  }));
});
