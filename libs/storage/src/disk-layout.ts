import { isSha256, type Sha256 } from '@lockstep/versions';
import path from 'node:path';
import type { UploadKey } from './blob-store';

/**
 * Where a disk store keeps what, below its root:
 *
 *   blobs/<first two hex digits>/<sha256>       verified, durable, immutable
 *   uploads/<id>.<sha256>.<size>                being written
 */
export class DiskLayout {
  readonly uploads: string;
  readonly blobs: string;

  constructor(root: string) {
    this.uploads = path.join(root, 'uploads');
    this.blobs = path.join(root, 'blobs');
  }

  /** The 256 folders that blobs lie in. */
  blobFolders(): readonly string[] {
    return Array.from({ length: 256 }, (_, i) => path.join(this.blobs, i.toString(16).padStart(2, '0')));
  }

  blobFolder(sha256: Sha256): string {
    return path.join(this.blobs, sha256.slice(0, 2));
  }

  blob(sha256: Sha256): string {
    // The name becomes a path: nothing but a digest may.
    if (!isSha256(sha256)) throw new RangeError(`${JSON.stringify(sha256.slice(0, 80))} is not a SHA-256`);
    return path.join(this.blobFolder(sha256), sha256);
  }

  upload(upload: UploadKey): string {
    return path.join(this.uploads, uploadName(upload));
  }
}

const UPLOAD_ID = /^[A-Za-z0-9_-]{1,64}$/;

export const isUploadId = (id: string): boolean => UPLOAD_ID.test(id);

/** Name of an upload's file: all that is known of it, so that a restarted service knows it too. */
export function uploadName({ id, blob }: UploadKey): string {
  if (!isUploadId(id) || !isSha256(blob.sha256)) throw new RangeError(`${JSON.stringify(id.slice(0, 80))} is not an upload id, or its blob has no SHA-256`);
  return `${id}.${blob.sha256}.${blob.sizeBytes}`;
}
