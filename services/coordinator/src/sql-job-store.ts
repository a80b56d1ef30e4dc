import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { AssignmentSchema, JobEventSchema, JobState, TrainJobSchema, type JobEvent, type TrainJob } from '@lockstep/contract';
import { EventLog, openDatabase, openPostgres, type Database, type DatabaseTransaction, type Lease, type Leases, type LoggedEvent } from '@lockstep/storage';
import { jobHasEnded, type JobRecord, type NewEvent } from './job-record';
import { jobMigrations, type JobSchema } from './job-schema';
import type { Checkpoint, FinishedCall, JobChange, JobStore, JobUpdate, ListedJob } from './job-store';
import { noSuchJob } from './job-store-error';
import { storeProgress, toCall, toCheckpoint } from './sql-job-progress';

const SERVICE = 'coordinator';

/** Jobs and their events in a database: SQLite in a data folder, or PostgreSQL. */
export class SqlJobStore implements JobStore {
  private readonly log: EventLog;

  private constructor(private readonly database: Database<JobSchema>) {
    this.log = new EventLog(database);
  }

  /** @throws StorageError when the folder is another service's, of another version, or in use */
  static async openFolder(folder: string, programVersion: string): Promise<SqlJobStore> {
    return new SqlJobStore(await openDatabase<JobSchema>({ folder, service: SERVICE, programVersion, migrations: jobMigrations }));
  }

  /**
   * @param url postgres://user:password@host:port/database
   * @throws StorageError when the database is another service's or of another version; DatabaseError when it cannot be reached
   */
  static async openServer(url: string, programVersion: string): Promise<SqlJobStore> {
    return new SqlJobStore(await openPostgres<JobSchema>({ url, service: SERVICE, programVersion, migrations: jobMigrations }));
  }

  /** Who of several coordinators on one database leads. */
  get leases(): Leases {
    return this.database.leases;
  }

  /** The same store for the holder of a lease: once that is another's, each change fails with the DatabaseError LEASE_LOST and nothing of it is stored. */
  underLease(lease: Lease): SqlJobStore {
    return new SqlJobStore(this.database.underLease(lease));
  }

  async insert({ job, requestId, token, shardTables, machine }: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void> {
    const tables = toBinary(AssignmentSchema, create(AssignmentSchema, { shardTables: [...shardTables] }));
    await this.database.transaction(async (transaction) => {
      await transaction.query.insertInto('job').values({
        order: undefined, name: job.name, request_id: requestId === '' ? null : requestId, state: job.state, ended: jobHasEnded(job) ? 1 : 0, end_ms: endMsOf(job),
        token, job: toBinary(TrainJobSchema, job), shard_tables: tables, machine: machine ?? null,
      }).execute();
      await this.append(transaction, job.name, events, nowMs);
    });
  }

  update(job: TrainJob, events: readonly NewEvent[], nowMs: number, change: JobChange = {}): Promise<void> {
    return this.updateAll([{ job, events, change }], nowMs);
  }

  async updateAll(updates: readonly JobUpdate[], nowMs: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      for (const update of updates) await this.store(transaction, update, nowMs);
    });
  }

  deleteEnded(beforeMs: number, limit: number): Promise<readonly string[]> {
    return this.database.transaction(async ({ query }) => {
      const rows = await query.selectFrom('job').select('name').where('end_ms', '<', beforeMs).orderBy('end_ms').limit(limit).execute();
      const names = rows.map(({ name }) => name);
      if (names.length === 0) return names;
      await query.deleteFrom('event').where('subject', 'in', names).execute();
      await query.deleteFrom('finished_call').where('job', 'in', names).execute();
      await query.deleteFrom('checkpoint').where('job', 'in', names).execute();
      await query.deleteFrom('job').where('name', 'in', names).execute();
      return names;
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

  async succeededWithCheckpoints(): Promise<readonly TrainJob[]> {
    const rows = await this.database.query.selectFrom('job').select('job').where('state', '=', JobState.SUCCEEDED)
      .where('name', 'in', (e) => e.selectFrom('checkpoint').select('checkpoint.job').distinct()).orderBy('order').execute();
    return rows.map((row) => fromBinary(TrainJobSchema, row.job));
  }

  nextGeneration(): Promise<number> {
    return this.database.transaction(async ({ query }) => {
      const { value } = await query.insertInto('counter').values({ name: 'generation', value: 1 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', 1) })))
        .returning('value').executeTakeFirstOrThrow();
      return value;
    });
  }

  async listCalls(job: string): Promise<readonly FinishedCall[]> {
    return (await this.database.query.selectFrom('finished_call').selectAll().where('job', '=', job).orderBy('number').execute()).map(toCall);
  }

  async listCheckpoints(job: string): Promise<readonly Checkpoint[]> {
    const rows = await this.database.query.selectFrom('checkpoint').selectAll().where('job', '=', job).orderBy('step', 'desc').orderBy('generation', 'desc').execute();
    return rows.map(toCheckpoint);
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

  private async store(transaction: DatabaseTransaction<JobSchema>, { job, events, change }: JobUpdate, nowMs: number): Promise<void> {
    const { machine } = change;
    const { numUpdatedRows } = await transaction.query.updateTable('job')
      .set({ state: job.state, ended: jobHasEnded(job) ? 1 : 0, end_ms: endMsOf(job), job: toBinary(TrainJobSchema, job), ...(machine && { machine }) })
      .where('name', '=', job.name).executeTakeFirstOrThrow();
    if (numUpdatedRows !== 1n) throw noSuchJob(job.name);
    await storeProgress(transaction.query, job.name, change);
    await this.append(transaction, job.name, events, nowMs);
  }

  private async append(transaction: DatabaseTransaction<JobSchema>, job: string, events: readonly NewEvent[], nowMs: number): Promise<void> {
    await this.log.append(transaction, events.map((event) => ({ subject: job, type: event.case ?? 'unknown', payload: toBinary(JobEventSchema, create(JobEventSchema, { event })), timeMs: nowMs })));
  }
}

const endMsOf = ({ endTime }: TrainJob): number | null => (endTime ? timestampMs(endTime) : null);

function toRecord(row: Pick<JobSchema['job'], 'job' | 'request_id' | 'token' | 'shard_tables' | 'machine'>): JobRecord {
  return {
    job: fromBinary(TrainJobSchema, row.job), requestId: row.request_id ?? '', token: row.token,
    shardTables: fromBinary(AssignmentSchema, row.shard_tables).shardTables, machine: row.machine ?? undefined,
  };
}

const toEvent = ({ sequence, subject, payload, timeMs }: LoggedEvent): JobEvent =>
  ({ ...fromBinary(JobEventSchema, payload), sequence: BigInt(sequence), time: timestampFromMs(timeMs), job: subject });
