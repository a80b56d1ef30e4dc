import type { BlobStore, Database, DatabaseTransaction, EventLog } from '@lockstep/storage';
import type { ArtifactSchema } from '../store/schema';

/** What policies work with. */
export interface PolicyContext {
  readonly database: Database<ArtifactSchema>;
  readonly blobs: BlobStore;
  readonly events: EventLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new id that nobody has. */
  readonly newId: () => string;
}

export type ArtifactTransaction = DatabaseTransaction<ArtifactSchema>;
