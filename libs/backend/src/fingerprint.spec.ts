import fc from 'fast-check';
import { type Fingerprint, compareFingerprints, fingerprintDigest, fingerprintOf, formatDifferences, formatFingerprint } from './fingerprint';

const base: Fingerprint = {
  backend: 'tensorflow', libraryVersion: 'tfjs 4.22.0, tensorflow 2.21.0', instructionSet: 'x64 avx avx2 fma', mathThreads: 1, oneDnn: 'default', mode: 'eager',
};

const anyFingerprint: fc.Arbitrary<Fingerprint> = fc.record({
  backend: fc.constantFrom('tensorflow', 'wasm', 'cpu'),
  libraryVersion: fc.string({ unit: fc.constantFrom('a', ';', '=', '%', ' ', '\n', '3', 'b', 'd') }),
  instructionSet: fc.string({ unit: fc.constantFrom('x', ';', '=', '%', ' ') }),
  mathThreads: fc.integer({ min: 1, max: 64 }),
  oneDnn: fc.constantFrom('on', 'off', 'default', 'none'),
  mode: fc.constantFrom('eager', 'compiled'),
});

describe('numerics fingerprint', () => {
  test('the canonical form is one line that names every field', () => {
    expect(formatFingerprint(base)).toBe(
      'backend=tensorflow; libraryVersion=tfjs 4.22.0, tensorflow 2.21.0; instructionSet=x64 avx avx2 fma; mathThreads=1; oneDnn=default; mode=eager');
  });

  // Written by: printf %s '<the line above>' | sha256sum
  test('the digest is SHA-256 of the canonical form', () => {
    expect(fingerprintDigest(base)).toBe('f9e7a2d30ed29c6e71f3c620aa9b504bcc2e8b8d9455b1a4a461a80b343525af');
  });

  test('canonical forms and digests are equal exactly when every field is', () => {
    fc.assert(fc.property(anyFingerprint, anyFingerprint, (left, right) => {
      const equal = compareFingerprints(left, right).kind === 'equal';
      expect(formatFingerprint(left) === formatFingerprint(right)).toBe(equal);
      expect(fingerprintDigest(left) === fingerprintDigest(right)).toBe(equal);
      expect(formatFingerprint(left)).not.toContain('\n');
      expect(compareFingerprints(left, { ...left })).toEqual({ kind: 'equal' });
    }));
  });

  test.each([
    ['backend', { backend: 'wasm' }, 'backend (tensorflow against wasm)'],
    ['libraryVersion', { libraryVersion: 'tfjs 4.22.0, tensorflow 2.9.1' }, 'libraryVersion (tfjs 4.22.0, tensorflow 2.21.0 against tfjs 4.22.0, tensorflow 2.9.1)'],
    ['instructionSet', { instructionSet: 'x64 avx' }, 'instructionSet (x64 avx avx2 fma against x64 avx)'],
    ['oneDnn', { oneDnn: 'off' }, 'oneDnn (default against off)'],
    ['mathThreads and mode', { mathThreads: 4, mode: 'compiled' }, 'mathThreads (1 against 4), mode (eager against compiled)'],
  ] as const)('a difference in %s is named with both values', (_field, change, text) => {
    const comparison = compareFingerprints(base, { ...base, ...change });
    expect(comparison.kind === 'different' ? formatDifferences(comparison.fields) : 'equal').toBe(text);
  });

  test.each([
    ['tensorflow', {}, 'default'],
    ['tensorflow', { TF_ENABLE_ONEDNN_OPTS: '0' }, 'off'],
    ['tensorflow', { TF_ENABLE_ONEDNN_OPTS: '1' }, 'on'],
    ['tensorflow', { ONEDNN_MAX_CPU_ISA: 'AVX2' }, 'default up to AVX2'],
    ['tensorflow', { TF_ENABLE_ONEDNN_OPTS: '1', DNNL_MAX_CPU_ISA: 'AVX2' }, 'on up to AVX2'],
    ['wasm', { TF_ENABLE_ONEDNN_OPTS: '1' }, 'none'],
  ] as const)('oneDNN on %s with %j is %s', (name, env, oneDnn) => {
    const selected = { name, libraryVersion: 'tfjs 4.22.0', mathThreads: 1, instructionSet: 'x64 avx' };
    expect(fingerprintOf(selected, 'eager', env).oneDnn).toBe(oneDnn);
  });
});
