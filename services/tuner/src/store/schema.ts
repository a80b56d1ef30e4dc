import { eventLogMigration, leaseMigration, type Migration } from '@lockstep/storage';

/** The tables of the tuner, beside the event log's and the leases'. */
export interface TunerSchema {
  study: {
    order: number | undefined;
    name: string;
    request_id: string | null;
    /** SHA-256 of the request without its id, in hex. */
    request_digest: string;
    /** Whether somebody has a trial of it. */
    held: number;
    /** StudySpec as it is now. */
    spec: Uint8Array;
    /** KnownSpace, as JSON: it may be large, and changes rarely. */
    space: string;
    /** TrackedStudy without its space and its pending trials, as JSON. */
    body: string;
  };
  trial: {
    study: string;
    number: number;
    pending: number;
    /** Smaller is better; null without scores. */
    standing: number | null;
    /** TrackedTrial without its measurements, as JSON. */
    body: string;
    create_ms: number;
    end_ms: number | null;
  };
  /** Of the try that a trial is in, or ended with. */
  measurement: { order: number | undefined; study: string; trial: number; attempt: number; body: string };
  request: { study: string; id: string; digest: string; answer: string };
}

const studies: Migration = {
  name: 'studies, trials, measurements, requests',
  up: async (transaction, { bytes, integer, sequence }) => {
    const { schema } = transaction;
    await schema.createTable('study')
      .addColumn('order', sequence)
      .addColumn('name', 'text', (c) => c.notNull().unique())
      .addColumn('request_id', 'text', (c) => c.unique())
      .addColumn('request_digest', 'text', (c) => c.notNull())
      .addColumn('held', integer, (c) => c.notNull())
      .addColumn('spec', bytes, (c) => c.notNull())
      .addColumn('space', 'text', (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .execute();
    await schema.createIndex('study_by_held').on('study').columns(['held', 'order']).execute();
    await schema.createTable('trial')
      .addColumn('study', 'text', (c) => c.notNull())
      .addColumn('number', integer, (c) => c.notNull())
      .addColumn('pending', integer, (c) => c.notNull())
      .addColumn('standing', 'double precision')
      .addColumn('body', 'text', (c) => c.notNull())
      .addColumn('create_ms', integer, (c) => c.notNull())
      .addColumn('end_ms', integer)
      .addPrimaryKeyConstraint('trial_key', ['study', 'number'])
      .execute();
    await schema.createIndex('trial_by_standing').on('trial').columns(['study', 'standing', 'number']).execute();
    await schema.createIndex('trial_by_pending').on('trial').columns(['study', 'pending', 'number']).execute();
    await schema.createTable('measurement')
      .addColumn('order', sequence)
      .addColumn('study', 'text', (c) => c.notNull())
      .addColumn('trial', integer, (c) => c.notNull())
      .addColumn('attempt', integer, (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .execute();
    await schema.createIndex('measurement_by_trial').on('measurement').columns(['study', 'trial', 'order']).execute();
    await schema.createTable('request')
      .addColumn('study', 'text', (c) => c.notNull())
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('digest', 'text', (c) => c.notNull())
      .addColumn('answer', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('request_key', ['study', 'id'])
      .execute();
  },
};

/** All versions of the schema, oldest first. */
export const tunerMigrations: readonly Migration[] = [eventLogMigration, studies, leaseMigration];
