import { manifestDigest } from '@lockstep/versions';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cutFiles } from './cut-files';
import { fileOfBytes } from './file-source';

/** What Python computed from the description of the format: libs/versions/golden/golden.py. */
interface Golden {
  readonly manifests: readonly { readonly title: string; readonly files: readonly { readonly path: string; readonly mode: 0o644 | 0o755; readonly blobs: readonly string[] }[]; readonly digest: string }[];
  readonly cuts: readonly { readonly seed: string; readonly sizeBytes: number; readonly lengths: readonly number[] }[];
}
const golden = JSON.parse(fs.readFileSync(path.join(__dirname, '../../../versions/golden/golden.json'), 'utf8')) as Golden;
const ignore = (): void => undefined;

test.each(golden.manifests.filter((m) => m.files.every((f) => f.blobs.length <= 1)).map((m) => [m.title, m] as const))('%s: files have the digest that Python computes', async (_, { files, digest }) => {
  const { manifest } = await cutFiles(files.map((f) => fileOfBytes(f.path, Buffer.from(f.blobs.join('')), f.mode)), ignore);
  expect(manifestDigest(manifest)).toBe(digest);
});

test.each(golden.cuts.map((c) => [c.seed, c] as const))('%s: a file is cut where Python cuts it, and its blobs lie where they are said to', async (seed, { sizeBytes, lengths }) => {
  const bytes = createHash('shake128', { outputLength: sizeBytes }).update(seed).digest();
  let hashed = 0;
  const { manifest, locations } = await cutFiles([fileOfBytes('f', bytes)], (n) => { hashed += n; });
  expect(manifest.entries[0]?.blobs.map((b) => b.sizeBytes)).toEqual(lengths);
  expect(hashed).toBe(sizeBytes);
  for (const { blob, offset } of locations.values()) {
    expect(createHash('sha256').update(bytes.subarray(offset, offset + blob.sizeBytes)).digest('hex')).toBe(blob.sha256);
  }
});

test('a blob that is there twice is located once', async () => {
  const { locations } = await cutFiles([fileOfBytes('a', Buffer.from('x')), fileOfBytes('b', Buffer.from('x'))], ignore);
  expect(locations.size).toBe(1);
});

test('files that cannot be a version are refused with what is wrong', async () => {
  await expect(cutFiles([fileOfBytes('../a', Buffer.from('x')), fileOfBytes('b/', Buffer.from('x'))], ignore)).rejects.toMatchObject({ reason: 'INVALID_FILES', message: expect.stringMatching(/files\[0\].*files\[1\]/) });
});
