import { DiskBlobStore, EventLog, openDatabase, type Database } from '@lockstep/storage';
import { buildManifest, sha256Of, type Manifest } from '@lockstep/versions';
import { randomUUID } from 'node:crypto';
import { BlobKeeper } from '../policy/blob-keeper';
import { CommitPolicy } from '../policy/commit-policy';
import { DeletionPolicy } from '../policy/deletion-policy';
import { GarbageCollector } from '../policy/garbage-collector';
import type { PolicyContext } from '../policy/policy-context';
import { artifactMigrations, type ArtifactSchema } from '../store/schema';
import type { CrashingDisk, CrashPlan } from './crashing-disk';

/** The service without its wire, on a disk that crashes. */
export interface CollectedService {
  readonly context: PolicyContext;
  readonly commits: CommitPolicy;
  readonly deletions: DeletionPolicy;
  readonly collector: GarbageCollector;
  /** Whether a blob must be written before it can be committed. */
  readonly isMissing: (bytes: Uint8Array) => Promise<boolean>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface CollectedServiceOptions {
  readonly folder: string;
  readonly disk: CrashingDisk;
  readonly plan: CrashPlan;
  readonly graceMs: number;
  readonly now: () => number;
}

/** Opens what an earlier process left. */
export async function openCollectedService({ folder, disk, plan, graceMs, now }: CollectedServiceOptions): Promise<CollectedService> {
  const database = await openDatabase<ArtifactSchema>({ folder, service: 'artifact', programVersion: '1', migrations: artifactMigrations });
  const blobs = await DiskBlobStore.open({ root: '/data', maxBlobBytes: 1 << 20, maxUploads: 64, uploadLeaseMs: 1e9, now, files: disk.files(plan) });
  const context: PolicyContext = { database: steppedDatabase(database, plan), blobs, events: new EventLog(database), now, newId: () => randomUUID() };
  const keeper = new BlobKeeper(context);
  return {
    context, commits: new CommitPolicy(context, keeper), deletions: new DeletionPolicy(context), collector: new GarbageCollector(context, keeper, graceMs),
    isMissing: async (bytes) => (await keeper.keep([sha256Of(bytes)])).sizes.size === 0,
    write: async (bytes) => {
      const opened = await keeper.openUpload({ id: randomUUID(), blob: { sha256: sha256Of(bytes), sizeBytes: bytes.length } }, 0);
      if (opened.kind === 'EXISTS') return;
      await opened.writer.write(bytes);
      await opened.writer.finish();
    },
    close: () => database.close(),
  };
}

/** A process may crash before and after each of its transactions, and inside just before they commit. */
function steppedDatabase(database: Database<ArtifactSchema>, plan: CrashPlan): Database<ArtifactSchema> {
  return {
    query: database.query, notifications: database.notifications, leases: database.leases,
    underLease: (lease) => database.underLease(lease), close: () => database.close(),
    transaction: async (work) => {
      await plan.step();
      const result = await database.transaction(async (transaction) => {
        const value = await work(transaction);
        await plan.step();
        return value;
      });
      await plan.step();
      return result;
    },
  };
}

/** One file a content. */
export function manifestOf(contents: readonly Uint8Array[]): Manifest {
  const result = buildManifest(contents.map((bytes, i) => ({ path: `f${i}`, mode: 0o644, sizeBytes: bytes.length, blobs: [{ sha256: sha256Of(bytes), sizeBytes: bytes.length }] })));
  if (result.kind === 'INVALID') throw new Error('the manifest is not valid');
  return result.manifest;
}
