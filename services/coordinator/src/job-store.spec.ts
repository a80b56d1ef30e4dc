import { create, toBinary } from '@bufbuild/protobuf';
import { JobState, TrainJobSchema } from '@lockstep/contract';
import { eventLogMigration, openDatabase, type Migration } from '@lockstep/storage';
import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import type { JobSchema } from './job-schema';
import { SqlJobStore } from './sql-job-store';
import { durableJobStoreContract, jobStoreContract } from './testing/job-store-contract';
import { MemoryJobStore } from './testing/memory-job-store';

removeTemporaryFolders();

jobStoreContract('in memory', () => Promise.resolve(new MemoryJobStore()));
jobStoreContract('in SQLite', () => SqlJobStore.openFolder(temporaryFolder(), '0'));
durableJobStoreContract('in SQLite', () => {
  const folder = temporaryFolder();
  return Promise.resolve(() => SqlJobStore.openFolder(folder, '0'));
});

/** The schema of the release before the recovery tables, as it stood there. */
const released: readonly Migration[] = [
  eventLogMigration,
  {
    name: 'jobs',
    up: async (transaction) => {
      await transaction.schema.createTable('job')
        .addColumn('order', 'integer', (c) => c.primaryKey().autoIncrement())
        .addColumn('name', 'text', (c) => c.notNull().unique())
        .addColumn('request_id', 'text', (c) => c.unique())
        .addColumn('state', 'integer', (c) => c.notNull())
        .addColumn('ended', 'integer', (c) => c.notNull())
        .addColumn('token', 'blob', (c) => c.notNull())
        .addColumn('job', 'blob', (c) => c.notNull())
        .addColumn('shard_tables', 'blob', (c) => c.notNull())
        .execute();
      await transaction.schema.createIndex('job_by_ended').on('job').columns(['ended', 'order']).execute();
      await transaction.schema.createTable('counter')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'integer', (c) => c.notNull())
        .execute();
    },
  },
];

test('a folder of the release before goes on with its jobs', async () => {
  const folder = temporaryFolder();
  const job = create(TrainJobSchema, { name: 'jobs/old', state: JobState.RUNNING });
  const old = await openDatabase<{ job: Omit<JobSchema['job'], 'machine'> }>({ folder, service: 'coordinator', programVersion: '0', migrations: released });
  await old.transaction(({ query }) => query.insertInto('job').values({
    order: undefined, name: 'jobs/old', request_id: null, state: job.state, ended: 0, token: new Uint8Array([7]), job: toBinary(TrainJobSchema, job), shard_tables: new Uint8Array(),
  }).execute());
  await old.close();
  const store = await SqlJobStore.openFolder(folder, '1');
  expect((await store.unfinished()).map((r) => [r.job.name, r.machine, [...r.token]])).toEqual([['jobs/old', undefined, [7]]]);
  await store.update(job, [], 1, { machine: new Uint8Array([1]), calls: [{ number: 0, record: new Uint8Array([2]) }] });
  expect(await store.listCalls('jobs/old')).toMatchObject([{ number: 0 }]);
  await store.close();
});
