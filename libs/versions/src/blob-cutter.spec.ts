import { createHash } from 'node:crypto';
import { golden } from './testing/golden';
import { MAX_BLOB_BYTES, MIN_BLOB_BYTES, nextBlobLength } from './index';

/** The bytes that golden.py cuts. */
const noise = (seed: string, sizeBytes: number): Uint8Array => createHash('shake128', { outputLength: sizeBytes }).update(seed).digest();

function cut(file: Uint8Array): readonly number[] {
  const lengths: number[] = [];
  for (let at = 0; at < file.length; at += lengths.at(-1) ?? 0) {
    lengths.push(nextBlobLength(file.subarray(at, at + MAX_BLOB_BYTES), file.length <= MAX_BLOB_BYTES));
  }
  return lengths;
}

test.each(golden.cuts.map((c) => [c.seed, c] as const))('%s: cuts where the Python implementation cuts', (seed, { sizeBytes, lengths }) => {
  expect(cut(noise(seed, sizeBytes))).toEqual(lengths);
});

test('a change in the middle leaves the blobs before it and those after the next cuts', () => {
  const file = noise('model', 24 << 20);
  const blobsOf = (bytes: Uint8Array): readonly string[] => {
    let at = 0;
    return cut(bytes).map((length) => createHash('sha256').update(bytes.subarray(at, at += length)).digest('hex'));
  };
  const edited = Buffer.concat([file.subarray(0, 12 << 20), Buffer.from('an insertion shifts everything behind it'), file.subarray(12 << 20)]);
  const before = blobsOf(file);
  const after = new Set(blobsOf(edited));
  const changed = before.filter((b) => !after.has(b));
  expect(changed.length).toBeGreaterThanOrEqual(1);
  expect(changed.length).toBeLessThanOrEqual(2);
});

test.each(['zeros', 'ones'])('%s are cut within the bounds', (what) => {
  const lengths = cut(new Uint8Array(11 << 20).fill(what === 'ones' ? 1 : 0));
  expect(lengths.reduce((a, b) => a + b, 0)).toBe(11 << 20);
  for (const length of lengths.slice(0, -1)) {
    expect(length).toBeGreaterThanOrEqual(MIN_BLOB_BYTES);
    expect(length).toBeLessThanOrEqual(MAX_BLOB_BYTES);
  }
});
