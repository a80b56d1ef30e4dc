import { buildManifest, MAX_BLOB_BYTES, nextBlobLength, sha256Of, type BlobRef, type Manifest, type ProposedEntry, type Sha256 } from '@lockstep/versions';
import type { FileSource } from './file-source';
import { TransferError } from './transfer-error';

/** Where the bytes of a blob are. */
export interface BlobLocation {
  readonly blob: BlobRef;
  readonly file: FileSource;
  readonly offset: number;
}

/** Files as a version has them. */
export interface CutFiles {
  readonly manifest: Manifest;
  /** Each blob once. */
  readonly locations: ReadonlyMap<Sha256, BlobLocation>;
}

/**
 * Reads files, cuts them into blobs and hashes those.
 *
 * @param onBytes told how many bytes were hashed since the last time
 * @throws TransferError INVALID_FILES that names what a version cannot have
 */
export async function cutFiles(files: readonly FileSource[], onBytes: (bytes: number) => void): Promise<CutFiles> {
  const locations = new Map<Sha256, BlobLocation>();
  const proposed: ProposedEntry[] = [];
  for (const file of files) {
    const blobs: BlobRef[] = [];
    for await (const { blob, offset } of cutFile(file)) {
      blobs.push(blob);
      if (!locations.has(blob.sha256)) locations.set(blob.sha256, { blob, file, offset });
      onBytes(blob.sizeBytes);
    }
    proposed.push({ path: file.path, mode: file.mode, sizeBytes: file.sizeBytes, blobs });
  }
  const result = buildManifest(proposed, 'files');
  switch (result.kind) {
    case 'VALID': return { manifest: result.manifest, locations };
    case 'INVALID': throw new TransferError('INVALID_FILES', `the files cannot be a version: ${result.violations.map((v) => `${v.field}: ${v.description}`).join('; ')}`);
  }
}

async function* cutFile(file: FileSource): AsyncGenerator<{ readonly blob: BlobRef; readonly offset: number }> {
  if (file.sizeBytes === 0) return;
  const reader = await file.open();
  try {
    const wholeFile = file.sizeBytes <= MAX_BLOB_BYTES;
    for (let offset = 0; offset < file.sizeBytes;) {
      const window = await reader.read(offset, Math.min(MAX_BLOB_BYTES, file.sizeBytes - offset));
      const sizeBytes = nextBlobLength(window, wholeFile);
      yield { blob: { sha256: sha256Of(window.subarray(0, sizeBytes)), sizeBytes }, offset };
      offset += sizeBytes;
    }
  } finally {
    await reader.close();
  }
}
