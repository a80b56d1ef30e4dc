import type { BlobRef, Sha256 } from '@lockstep/versions';

/** Names an upload and what it must become. The same id with another blob is another upload. */
export interface UploadKey {
  /** Letters, digits, "_" and "-", at most 64 characters. */
  readonly id: string;
  readonly blob: BlobRef;
}

/** How far an upload has come. */
export interface UploadStatus {
  readonly committedBytes: number;
  /** The blob is there, from this upload or another. */
  readonly complete: boolean;
}

/** An upload that is being written, by one writer at a time. Exactly one of finish, suspend and a failure ends it. */
export interface BlobWriter {
  readonly committedBytes: number;
  /**
   * Appends.
   * @throws StorageError SIZE_MISMATCH when it is more than was announced, DISK_FULL: the upload is forgotten then
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Verifies and publishes the blob: it is durable and readable afterwards.
   * @throws StorageError SIZE_MISMATCH, DIGEST_MISMATCH, DISK_FULL: the upload is forgotten then
   */
  finish(): Promise<void>;
  /** Leaves what was written for a later writer, until the upload's lease ends. */
  suspend(): Promise<void>;
}

export type OpenedUpload = { readonly kind: 'EXISTS' } | { readonly kind: 'OPEN'; readonly writer: BlobWriter };

/** Verified bytes of a blob. */
export interface BlobReading {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** The wanted range, in pieces; to be read once. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Immutable bytes by their SHA-256.
 *
 * 1. No byte is readable before all of its blob is verified and durable.
 * 2. Reads verify: wrong bytes are never returned; what cannot be read as it was written is DATA_LOSS, by name.
 * 3. A failure leaves nothing half-written visible, and everything that was there before.
 */
export interface BlobStore {
  /** Sizes in bytes of those of the blobs that are there. */
  sizes(digests: readonly Sha256[]): Promise<ReadonlyMap<Sha256, number>>;
  /**
   * Begins an upload, or goes on with it.
   *
   * @param offset where the caller goes on; must be the upload's committedBytes
   * @throws StorageError BLOB_TOO_LARGE, OFFSET_MISMATCH, UPLOAD_BUSY, TOO_MANY_UPLOADS, DISK_FULL
   */
  openUpload(upload: UploadKey, offset: number): Promise<OpenedUpload>;
  uploadStatus(upload: UploadKey): Promise<UploadStatus>;
  /**
   * Reads a range of a blob, all of it by default.
   *
   * @throws StorageError BLOB_NOT_FOUND, RANGE_BEYOND_END, DATA_LOSS
   */
  read(sha256: Sha256, range?: { readonly offset: number; readonly limit?: number }): Promise<BlobReading>;
  /** All blobs, in portions of any size and order. What comes or goes meanwhile may be among them or not. */
  digests(): AsyncIterable<readonly Sha256[]>;
  /**
   * Removes a blob; fine when it is not there. A loss of power may bring it back whole.
   *
   * @throws StorageError IO
   */
  remove(sha256: Sha256): Promise<void>;
  /** Forgets uploads that nobody has written to within their lease. @returns how many */
  forgetStaleUploads(): Promise<number>;
}
