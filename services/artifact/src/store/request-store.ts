import type { Kysely } from 'kysely';
import type { ArtifactSchema } from './schema';

type Query = Kysely<ArtifactSchema>;

/** A method whose requests carry an id. */
export type IdentifiedMethod = 'CommitVersion' | 'CreateExecution';

/** What a request did. */
export interface RequestRecord {
  /** SHA-256 of the request without its id. */
  readonly digest: string;
  /** Resource name of what it made. */
  readonly result: string;
}

/** How long a request id is remembered: longer than anybody retries, short enough that the table stays small. */
const REMEMBER_MS = 24 * 3600 * 1000;

/** What requests with an id did. */
export const requestStore = {
  async find(query: Query, method: IdentifiedMethod, id: string): Promise<RequestRecord | undefined> {
    return query.selectFrom('request').select(['digest', 'result']).where('method', '=', method).where('id', '=', id).executeTakeFirst();
  },

  /** Remembers a request, and forgets those that are older than a day. */
  async insert(query: Query, method: IdentifiedMethod, id: string, { digest, result }: RequestRecord, nowMs: number): Promise<void> {
    await query.deleteFrom('request').where('time_ms', '<', nowMs - REMEMBER_MS).execute();
    await query.insertInto('request').values({ method, id, digest, result, time_ms: nowMs }).onConflict((c) => c.columns(['method', 'id']).doNothing()).execute();
  },
};
