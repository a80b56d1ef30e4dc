import fc from 'fast-check';
import { checkDigest, decodeJobState, digestOf, encodeJobState } from './job-state-file';

const state = (bytes: Uint8Array) => ({ bytes, digest: digestOf(bytes) });
const file = encodeJobState({ steps: 2 ** 40 + 3, state: state(Buffer.from('a state')) });

test('whatever is written comes back, from a buffer within another too', () => {
  fc.assert(fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.uint8Array(), fc.nat(9), (steps, bytes, offset) => {
    const { bytes: written, digest } = encodeJobState({ steps, state: state(bytes) });
    const within = new Uint8Array(written.length + offset);
    within.set(written, offset);
    const read = decodeJobState({ bytes: within.subarray(offset), digest });
    expect([read.steps, Buffer.from(read.state.bytes), read.state.digest]).toEqual([steps, Buffer.from(bytes), digestOf(bytes)]);
  }));
});

test('the digest is SHA-256, as others compute it', () => {
  // sha256sum of "abc", FIPS 180-4
  expect(digestOf(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('one flipped bit anywhere is refused', () => {
  for (let bit = 0; bit < file.bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(file.bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => decodeJobState({ bytes: damaged, digest: file.digest })).toThrow(expect.objectContaining({ reason: 'DIGEST_MISMATCH' }));
  }
});

test.each([
  ['an end that is missing', { bytes: file.bytes.subarray(0, -1), digest: file.digest }, 'DIGEST_MISMATCH'],
  ['the digest of another state', { bytes: file.bytes, digest: digestOf(Buffer.from('x')) }, 'DIGEST_MISMATCH'],
  ['less than its header', state(Buffer.from('1234567')), 'CORRUPT'],
])('%s is refused', (_what, damaged, reason) => {
  expect(() => decodeJobState(damaged)).toThrow(expect.objectContaining({ reason }));
});

test('checkDigest names both digests', () => {
  expect(() => checkDigest(file.bytes, 'other')).toThrow(new RegExp(`digest ${file.digest}, its sender said other`));
  expect(() => checkDigest(file.bytes, file.digest)).not.toThrow();
});
