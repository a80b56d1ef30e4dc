/**
 * What stands between garbage collection and whoever counts on a blob.
 *
 * 1. A blob is removed within a database transaction that has found it condemned, and nothing else removes one. So in another transaction no
 *    removal is under way.
 * 2. Who counts on a blob takes back its being condemned first and looks for it afterwards: when it is found, it can be removed only after it was
 *    condemned anew, and a whole grace has passed.
 * 3. A commit may take longer than that: when anything was removed since it looked, it looks again in its transaction.
 */
import type { OpenedUpload, UploadKey, UploadStatus } from '@lockstep/storage';
import type { Sha256 } from '@lockstep/versions';
import { blobReferenceStore } from '../store/blob-reference-store';
import type { ArtifactTransaction, PolicyContext } from './policy-context';

/** Blobs that were there. */
export interface KeptBlobs {
  readonly digests: readonly Sha256[];
  /** In bytes, of those that were there. */
  readonly sizes: ReadonlyMap<Sha256, number>;
  /** Removals before they were looked for. */
  readonly removals: number;
}

export class BlobKeeper {
  private removals = 0;

  constructor(private readonly context: Pick<PolicyContext, 'database' | 'blobs'>) {}

  /** Looks for blobs; those that are there stay for a grace at least. */
  async keep(digests: readonly Sha256[]): Promise<KeptBlobs> {
    const { database, blobs } = this.context;
    const { removals } = this;
    const condemned = await blobReferenceStore.condemned(database.query, digests);
    if (condemned.size > 0) await database.transaction(({ query }) => blobReferenceStore.revive(query, [...condemned.keys()]));
    return { digests, removals, sizes: await blobs.sizes(digests) };
  }

  /** As the store's; a blob that is there already stays for a grace at least. */
  async openUpload(upload: UploadKey, offset: number): Promise<OpenedUpload> {
    await this.keep([upload.blob.sha256]);
    return this.context.blobs.openUpload(upload, offset);
  }

  /** As the store's; a blob that is there already stays for a grace at least. */
  async uploadStatus(upload: UploadKey): Promise<UploadStatus> {
    await this.keep([upload.blob.sha256]);
    return this.context.blobs.uploadStatus(upload);
  }

  /** Sizes of those that are still there; to be called in the transaction that makes a version of them. */
  async stillThere({ digests, sizes, removals }: KeptBlobs): Promise<ReadonlyMap<Sha256, number>> {
    return removals === this.removals ? sizes : this.context.blobs.sizes(digests);
  }

  /** Removes condemned blobs that no version has. */
  async remove({ query }: ArtifactTransaction, digests: readonly Sha256[]): Promise<void> {
    this.removals += digests.length;
    for (const sha256 of digests) await this.context.blobs.remove(sha256);
    await blobReferenceStore.revive(query, digests);
  }
}
