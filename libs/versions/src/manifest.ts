/**
 * What a version consists of.
 *
 * 1. Entries are sorted by the UTF-8 bytes of their paths, which are unique and none of which is a folder of another.
 * 2. The sizes of an entry's blobs add up to its own.
 * 3. The canonical bytes depend on the files and how they are cut, and on nothing else; their SHA-256 is the version's digest.
 */
import { filePathFault, comparePaths } from './file-path';
import { isSha256, type Sha256 } from './sha256';
import { quote, type Violation } from './violation';

/** Bytes by what they are. */
export interface BlobRef {
  readonly sha256: Sha256;
  /** At least 1: an empty file has no blob. */
  readonly sizeBytes: number;
}

/** Only the executable bit is kept, so that the umask of who commits does not change the digest. */
export type FileMode = 0o644 | 0o755;
export const FILE_MODES: readonly FileMode[] = [0o644, 0o755];

export interface ManifestEntry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mode: FileMode;
  /** The file's bytes in order. */
  readonly blobs: readonly BlobRef[];
}

/** Entries that `buildManifest` has checked and sorted. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
}

/** An entry as a caller gives it. */
export interface ProposedEntry extends Omit<ManifestEntry, 'mode'> {
  readonly mode: number;
}

export const MAX_MANIFEST_ENTRIES = 100_000;
/** Violations that are named one by one; an error is no place for 100,000. */
const MAX_VIOLATIONS = 25;

export type ManifestResult =
  | { readonly kind: 'VALID'; readonly manifest: Manifest }
  | { readonly kind: 'INVALID'; readonly violations: readonly Violation[] };

const isMode = (mode: number): mode is FileMode => (FILE_MODES as readonly number[]).includes(mode);
const isSize = (n: number, least: number): boolean => Number.isSafeInteger(n) && n >= least;

/** Checks and sorts entries. @param field name of the list in the caller's request, for violations */
export function buildManifest(proposed: readonly ProposedEntry[], field = 'entries'): ManifestResult {
  if (proposed.length === 0) return invalid([{ field, description: 'a version has at least one file' }]);
  if (proposed.length > MAX_MANIFEST_ENTRIES) {
    return invalid([{ field, description: `${proposed.length} files are more than a version can have, ${MAX_MANIFEST_ENTRIES}` }]);
  }
  const violations: Violation[] = [];
  const entries: ManifestEntry[] = [];
  for (const [i, entry] of proposed.entries()) {
    const faults = entryFaults(entry, `${field}[${i}]`);
    violations.push(...faults);
    if (faults.length === 0 && isMode(entry.mode)) entries.push({ path: entry.path, sizeBytes: entry.sizeBytes, mode: entry.mode, blobs: entry.blobs });
    if (violations.length >= MAX_VIOLATIONS) return invalid([...violations.slice(0, MAX_VIOLATIONS), { field, description: 'further faults are left out' }]);
  }
  entries.sort((a, b) => comparePaths(a.path, b.path));
  violations.push(...clashes(entries, field));
  return violations.length > 0 ? invalid(violations.slice(0, MAX_VIOLATIONS)) : { kind: 'VALID', manifest: { entries } };
}

const invalid = (violations: readonly Violation[]): ManifestResult => ({ kind: 'INVALID', violations });

function entryFaults(entry: ProposedEntry, at: string): Violation[] {
  const faults: Violation[] = [];
  const pathFault = filePathFault(entry.path);
  if (pathFault !== undefined) faults.push({ field: `${at}.path`, description: pathFault });
  if (!isMode(entry.mode)) faults.push({ field: `${at}.mode`, description: `0${entry.mode.toString(8)} is not 0644 or 0755` });
  let total = 0;
  for (const [i, blob] of entry.blobs.entries()) {
    faults.push(...blobFaults(blob, `${at}.blobs[${i}]`));
    total += blob.sizeBytes;
  }
  if (!isSize(entry.sizeBytes, 0)) faults.push({ field: `${at}.size_bytes`, description: 'is not a size' });
  else if (faults.length === 0 && total !== entry.sizeBytes) {
    faults.push({ field: `${at}.size_bytes`, description: `is ${entry.sizeBytes}, but the blobs of ${quote(entry.path)} have ${total} bytes` });
  }
  return faults;
}

/** What is wrong with a blob reference. */
export function blobFaults(blob: BlobRef, at: string): Violation[] {
  const faults: Violation[] = [];
  if (!isSha256(blob.sha256)) faults.push({ field: `${at}.sha256`, description: `${quote(blob.sha256)} is not a SHA-256 in 64 lower-case hex digits` });
  if (!isSize(blob.sizeBytes, 1)) faults.push({ field: `${at}.size_bytes`, description: 'a blob has at least one byte; an empty file has no blob' });
  return faults;
}

function clashes(sorted: readonly ManifestEntry[], field: string): Violation[] {
  const found: Violation[] = [];
  const paths = new Set<string>();
  for (const { path } of sorted) {
    if (paths.has(path)) found.push({ field, description: `${quote(path)} is there twice` });
    paths.add(path);
  }
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      if (paths.has(folder)) found.push({ field, description: `${quote(folder)} is a file, and the folder of ${quote(path)} too` });
    }
  }
  return found;
}

/** Sum of the files' sizes. */
export const manifestSizeBytes = ({ entries }: Manifest): number => entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);

/** Every blob of a manifest, each once, in order of first use. */
export function manifestBlobs({ entries }: Manifest): readonly BlobRef[] {
  const unique = new Map<Sha256, BlobRef>();
  for (const blob of entries.flatMap((e) => e.blobs)) if (!unique.has(blob.sha256)) unique.set(blob.sha256, blob);
  return [...unique.values()];
}
