import { createHash, type Hash } from 'node:crypto';
import type { BlobWriter, UploadKey } from './blob-store';
import type { DiskLayout } from './disk-layout';
import type { FileSystem, OpenFile } from './file-system';
import { fileFailure, StorageError } from './storage-error';

/** What a writer on disk needs of its store. */
export interface DiskUploadContext {
  readonly files: FileSystem;
  readonly layout: DiskLayout;
  /** The upload's bytes grew. */
  onProgress(committedBytes: number): void;
  /** The writer is done with it. */
  onEnd(end: UploadEnd): void;
}

/** KEPT: its bytes stay for a later writer. */
export type UploadEnd = 'PUBLISHED' | 'KEPT' | 'REMOVED';

/** How much of a resumed upload is read at once to hash it again. */
const READ_BYTES = 1 << 20;

/**
 * A writer of one upload's file.
 *
 * 1. The digest is computed over the bytes as they were handed to the file system; what an earlier writer left is read back and hashed.
 * 2. Published means: file synced, then renamed, then its folder synced. Before the rename nobody can see it.
 * 3. After any failure the file is closed and removed: a full disk gets its space back.
 */
export class DiskUpload implements BlobWriter {
  private committed = 0;
  private ended = false;

  private constructor(
    private readonly upload: UploadKey,
    private readonly context: DiskUploadContext,
    private readonly file: OpenFile,
    private readonly hash: Hash,
  ) {}

  static async open(upload: UploadKey, offset: number, context: DiskUploadContext): Promise<DiskUpload> {
    const at = context.layout.upload(upload);
    let file: OpenFile;
    try {
      file = await context.files.open(at, 'write');
    } catch (e) {
      context.onEnd('REMOVED');
      throw fileFailure(e, `begin the upload of blob ${upload.blob.sha256}`, at);
    }
    const writer = new DiskUpload(upload, context, file, createHash('sha256'));
    await writer.guard('read back the upload of', async () => {
      while (writer.committed < offset) {
        const bytes = await file.read(writer.committed, Math.min(READ_BYTES, offset - writer.committed));
        if (bytes.length === 0) throw new StorageError('DATA_LOSS', `upload ${upload.id} has lost bytes: begin it again`, { uploadId: upload.id });
        writer.hash.update(bytes);
        writer.committed += bytes.length;
      }
    });
    return writer;
  }

  get committedBytes(): number {
    return this.committed;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { blob } = this.upload;
    await this.guard('write', async () => {
      if (this.committed + bytes.length > blob.sizeBytes) {
        throw new StorageError('SIZE_MISMATCH', `upload ${this.upload.id} has more bytes than the ${blob.sizeBytes} that were announced for blob ${blob.sha256}`, { sha256: blob.sha256 });
      }
      await this.file.write(bytes, this.committed);
      this.hash.update(bytes);
      this.committed += bytes.length;
      this.context.onProgress(this.committed);
    });
  }

  async finish(): Promise<void> {
    const { blob } = this.upload;
    const { files, layout } = this.context;
    await this.guard('publish', async () => {
      if (this.committed !== blob.sizeBytes) {
        throw new StorageError('SIZE_MISMATCH', `upload ${this.upload.id} has ${this.committed} bytes, but ${blob.sizeBytes} were announced for blob ${blob.sha256}`, { sha256: blob.sha256 });
      }
      const actual = this.hash.digest('hex');
      if (actual !== blob.sha256) {
        throw new StorageError('DIGEST_MISMATCH', `the bytes of upload ${this.upload.id} have the SHA-256 ${actual}, not ${blob.sha256}: nothing of them was kept; upload them again`, { sha256: blob.sha256, actual });
      }
      await this.file.sync();
      const published = layout.blob(blob.sha256);
      await files.rename(layout.upload(this.upload), published);
      try {
        await files.syncFolder(layout.blobFolder(blob.sha256));
      } catch (e) {
        // A blob that might not survive must not look as if it had been stored.
        await files.remove(published);
        throw e;
      }
    });
    await this.end('PUBLISHED');
  }

  async suspend(): Promise<void> {
    await this.end('KEPT');
  }

  private async guard(what: string, act: () => Promise<void>): Promise<void> {
    if (this.ended) throw new Error(`upload ${this.upload.id} has ended`);
    const at = this.context.layout.upload(this.upload);
    try {
      await act();
    } catch (e) {
      await this.end('REMOVED');
      throw fileFailure(e, `${what} blob ${this.upload.blob.sha256}`, at);
    }
  }

  private async end(end: UploadEnd): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    try {
      await this.file.close();
    } finally {
      this.context.onEnd(end);
      if (end === 'REMOVED') await this.context.files.remove(this.context.layout.upload(this.upload));
    }
  }
}
