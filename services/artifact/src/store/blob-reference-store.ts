import type { BlobRef, Sha256 } from '@lockstep/versions';
import type { Kysely } from 'kysely';
import type { ArtifactSchema } from './schema';

type Query = Kysely<ArtifactSchema>;

/** A blob that no version had when it was condemned. */
export interface CondemnedBlob extends BlobRef {
  readonly timeMs: number;
}

/** Rows in one statement: SQLite bounds the number of parameters. */
const ROWS_A_STATEMENT = 500;

/** Which blobs versions have, and which were condemned because none has them. A blob is never both. */
export const blobReferenceStore = {
  /** Notes the blobs of a manifest that a version has. They are condemned no more. */
  async add(query: Query, manifest: Sha256, blobs: readonly BlobRef[]): Promise<void> {
    for (const some of slices(blobs)) {
      await query.insertInto('blob_reference').values(some.map(({ sha256, sizeBytes }) => ({ sha256, manifest, size_bytes: sizeBytes })))
        .onConflict((c) => c.columns(['sha256', 'manifest']).doNothing()).execute();
    }
    await blobReferenceStore.revive(query, blobs.map((b) => b.sha256));
  },

  /** Forgets the blobs of a manifest that no version has any more. */
  async drop(query: Query, manifest: Sha256): Promise<void> {
    await query.deleteFrom('blob_reference').where('manifest', '=', manifest).execute();
  },

  /** Those of the blobs that versions have, with their sizes in bytes. */
  async referenced(query: Query, digests: readonly Sha256[]): Promise<ReadonlyMap<Sha256, number>> {
    const found = new Map<Sha256, number>();
    for (const some of slices(digests)) {
      const rows = await query.selectFrom('blob_reference').select(['sha256', 'size_bytes']).distinct().where('sha256', 'in', some).execute();
      for (const row of rows) found.set(row.sha256, row.size_bytes);
    }
    return found;
  },

  /** Those of the blobs that are condemned. */
  async condemned(query: Query, digests: readonly Sha256[]): Promise<ReadonlyMap<Sha256, CondemnedBlob>> {
    const found = new Map<Sha256, CondemnedBlob>();
    for (const some of slices(digests)) {
      const rows = await query.selectFrom('condemned_blob').selectAll().where('sha256', 'in', some).execute();
      for (const row of rows) found.set(row.sha256, toCondemned(row));
    }
    return found;
  },

  /** Condemns blobs that no version has. Those that were condemned before keep their time. */
  async condemn(query: Query, blobs: readonly BlobRef[], timeMs: number): Promise<void> {
    for (const some of slices(blobs)) {
      await query.insertInto('condemned_blob').values(some.map(({ sha256, sizeBytes }) => ({ sha256, size_bytes: sizeBytes, time_ms: timeMs })))
        .onConflict((c) => c.column('sha256').doNothing()).execute();
    }
  },

  /** Takes back that blobs were condemned. */
  async revive(query: Query, digests: readonly Sha256[]): Promise<void> {
    for (const some of slices(digests)) await query.deleteFrom('condemned_blob').where('sha256', 'in', some).execute();
  },

  /** Blobs that were condemned at a time or before, longest ago first. */
  async condemnedUntil(query: Query, timeMs: number, limit: number): Promise<readonly CondemnedBlob[]> {
    return (await query.selectFrom('condemned_blob').selectAll().where('time_ms', '<=', timeMs).orderBy('time_ms').limit(limit).execute()).map(toCondemned);
  },
};

const toCondemned = ({ sha256, size_bytes, time_ms }: ArtifactSchema['condemned_blob']): CondemnedBlob => ({ sha256, sizeBytes: size_bytes, timeMs: time_ms });

function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += ROWS_A_STATEMENT) yield all.slice(i, i + ROWS_A_STATEMENT);
}
