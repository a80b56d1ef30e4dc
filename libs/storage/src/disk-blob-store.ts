/**
 * Blobs as files.
 *
 * 1. A name below blobs/ is a whole, verified file: it gets there by rename, after it was synced.
 * 2. All names below blobs/ survive power loss: a folder is synced after every rename, and all of them when the store is opened,
 *    because a process that died may have renamed without syncing.
 * 3. At most `maxUploads` uploads exist, open or suspended; one that nobody has written to for `uploadLeaseMs` is forgotten.
 */
import { isSha256, type BlobRef, type Sha256 } from '@lockstep/versions';
import { createHash } from 'node:crypto';
import type { BlobReading, BlobStore, OpenedUpload, UploadKey, UploadStatus } from './blob-store';
import { DiskLayout, uploadName } from './disk-layout';
import { DiskUpload } from './disk-upload';
import { nodeFileSystem, type FileSystem, type OpenFile } from './file-system';
import { fileErrorCode, fileFailure, StorageError } from './storage-error';

export interface DiskBlobStoreOptions {
  readonly root: string;
  /** Largest blob that is taken. */
  readonly maxBlobBytes: number;
  /** Uploads at a time, open and suspended. */
  readonly maxUploads: number;
  /** How long a suspended upload can be resumed. */
  readonly uploadLeaseMs: number;
  /** The time in milliseconds; only differences matter. */
  readonly now: () => number;
  readonly files?: FileSystem;
}

interface KnownUpload {
  readonly path: string;
  open: boolean;
  committedBytes: number;
  lastUsedMs: number;
}

/** Blobs up to this size are read whole, so that what is returned is what was verified; larger ones are read twice. */
const WHOLE_READ_BYTES = 4 << 20;
const PIECE_BYTES = 512 << 10;
const PARALLEL_STATS = 32;

export class DiskBlobStore implements BlobStore {
  private constructor(
    private readonly options: DiskBlobStoreOptions,
    private readonly files: FileSystem,
    private readonly layout: DiskLayout,
    /** By name of the upload's file. */
    private readonly uploads: Map<string, KnownUpload>,
  ) {}

  /** Opens a store, making its folders if need be. @throws StorageError DISK_FULL, IO */
  static async open(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
    const files = options.files ?? nodeFileSystem;
    const layout = new DiskLayout(options.root);
    const uploads = new Map<string, KnownUpload>();
    try {
      for (const folder of [layout.uploads, ...layout.blobFolders()]) await files.makeFolder(folder);
      await Promise.all([options.root, layout.blobs, ...layout.blobFolders()].map((folder) => files.syncFolder(folder)));
      for (const name of await files.list(layout.uploads)) {
        const path = `${layout.uploads}/${name}`;
        uploads.set(name, { path, open: false, committedBytes: (await files.sizeOf(path)) ?? 0, lastUsedMs: options.now() });
      }
    } catch (e) {
      throw fileFailure(e, 'open the blob store', options.root);
    }
    return new DiskBlobStore(options, files, layout, uploads);
  }

