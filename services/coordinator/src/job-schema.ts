import { eventLogMigration, leaseMigration, type Migration } from '@lockstep/storage';

/** The tables of the coordinator, beside the event log's and the leases'. */
export interface JobSchema {
  job: {
    order: number | undefined;
    name: string;
    request_id: string | null;
    state: number;
    ended: number;
    /** When it ended; null before. */
    end_ms: number | null;
    token: Uint8Array;
    job: Uint8Array;
    /** The shard tables, as an Assignment holds them. */
    shard_tables: Uint8Array;
    machine: Uint8Array | null;
  };
  /** As the event log has made it. */
  event: { subject: string };
  counter: { name: string; value: number };
  finished_call: { job: string; number: number; record: Uint8Array };
  checkpoint: { job: string; version: string; step: number; position: Uint8Array; state_digest: string; generation: number };
}

const jobs: Migration = {
  name: 'jobs',
  up: async (transaction, { bytes, integer, sequence }) => {
    await transaction.schema.createTable('job')
      .addColumn('order', sequence)
      .addColumn('name', 'text', (c) => c.notNull().unique())
      .addColumn('request_id', 'text', (c) => c.unique())
      .addColumn('state', integer, (c) => c.notNull())
      .addColumn('ended', integer, (c) => c.notNull())
      .addColumn('token', bytes, (c) => c.notNull())
      .addColumn('job', bytes, (c) => c.notNull())
      .addColumn('shard_tables', bytes, (c) => c.notNull())
      .execute();
    await transaction.schema.createIndex('job_by_ended').on('job').columns(['ended', 'order']).execute();
    await transaction.schema.createTable('counter')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('value', integer, (c) => c.notNull())
      .execute();
  },
};

const recovery: Migration = {
  name: 'what a job goes on with: machine, finished calls, commits, checkpoints',
  up: async (transaction, { bytes, integer }) => {
    await transaction.schema.alterTable('job').addColumn('machine', bytes).execute();
    await transaction.schema.createTable('finished_call')
      .addColumn('job', 'text', (c) => c.notNull())
      .addColumn('number', integer, (c) => c.notNull())
      .addColumn('record', bytes, (c) => c.notNull())
      .addPrimaryKeyConstraint('finished_call_key', ['job', 'number'])
      .execute();
    await transaction.schema.createTable('step_commit')
      .addColumn('job', 'text', (c) => c.notNull())
      .addColumn('step', integer, (c) => c.notNull())
      .addColumn('digest', 'text')
      .addColumn('ledger', bytes, (c) => c.notNull())
      .addPrimaryKeyConstraint('step_commit_key', ['job', 'step'])
      .execute();
    await transaction.schema.createTable('checkpoint')
      .addColumn('job', 'text', (c) => c.notNull())
      .addColumn('version', 'text', (c) => c.notNull())
      .addColumn('step', integer, (c) => c.notNull())
      .addColumn('position', bytes, (c) => c.notNull())
      .addColumn('state_digest', 'text', (c) => c.notNull())
      .addColumn('generation', integer, (c) => c.notNull())
      .addPrimaryKeyConstraint('checkpoint_key', ['job', 'version'])
      .execute();
  },
};

/** Nothing was ever kept there: what was committed last is in the job's machine. */
const noStepCommits: Migration = {
  name: 'no table of step commits',
  up: async (transaction) => {
    await transaction.schema.dropTable('step_commit').execute();
  },
};

const endTimes: Migration = {
  name: 'when jobs ended',
  up: async (transaction, { integer }) => {
    await transaction.schema.alterTable('job').addColumn('end_ms', integer).execute();
    await transaction.schema.createIndex('job_by_end').on('job').column('end_ms').execute();
  },
};

/** All versions of the schema, oldest first. */
export const jobMigrations: readonly Migration[] = [eventLogMigration, jobs, recovery, leaseMigration, noStepCommits, endTimes];
