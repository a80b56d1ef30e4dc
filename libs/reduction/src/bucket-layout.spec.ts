import fc from 'fast-check';
import { layoutBuckets } from './bucket-layout';

const parts = (...lengths: number[]) => lengths.map((length, i) => ({ name: `p${i}`, length }));

test.each([
  ['small parts share a bucket, aligned to two elements', [3, 2, 1], 64, [7], [[0, 0], [0, 4], [0, 6]]],
  ['a full bucket is closed', [10, 6, 1], 64, [16, 1], [[0, 0], [0, 10], [1, 0]]],
  ['a part larger than a bucket has its own', [2, 40, 2], 64, [2, 40, 2], [[0, 0], [1, 0], [2, 0]]],
  ['a part without elements lies somewhere', [0, 4], 64, [4], [[0, 0], [0, 0]]],
  ['no parts, no buckets', [], 64, [], []],
])('%s', (_title, lengths, bucketBytes, expectedLengths, expectedPlaces) => {
  const layout = layoutBuckets(parts(...lengths), bucketBytes);
  expect(layout.lengths).toEqual(expectedLengths);
  expect(layout.parts.map((part) => [part.bucket, part.offset])).toEqual(expectedPlaces);
});

test('parts do not overlap, are aligned to 8 bytes, stay in order, and fill no bucket past its size unless alone', () => {
  fc.assert(fc.property(fc.array(fc.nat(50), { maxLength: 40 }), fc.integer({ min: 4, max: 400 }), (lengths, bucketBytes) => {
    const layout = layoutBuckets(parts(...lengths), bucketBytes);
    let [bucket, end] = [0, 0];
    for (const part of layout.parts) {
      expect(part.offset % 2).toBe(0);
      if (part.bucket === bucket) expect(part.offset).toBeGreaterThanOrEqual(end);
      else expect([part.bucket, part.offset]).toEqual([bucket + 1, 0]);
      [bucket, end] = [part.bucket, part.offset + part.length];
      expect(end).toBeLessThanOrEqual(layout.lengths[bucket] ?? -1);
    }
    layout.lengths.forEach((length, i) => {
      const inside = layout.parts.filter((part) => part.bucket === i && part.length > 0);
      if (inside.length > 1) expect(length * 4).toBeLessThanOrEqual(bucketBytes);
    });
  }));
});

test.each([
  [parts(1), 3, 'holds no element'],
  [parts(1), Number.NaN, 'holds no element'],
  [parts(-1), 64, '-1 elements'],
  [parts(1.5), 64, '1.5 elements'],
  [[{ name: 'a', length: 1 }, { name: 'a', length: 2 }], 64, 'two parts are called a'],
])('%j in buckets of %p bytes: %s', (list, bucketBytes, message) => {
  expect(() => layoutBuckets(list, bucketBytes)).toThrow(message);
});