  async sizes(digests: readonly Sha256[]): Promise<ReadonlyMap<Sha256, number>> {
    const found = new Map<Sha256, number>();
    const queue = [...new Set(digests)];
    const worker = async (): Promise<void> => {
      for (let sha256 = queue.pop(); sha256 !== undefined; sha256 = queue.pop()) {
        const sizeBytes = await this.sizeOf(sha256);
        if (sizeBytes !== undefined) found.set(sha256, sizeBytes);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_STATS }, worker));
    return found;
  }

  async openUpload(upload: UploadKey, offset: number): Promise<OpenedUpload> {
    const { maxBlobBytes } = this.options;
    const { blob } = upload;
    if (blob.sizeBytes > maxBlobBytes) {
      throw new StorageError('BLOB_TOO_LARGE', `blob ${blob.sha256} has ${blob.sizeBytes} bytes, more than the ${maxBlobBytes} that a blob can have: cut the file into several`,
        { sha256: blob.sha256, limitBytes: String(maxBlobBytes) });
    }
    if (await this.has(blob)) return { kind: 'EXISTS' };
    const known = await this.claim(upload, offset);
    const name = uploadName(upload);
    const writer = await DiskUpload.open(upload, offset, {
      files: this.files, layout: this.layout,
      onProgress: (committedBytes) => {
        known.committedBytes = committedBytes;
        known.lastUsedMs = this.options.now();
      },
      onEnd: (end) => {
        known.open = false;
        known.lastUsedMs = this.options.now();
        if (end !== 'KEPT') this.uploads.delete(name);
      },
    });
    return { kind: 'OPEN', writer };
  }

  async uploadStatus(upload: UploadKey): Promise<UploadStatus> {
    if (await this.has(upload.blob)) return { committedBytes: upload.blob.sizeBytes, complete: true };
    return { committedBytes: this.uploads.get(uploadName(upload))?.committedBytes ?? 0, complete: false };
  }

  async read(sha256: Sha256, range: { readonly offset: number; readonly limit?: number } = { offset: 0 }): Promise<BlobReading> {
    const path = this.layout.blob(sha256);
    const file = await this.openBlob(sha256);
    try {
      const sizeBytes = await file.size();
      const { offset } = range;
      if (offset > sizeBytes) {
        throw new StorageError('RANGE_BEYOND_END', `blob ${sha256} has ${sizeBytes} bytes: none at offset ${offset}`, { sha256, sizeBytes: String(sizeBytes) });
      }
      const end = Math.min(sizeBytes, offset + (range.limit ?? sizeBytes));
      if (sizeBytes <= WHOLE_READ_BYTES) {
        const bytes = await file.read(0, sizeBytes);
        this.verify(sha256, createHash('sha256').update(bytes).digest('hex'), path);
        return { sizeBytes, pieces: piecesOf(bytes.subarray(offset, end)) };
      }
      const hash = createHash('sha256');
      for await (const piece of readPieces(file, sha256, 0, sizeBytes)) hash.update(piece);
      this.verify(sha256, hash.digest('hex'), path);
      return { sizeBytes, pieces: this.reopenedPieces(sha256, offset, end) };
    } catch (e) {
      throw fileFailure(e, `read blob ${sha256}`, path);
    } finally {
      await file.close();
    }
  }

  async *digests(): AsyncGenerator<readonly Sha256[]> {
    for (const folder of this.layout.blobFolders()) {
      const names = await this.files.list(folder).catch((e: unknown) => { throw fileFailure(e, 'list the blobs', folder); });
      // A name that is no digest is nobody's blob: it was put there by hand.
      const digests = names.filter(isSha256);
      if (digests.length > 0) yield digests;
    }
  }

  async remove(sha256: Sha256): Promise<void> {
    const path = this.layout.blob(sha256);
    await this.files.remove(path).catch((e: unknown) => { throw fileFailure(e, `remove blob ${sha256}`, path); });
  }

  async forgetStaleUploads(): Promise<number> {
    const { now, uploadLeaseMs } = this.options;
    let forgotten = 0;
    for (const [name, upload] of [...this.uploads]) {
      if (upload.open || now() - upload.lastUsedMs <= uploadLeaseMs) continue;
      this.uploads.delete(name);
      await this.files.remove(upload.path);
      forgotten++;
    }
    return forgotten;
  }

  /** Takes an upload for one writer, before anything is awaited that another writer could overtake. */
  private async claim(upload: UploadKey, offset: number): Promise<KnownUpload> {
    const name = uploadName(upload);
    if (this.uploads.size >= this.options.maxUploads && !this.uploads.has(name)) await this.forgetStaleUploads();
    const known = this.uploads.get(name) ?? { path: this.layout.upload(upload), open: false, committedBytes: 0, lastUsedMs: 0 };
    if (known.open) throw new StorageError('UPLOAD_BUSY', `upload ${upload.id} is being written by another call: wait for it, or use another upload id`, { uploadId: upload.id });
    if (!this.uploads.has(name) && this.uploads.size >= this.options.maxUploads) {
      throw new StorageError('TOO_MANY_UPLOADS', `${this.uploads.size} uploads are open or suspended, as many as there can be: try again when some have ended`, { limit: String(this.options.maxUploads) });
    }
    if (offset !== known.committedBytes) {
      throw new StorageError('OFFSET_MISMATCH', `upload ${upload.id} has ${known.committedBytes} bytes: go on there and not at ${offset}`,
        { uploadId: upload.id, committedBytes: String(known.committedBytes) });
    }
    known.open = true;
    known.lastUsedMs = this.options.now();
    this.uploads.set(name, known);
    return known;
  }

  /** With the announced size: a file of another size is damaged, or the announcement is wrong; an upload settles which. */
  private async has(blob: BlobRef): Promise<boolean> {
    return (await this.sizeOf(blob.sha256)) === blob.sizeBytes;
  }

  private async sizeOf(sha256: Sha256): Promise<number | undefined> {
    const path = this.layout.blob(sha256);
    try {
      return await this.files.sizeOf(path);
    } catch (e) {
      throw fileFailure(e, `look for blob ${sha256}`, path);
    }
  }

  private async openBlob(sha256: Sha256): Promise<OpenFile> {
    const path = this.layout.blob(sha256);
    try {
      return await this.files.open(path, 'read');
    } catch (e) {
      if (fileErrorCode(e) === 'ENOENT') throw new StorageError('BLOB_NOT_FOUND', `blob ${sha256} does not exist: upload it first`, { sha256 });
      throw fileFailure(e, `open blob ${sha256}`, path);
    }
  }

  /** Opens the file when the first piece is wanted: a reading that nobody reads holds nothing. */
  private async *reopenedPieces(sha256: Sha256, from: number, to: number): AsyncGenerator<Uint8Array> {
    const file = await this.openBlob(sha256);
    try {
      yield* readPieces(file, sha256, from, to);
    } finally {
      await file.close();
    }
  }

  private verify(sha256: Sha256, actual: Sha256, path: string): void {
    if (actual === sha256) return;
    throw new StorageError('DATA_LOSS', `blob ${sha256} is damaged: its file has the SHA-256 ${actual}. Remove ${path} and upload the blob again`, { sha256, actual });
  }
}

async function* readPieces(file: OpenFile, sha256: Sha256, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to;) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, to - at));
    if (piece.length === 0) throw new StorageError('DATA_LOSS', `the file of blob ${sha256} ended at byte ${at} while it was read`, { sha256 });
    yield piece;
    at += piece.length;
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield await Promise.resolve(bytes.subarray(at, at + PIECE_BYTES));
}
