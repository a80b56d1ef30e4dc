/**
 * A manifest's canonical bytes: UTF-8 text, every line ended by "\n", that a shell script can write and check.
 *
 *   lockstep manifest 1
 *   <mode, 4 octal digits> <size> <number of blobs> <path>      for each entry, sorted by the bytes of the path
 *   <sha256> <size>                                             for each of its blobs, in order
 *
 * Paths have no control characters, so a line is a line. Numbers are decimal without leading zeros.
 */
import { buildManifest, type BlobRef, type Manifest, type ProposedEntry } from './manifest';
import { sha256Of, type Sha256 } from './sha256';
import { VersionsError } from './versions-error';

const HEADER = 'lockstep manifest 1';

/** The bytes whose SHA-256 is the version's digest. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const lines = [HEADER];
  for (const { path, sizeBytes, mode, blobs } of manifest.entries) {
    lines.push(`0${mode.toString(8)} ${sizeBytes} ${blobs.length} ${path}`);
    for (const blob of blobs) lines.push(`${blob.sha256} ${blob.sizeBytes}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`, 'utf8');
}

/** The version's digest. */
export const manifestDigest = (manifest: Manifest): Sha256 => sha256Of(encodeManifest(manifest));

// With `s`: a path may have U+2028, which "." takes for an end of line otherwise.
const ENTRY = /^0([0-7]{3}) (0|[1-9][0-9]*) (0|[1-9][0-9]*) (.+)$/s;
const BLOB = /^([0-9a-f]{64}) ([1-9][0-9]*)$/;

/**
 * Reads canonical bytes, and nothing else: whatever encodeManifest would not have written is refused.
 *
 * @throws VersionsError (reason MALFORMED_MANIFEST) that names the line
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\n');
  const at = (line: number): string => lines[line] ?? '';
  if (at(0) !== HEADER) throw malformed(1, `begins with ${JSON.stringify(at(0).slice(0, 40))} instead of "${HEADER}"`);
  const proposed: ProposedEntry[] = [];
  let line = 1;
  while (line < lines.length - 1) {
    const [, mode, size, count, path] = ENTRY.exec(at(line)) ?? [];
    if (mode === undefined || path === undefined) throw malformed(line + 1, 'is not an entry');
    const blobs: BlobRef[] = [];
    for (let i = 0; i < Number(count); i++) {
      const [, sha256, blobSize] = BLOB.exec(at(line + 1 + i)) ?? [];
      if (sha256 === undefined) throw malformed(line + 2 + i, 'is not a blob');
      blobs.push({ sha256, sizeBytes: Number(blobSize) });
    }
    proposed.push({ path, mode: parseInt(mode, 8), sizeBytes: Number(size), blobs });
    line += 1 + blobs.length;
  }
  const result = buildManifest(proposed);
  switch (result.kind) {
    case 'INVALID': throw malformed(1, result.violations.map((v) => `${v.field}: ${v.description}`).join('; '));
    case 'VALID':
      if (Buffer.compare(encodeManifest(result.manifest), bytes) !== 0) throw malformed(1, 'is not in canonical form');
      return result.manifest;
  }
}

const malformed = (line: number, what: string): VersionsError => new VersionsError('MALFORMED_MANIFEST', `line ${line} of the manifest ${what}`);
