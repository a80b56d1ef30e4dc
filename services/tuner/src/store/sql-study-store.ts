import { fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { StudyEventSchema, StudySpecSchema, type StudyEvent } from '@lockstep/contract';
import type { TrackedMeasurement } from '@lockstep/search';
import { EventLog, openDatabase, openPostgres, type Database, type Lease, type Leases, type LoggedEvent } from '@lockstep/storage';
import { sql } from 'kysely';
import { GroupCommit } from './group-commit';
import { decodeMeasurement, decodeStudy, decodeTrial } from './json';
import { loggedEvent, MoveWriter, movingColumns, settledColumns } from './move-writer';
import { tunerMigrations, type TunerSchema } from './schema';
import type { ListedStudy, NewStudyEvent, StoredRequest, StoredStudy, StoredTrial, StudyStore, StudyWrite } from './study-store';

const SERVICE = 'tuner';

type TrialRow = TunerSchema['trial'];

/** Studies, trials and their events in a database: SQLite in a data folder, or PostgreSQL. */
export class SqlStudyStore implements StudyStore {
  private readonly log: EventLog;
  private readonly moves: MoveWriter;
  private readonly commits: GroupCommit<StudyWrite>;

  private constructor(private readonly database: Database<TunerSchema>) {
    this.log = new EventLog(database);
    this.moves = new MoveWriter(this.log);
    this.commits = new GroupCommit((writes) => database.transaction((transaction) => this.moves.store(transaction, writes)));
  }

  /** @throws StorageError when the folder is another service's, of another version, or in use */
  static async openFolder(folder: string, programVersion: string): Promise<SqlStudyStore> {
    return new SqlStudyStore(await openDatabase<TunerSchema>({ folder, service: SERVICE, programVersion, migrations: tunerMigrations }));
  }

  /**
   * @param url postgres://user:password@host:port/database
   * @throws StorageError when the database is another service's or of another version; DatabaseError when it cannot be reached
   */
  static async openServer(url: string, programVersion: string): Promise<SqlStudyStore> {
    return new SqlStudyStore(await openPostgres<TunerSchema>({ url, service: SERVICE, programVersion, migrations: tunerMigrations }));
  }

  /** Who of several tuners on one database leads. */
  get leases(): Leases {
    return this.database.leases;
  }

  /** The same store for the holder of a lease: once that is another's, each change fails with the DatabaseError LEASE_LOST and nothing of it is stored. */
  underLease(lease: Lease): SqlStudyStore {
    return new SqlStudyStore(this.database.underLease(lease));
  }

  insert(write: StudyWrite, { id, digest }: { readonly id: string | undefined; readonly digest: string }): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const { numInsertedOrUpdatedRows } = await transaction.query.insertInto('study').values({
        order: undefined, name: write.study.name, request_id: id ?? null, request_digest: digest, ...movingColumns(write.study), ...settledColumns(write),
      }).onConflict((conflict) => conflict.doNothing()).executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows !== 1n) return false;
      await this.moves.storeChanges(transaction, [write]);
      return true;
    });
  }

  write(write: StudyWrite): Promise<void> {
    return this.commits.add(write);
  }

  async get(name: string, nowMs: number): Promise<StoredStudy | undefined> {
    const row = await this.database.query.selectFrom('study').select(['spec', 'space', 'body']).where('name', '=', name).executeTakeFirst();
    if (!row) return undefined;
    const rows = await this.database.query.selectFrom('trial').selectAll().where('study', '=', name).where('pending', '=', 1).orderBy('number').execute();
    const trials = await this.withMeasurements(name, rows, nowMs);
    return { study: decodeStudy(row.body, row.space, trials.map(({ trial }) => trial)), spec: fromBinary(StudySpecSchema, row.spec) };
  }

  async findByRequestId(requestId: string): Promise<{ readonly name: string; readonly digest: string } | undefined> {
    const row = await this.database.query.selectFrom('study').select(['name', 'request_digest']).where('request_id', '=', requestId).executeTakeFirst();
    return row && { name: row.name, digest: row.request_digest };
  }

  async list({ limit, before }: { readonly limit: number; readonly before?: number }): Promise<readonly ListedStudy[]> {
    let query = this.database.query.selectFrom('study').select(['order', 'name', 'spec', 'space', 'body']).orderBy('order', 'desc').limit(limit);
    if (before !== undefined) query = query.where('order', '<', before);
    const rows = await query.execute();
    const names = rows.map(({ name }) => name);
    const pending = names.length === 0 ? [] : await this.database.query.selectFrom('trial').selectAll().where('study', 'in', names).where('pending', '=', 1).orderBy('number').execute();
    return rows.map(({ order, name, spec, space, body }) => ({
      order: order ?? 0, spec: fromBinary(StudySpecSchema, spec),
      study: decodeStudy(body, space, pending.filter(({ study }) => study === name).map((row) => decodeTrial(row.body, [], 0))),
    }));
  }

  async held(): Promise<readonly string[]> {
    return (await this.database.query.selectFrom('study').select('name').where('held', '=', 1).orderBy('order').execute()).map(({ name }) => name);
  }

  findRequest(study: string, id: string): Promise<StoredRequest | undefined> {
    return this.database.query.selectFrom('request').select(['id', 'digest', 'answer']).where('study', '=', study).where('id', '=', id).executeTakeFirst();
  }

  async getTrial(study: string, number: number): Promise<StoredTrial | undefined> {
    return (await this.listTrials(study, { from: number, limit: 1, measurements: true })).find(({ trial }) => trial.number === number);
  }

  async listTrials(study: string, { from, limit, measurements }: { readonly from: number; readonly limit: number; readonly measurements: boolean }): Promise<readonly StoredTrial[]> {
    const rows = await this.database.query.selectFrom('trial').selectAll().where('study', '=', study).where('number', '>=', from).orderBy('number').limit(limit).execute();
    return measurements ? this.withMeasurements(study, rows, 0) : rows.map((row) => toStored(row, [], 0));
  }

  async bestTrials(study: string, limit: number): Promise<readonly StoredTrial[]> {
    const rows = await this.database.query.selectFrom('trial').selectAll().where('study', '=', study).where('standing', 'is not', null)
      .orderBy('standing').orderBy('number').limit(limit).execute();
    return rows.map((row) => toStored(row, [], 0));
  }

  delete(name: string, event: NewStudyEvent, nowMs: number): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const { query } = transaction;
      const { numDeletedRows } = await query.deleteFrom('study').where('name', '=', name).executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) return false;
      await query.deleteFrom('trial').where('study', '=', name).execute();
      await query.deleteFrom('measurement').where('study', '=', name).execute();
      await query.deleteFrom('request').where('study', '=', name).execute();
      await sql`delete from event where subject = ${name}`.execute(query);
      await this.log.append(transaction, [loggedEvent(name, event, nowMs)]);
      return true;
    });
  }

  async *watchEvents(study: string, afterSequence: bigint, signal: AbortSignal): AsyncGenerator<StudyEvent> {
    for await (const event of this.log.watch(study, Number(afterSequence), signal)) yield toEvent(event);
  }

  async lastDeletion(study: string): Promise<bigint | undefined> {
    // A deletion leaves nothing before its own event.
    const [first] = await this.log.read(study, 0, 1);
    return first && toEvent(first).event.case === 'deleted' ? BigInt(first.sequence) : undefined;
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Of the try that each trial is in. */
  private async withMeasurements(study: string, rows: readonly TrialRow[], nowMs: number): Promise<readonly StoredTrial[]> {
    const [first] = rows;
    const last = rows.at(-1);
    if (!first || !last) return [];
    const found = await this.database.query.selectFrom('measurement').select(['trial', 'attempt', 'body']).where('study', '=', study)
      .where('trial', '>=', first.number).where('trial', '<=', last.number).orderBy('order').execute();
    const byTrial = new Map<string, TrackedMeasurement[]>();
    for (const { trial, attempt, body } of found) {
      const key = `${trial}/${attempt}`;
      const list = byTrial.get(key) ?? [];
      byTrial.set(key, list);
      list.push(decodeMeasurement(body));
    }
    return rows.map((row) => {
      const stored = toStored(row, [], nowMs);
      return { ...stored, trial: { ...stored.trial, measurements: byTrial.get(`${row.number}/${stored.trial.attempts}`) ?? [] } };
    });
  }
}

const toStored = ({ body, create_ms, end_ms }: TrialRow, measurements: readonly TrackedMeasurement[], nowMs: number): StoredTrial =>
  ({ trial: decodeTrial(body, measurements, nowMs), createMs: create_ms, endMs: end_ms ?? undefined });

const toEvent = ({ sequence, subject, payload, timeMs }: LoggedEvent): StudyEvent =>
  ({ ...fromBinary(StudyEventSchema, payload), sequence: BigInt(sequence), time: timestampFromMs(timeMs), study: subject });
