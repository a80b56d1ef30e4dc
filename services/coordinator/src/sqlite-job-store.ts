import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { AssignmentSchema, JobEventSchema, TrainJobSchema, type JobEvent, type TrainJob } from '@lockstep/contract';
import { EventLog, eventLogMigration, openDatabase, type Database, type DatabaseTransaction, type LoggedEvent, type Migration } from '@lockstep/storage';
import { jobHasEnded, type JobRecord, type NewEvent } from './job-record';
import type { JobStore, ListedJob } from './job-store';

interface Schema {
  job: {
    order: number | undefined;
    name: string;
    request_id: string | null;
    state: number;
    ended: number;
    token: Uint8Array;
    job: Uint8Array;
    /** The shard tables, as an Assignment holds them. */
    shard_tables: Uint8Array;
  };
  counter: { name: string; value: number };
}

const jobMigration: Migration = {
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
};

/** Jobs and their events in the SQLite database of a data folder. */
export class SqliteJobStore implements JobStore {
  private readonly log: EventLog;

  private constructor(private readonly database: Database<Schema>) {
    this.log = new EventLog(database);
  }

  /** @throws StorageError when the folder is another service's, of another version, or in use */
  static async open(folder: string, programVersion: string): Promise<SqliteJobStore> {
    return new SqliteJobStore(await openDatabase<Schema>({ folder, service: 'coordinator', programVersion, migrations: [eventLogMigration, jobMigration] }));
  }

  async insert({ job, requestId, token, shardTables }: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void> {
    const tables = toBinary(AssignmentSchema, create(AssignmentSchema, { shardTables: [...shardTables] }));
    await this.database.transaction(async (transaction) => {
      await transaction.query.insertInto('job').values({
        order: undefined, name: job.name, request_id: requestId === '' ? null : requestId, state: job.state, ended: jobHasEnded(job) ? 1 : 0,
        token, job: toBinary(TrainJobSchema, job), shard_tables: tables,
      }).execute();
      await this.append(transaction, job.name, events, nowMs);
    });
  }

  async update(job: TrainJob, events: readonly NewEvent[], nowMs: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const { numUpdatedRows } = await transaction.query.updateTable('job')
        .set({ state: job.state, ended: jobHasEnded(job) ? 1 : 0, job: toBinary(TrainJobSchema, job) })
        .where('name', '=', job.name).executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) throw new Error(`${job.name} was never stored`);
      await this.append(transaction, job.name, events, nowMs);
    });
  }

  async get(name: string): Promise<JobRecord | undefined> {
    const row = await this.database.query.selectFrom('job').selectAll().where('name', '=', name).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByRequestId(requestId: string): Promise<JobRecord | undefined> {
    const row = await this.database.query.selectFrom('job').selectAll().where('request_id', '=', requestId).executeTakeFirst();
    return row && toRecord(row);
  }

  async list({ limit, before, states }: { readonly limit: number; readonly before?: number; readonly states: readonly number[] }): Promise<readonly ListedJob[]> {
    let query = this.database.query.selectFrom('job').select(['order', 'job']).orderBy('order', 'desc').limit(limit);
    if (before !== undefined) query = query.where('order', '<', before);
    if (states.length > 0) query = query.where('state', 'in', states);
    return (await query.execute()).map((row) => ({ order: row.order ?? 0, job: fromBinary(TrainJobSchema, row.job) }));
  }

  async unfinished(): Promise<readonly JobRecord[]> {
    const rows = await this.database.query.selectFrom('job').selectAll().where('ended', '=', 0).orderBy('order').execute();
    return rows.map(toRecord);
  }

  nextGeneration(): Promise<number> {
    return this.database.transaction(async ({ query }) => {
      const { value } = await query.insertInto('counter').values({ name: 'generation', value: 1 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', 1) })))
        .returning('value').executeTakeFirstOrThrow();
      return value;
    });
  }

  async readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]> {
    return (await this.log.read(job, Number(afterSequence), limit)).map(toEvent);
  }

  async *watchEvents(job: string, afterSequence: bigint, signal: AbortSignal): AsyncGenerator<JobEvent> {
    for await (const event of this.log.watch(job, Number(afterSequence), signal)) yield toEvent(event);
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async append(transaction: DatabaseTransaction<Schema>, job: string, events: readonly NewEvent[], nowMs: number): Promise<void> {
    for (const event of events) {
      const payload = toBinary(JobEventSchema, create(JobEventSchema, { event }));
      await this.log.append(transaction, { subject: job, type: event.case ?? 'unknown', payload, timeMs: nowMs });
    }
  }
}

function toRecord(row: { readonly job: Uint8Array; readonly request_id: string | null; readonly token: Uint8Array; readonly shard_tables: Uint8Array }): JobRecord {
  return {
    job: fromBinary(TrainJobSchema, row.job), requestId: row.request_id ?? '', token: row.token,
    shardTables: fromBinary(AssignmentSchema, row.shard_tables).shardTables,
  };
}

const toEvent = ({ sequence, subject, payload, timeMs }: LoggedEvent): JobEvent =>
  ({ ...fromBinary(JobEventSchema, payload), sequence: BigInt(sequence), time: timestampFromMs(timeMs), job: subject });
