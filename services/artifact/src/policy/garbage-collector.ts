/**
 * Removes the blobs that no version has.
 *
 * 1. Condemned is, with the time, what is stored and no version has; removed, what was condemned at least a grace ago and still no version has.
 * 2. What was removed before a crash may still be condemned after it, and is removed once more: nothing is removed that is not written down as
 *    condemned, and it is struck off only after it was removed.
 * 3. The database is held for a portion at a time: nobody waits for a whole collection.
 */
import { RpcError } from '@lockstep/rpc';
import type { BlobRef, Sha256 } from '@lockstep/versions';
import { blobReferenceStore } from '../store/blob-reference-store';
import { versionStore } from '../store/version-store';
import type { BlobKeeper } from './blob-keeper';
import { ConcurrencyLimit } from './concurrency-limit';
import type { PolicyContext } from './policy-context';

/** How many blobs, and their bytes together. */
export interface BlobTotal {
  readonly blobs: number;
  readonly sizeBytes: number;
}

/** What a collection found and did. */
export interface GcReport {
  readonly versions: number;
  readonly deletedVersions: number;
  /** Versions have them. */
  readonly kept: BlobTotal;
  /** Condemned, now or before, and not for long enough. */
  readonly condemned: BlobTotal;
  /** Removed; with `validateOnly` those that would have been. */
  readonly removed: BlobTotal;
}

/** Blobs that are looked at with one question to the database. */
const MARKED_AT_ONCE = 500;
/** Blobs that are removed in one transaction. */
const REMOVED_AT_ONCE = 64;

export class GarbageCollector {
  private readonly limit = new ConcurrencyLimit(1, 'garbage collections');

  /** @param graceMs how long a blob stays condemned before it is removed */
  constructor(private readonly context: PolicyContext, private readonly keeper: BlobKeeper, readonly graceMs: number) {}

  /**
   * Collects once.
   *
   * @param validateOnly only tells what would be done
   * @param signal ends the collection early; what it did so far stays
   * @throws RpcError RESOURCE_EXHAUSTED (TOO_MANY_CALLS) while another one runs, UNAVAILABLE (CALL_ENDED) after the signal; StorageError IO, DISK_FULL
   */
  async run(validateOnly: boolean, signal: AbortSignal): Promise<GcReport> {
    const leave = this.limit.enter();
    try {
      // What has had its grace goes first: on a full disk this makes the space in which others are written down as condemned.
      const swept = validateOnly ? undefined : await this.sweep(signal);
      const { kept, condemned, expired } = await this.mark(validateOnly, signal);
      const removed = swept ?? expired;
      const { present, deleted } = await versionStore.countVersions(this.context.database.query);
      return { versions: present, deletedVersions: deleted, kept, condemned, removed };
    } finally {
      leave();
    }
  }

  /** Removes what was condemned long enough ago. */
  private async sweep(signal: AbortSignal): Promise<BlobTotal> {
    const removed = new Total();
    for (let more = true; more;) {
      requireTime(signal);
      const sizes = await this.sweepSome();
      for (const sizeBytes of sizes.removed.values()) removed.add(sizeBytes);
      more = sizes.more;
    }
    return removed;
  }

  private async sweepSome(): Promise<{ readonly removed: ReadonlyMap<Sha256, number>; readonly more: boolean }> {
    const { database, blobs } = this.context;
    return database.transaction(async (transaction) => {
      const expired = (await blobReferenceStore.condemnedUntil(transaction.query, this.expiryMs(), REMOVED_AT_ONCE)).map((b) => b.sha256);
      const referenced = await blobReferenceStore.referenced(transaction.query, expired);
      if (referenced.size > 0) throw new Error(`blobs that versions have are condemned: ${[...referenced.keys()].join(', ')}; none was removed`);
      const removed = await blobs.sizes(expired);
      await this.keeper.remove(transaction, expired);
      return { removed, more: expired.length === REMOVED_AT_ONCE };
    });
  }

  /** Condemns what no version has; with `validateOnly` tells apart what has had its grace. */
  private async mark(validateOnly: boolean, signal: AbortSignal): Promise<{ readonly kept: BlobTotal; readonly condemned: BlobTotal; readonly expired: BlobTotal }> {
    const { database: { query }, blobs } = this.context;
    const [kept, condemned, expired] = [new Total(), new Total(), new Total()];
    for await (const folder of blobs.digests()) {
      for (let at = 0; at < folder.length; at += MARKED_AT_ONCE) {
        requireTime(signal);
        const digests = folder.slice(at, at + MARKED_AT_ONCE);
        const referenced = await blobReferenceStore.referenced(query, digests);
        for (const sizeBytes of referenced.values()) kept.add(sizeBytes);
        const garbage = digests.filter((sha256) => !referenced.has(sha256));
        const known = await blobReferenceStore.condemned(query, garbage);
        for (const { sizeBytes, timeMs } of known.values()) (validateOnly && timeMs <= this.expiryMs() ? expired : condemned).add(sizeBytes);
        const sizes = await blobs.sizes(garbage.filter((sha256) => !known.has(sha256)));
        const fresh = [...sizes].map(([sha256, sizeBytes]) => ({ sha256, sizeBytes }));
        if (!validateOnly && fresh.length > 0) await this.condemn(fresh);
        for (const { sizeBytes } of fresh) condemned.add(sizeBytes);
      }
    }
    return { kept, condemned, expired };
  }

  /** A commit may have come between: in the transaction it is asked once more which of them versions have. */
  private async condemn(garbage: readonly BlobRef[]): Promise<void> {
    const { database, now } = this.context;
    await database.transaction(async ({ query }) => {
      const referenced = await blobReferenceStore.referenced(query, garbage.map((b) => b.sha256));
      await blobReferenceStore.condemn(query, garbage.filter((b) => !referenced.has(b.sha256)), now());
    });
  }

  /** What was condemned at this time or before has had its grace. */
  private expiryMs(): number {
    return this.context.now() - this.graceMs;
  }
}

class Total implements BlobTotal {
  blobs = 0;
  sizeBytes = 0;

  add(sizeBytes: number): void {
    this.blobs++;
    this.sizeBytes += sizeBytes;
  }
}

function requireTime(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new RpcError('UNAVAILABLE', 'the garbage collection ended early: the client cancelled it, or the service is leaving; what it did so far stays', { reason: 'CALL_ENDED' });
  }
}
