/** Finished calls and checkpoints in the tables of a job store. All functions work inside a transaction that their caller has. */
import type { DatabaseTransaction } from '@lockstep/storage';
import { mergeAll, mergeCall, mergeCheckpoint } from './job-change';
import type { JobSchema } from './job-schema';
import type { Checkpoint, FinishedCall, JobChange } from './job-store';

type Query = DatabaseTransaction<JobSchema>['query'];

/** Rows in one statement: databases bound the number of parameters. */
const ROWS_A_STATEMENT = 500;

/** Stores what is new. @throws JobStoreError CALL_DIVERGED or CHECKPOINT_DIVERGED */
export async function storeProgress(query: Query, job: string, { calls = [], checkpoints = [], droppedCheckpoints = [] }: JobChange): Promise<void> {
  for (const some of slices(calls)) await storeCalls(query, job, some);
  for (const some of slices(checkpoints)) await storeCheckpoints(query, job, some);
  for (const some of slices(droppedCheckpoints)) await query.deleteFrom('checkpoint').where('job', '=', job).where('version', 'in', some).execute();
}

async function storeCalls(query: Query, job: string, calls: readonly FinishedCall[]): Promise<void> {
  const stored = await query.selectFrom('finished_call').selectAll().where('job', '=', job).where('number', 'in', calls.map((c) => c.number)).execute();
  const changed = mergeAll(new Map(stored.map((row) => [row.number, toCall(row)])), calls, (c) => c.number, (s, t) => mergeCall(job, s, t));
  if (changed.size === 0) return;
  await query.insertInto('finished_call').values([...changed.values()].map(({ number, record }) => ({ job, number, record }))).execute();
}

async function storeCheckpoints(query: Query, job: string, checkpoints: readonly Checkpoint[]): Promise<void> {
  const stored = await query.selectFrom('checkpoint').selectAll().where('job', '=', job).where('version', 'in', checkpoints.map((c) => c.version)).execute();
  const changed = mergeAll(new Map(stored.map((row) => [row.version, toCheckpoint(row)])), checkpoints, (c) => c.version, (s, t) => mergeCheckpoint(job, s, t));
  if (changed.size === 0) return;
  await query.insertInto('checkpoint')
    .values([...changed.values()].map(({ stateDigest, ...rest }) => ({ ...rest, job, state_digest: stateDigest })))
    .execute();
}

export const toCall = ({ number, record }: JobSchema['finished_call']): FinishedCall => ({ number, record });

export const toCheckpoint = ({ step, position, version, state_digest, generation }: JobSchema['checkpoint']): Checkpoint =>
  ({ step, position, version, stateDigest: state_digest, generation });

function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += ROWS_A_STATEMENT) yield all.slice(i, i + ROWS_A_STATEMENT);
}
