import fc from 'fast-check';
import {
  buildManifest, comparePaths, decodeManifest, encodeManifest, manifestBlobs, manifestDigest, manifestSizeBytes, MAX_MANIFEST_ENTRIES,
  sha256Of, VersionsError, type Manifest, type ProposedEntry,
} from './index';
import { golden } from './testing/golden';

const blob = (text: string) => ({ sha256: sha256Of(text), sizeBytes: Buffer.byteLength(text) });
const file = (path: string, ...texts: string[]): ProposedEntry => {
  const blobs = texts.map(blob);
  return { path, mode: 0o644, sizeBytes: blobs.reduce((n, b) => n + b.sizeBytes, 0), blobs };
};
const valid = (entries: readonly ProposedEntry[]): Manifest => {
  const result = buildManifest(entries);
  if (result.kind === 'INVALID') throw new Error(JSON.stringify(result.violations));
  return result.manifest;
};
const fields = (entries: readonly ProposedEntry[]): readonly string[] => {
  const result = buildManifest(entries);
  return result.kind === 'INVALID' ? result.violations.map((v) => v.field) : [];
};

test.each(golden.manifests.map((m) => [m.title, m] as const))('%s: the digest is the one that Python computes', (_, { files, digest }) => {
  const entries = files.map(({ path, mode, blobs }) => ({ ...file(path, ...blobs), mode }));
  expect(manifestDigest(valid(entries))).toBe(digest);
  expect(manifestDigest(valid([...entries].reverse()))).toBe(digest);
});

test.each<readonly [string, readonly ProposedEntry[], readonly string[]]>([
  ['no file', [], ['entries']],
  ['a path that leaves', [file('../x', 'a')], ['entries[0].path']],
  ['a mode with more bits', [{ ...file('x', 'a'), mode: 0o777 }], ['entries[0].mode']],
  ['a size that the blobs do not have', [{ ...file('x', 'a'), sizeBytes: 2 }], ['entries[0].size_bytes']],
  ['an empty blob', [{ ...file('x'), blobs: [{ sha256: sha256Of(''), sizeBytes: 0 }] }], ['entries[0].blobs[0].size_bytes']],
  ['a digest in upper case', [{ ...file('x', 'a'), blobs: [{ sha256: sha256Of('a').toUpperCase(), sizeBytes: 1 }] }], ['entries[0].blobs[0].sha256']],
  ['a path twice', [file('x', 'a'), file('x', 'b')], ['entries']],
  ['a file that is a folder too', [file('x/y/z', 'a'), file('x/y', 'b'), file('x/y-', 'c')], ['entries']],
  ['several faults at once', [file('/x', 'a'), file('ok', 'b'), { ...file('..', 'c'), mode: 1 }], ['entries[0].path', 'entries[2].path', 'entries[2].mode']],
])('%s is refused by field', (_, entries, expected) => {
  expect(fields(entries)).toEqual(expected);
});

test('thousands of faults fit in one answer', () => {
  expect(fields(Array.from({ length: 5000 }, () => file('/x', 'a'))).length).toBeLessThanOrEqual(26);
});

test('too many files are refused', () => {
  expect(fields(Array.from({ length: MAX_MANIFEST_ENTRIES + 1 }, (_, i) => file(`f${i}`)))).toEqual(['entries']);
});

test('blobs are named once, sizes add up', () => {
  const manifest = valid([file('a', 'x', 'yy'), file('b', 'yy')]);
  expect(manifestBlobs(manifest)).toEqual([blob('x'), blob('yy')]);
  expect(manifestSizeBytes(manifest)).toBe(5);
});

const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .map((s) => s.normalize('NFC').replace(/[\p{Cc}\p{Surrogate}/\\:]/gu, '_'))
  .filter((s) => s !== '.' && s !== '..' && s.normalize('NFC') === s);
const entryArb = fc.record({
  path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')).filter((p) => p.normalize('NFC') === p),
  texts: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
  mode: fc.constantFrom(0o644, 0o755),
}).map(({ path, texts, mode }) => ({ ...file(path, ...texts), mode }));
const entriesArb = fc.uniqueArray(entryArb, { minLength: 1, maxLength: 12, selector: (e) => e.path })
  .filter((entries) => !entries.some((a) => entries.some((b) => b.path.startsWith(`${a.path}/`))));

test('canonical bytes decode to the manifest, whatever the order given', () => {
  fc.assert(fc.property(entriesArb, fc.infiniteStream(fc.nat()), (entries, order) => {
    const manifest = valid(entries);
    const keys = new Map(entries.map((e) => [e.path, order.next().value]));
    const shuffled = valid([...entries].sort((a, b) => (keys.get(a.path) ?? 0) - (keys.get(b.path) ?? 0)));
    const bytes = encodeManifest(manifest);
    expect(encodeManifest(shuffled)).toEqual(bytes);
    expect(decodeManifest(bytes)).toEqual(manifest);
    expect(manifest.entries.map((e) => e.path)).toEqual(entries.map((e) => e.path).sort(comparePaths));
  }));
});

test.each(['\u2028', 'a\u2029b', '\ufeffbom', ' ', '  two  ', '0644 0 0 x', '\u{1f600}'])('a file named %j survives its manifest', (name) => {
  const manifest = valid([file(name, 'x'), file('other')]);
  expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
});

test('a changed byte changes the digest or is refused', () => {
  fc.assert(fc.property(entriesArb, fc.nat(), fc.integer({ min: 1, max: 255 }), (entries, at, flip) => {
    const bytes = Uint8Array.from(encodeManifest(valid(entries)));
    const i = at % bytes.length;
    bytes[i] = (bytes[i] ?? 0) ^ flip;
    let decoded: Manifest | undefined;
    try {
      decoded = decodeManifest(bytes);
    } catch (e) {
      expect(e).toBeInstanceOf(VersionsError);
    }
    if (decoded) expect(manifestDigest(decoded)).not.toBe(manifestDigest(valid(entries)));
  }));
});

test.each([
  ['another header', 'lockstep manifest 2\n0644 0 0 x\n'],
  ['no end of line', 'lockstep manifest 1\n0644 0 0 x'],
  ['leading zeros', 'lockstep manifest 1\n0644 00 0 x\n'],
  ['wrong order', 'lockstep manifest 1\n0644 0 0 b\n0644 0 0 a\n'],
  ['a missing blob', 'lockstep manifest 1\n0644 1 1 a\n'],
  ['nothing', ''],
])('bytes with %s are no manifest', (_, text) => {
  expect(() => decodeManifest(Buffer.from(text))).toThrow(expect.objectContaining({ reason: 'MALFORMED_MANIFEST' }));
});
