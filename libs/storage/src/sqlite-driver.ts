/**
 * SQLite's driver of Kysely, with patience for other programs that have the database: a backup, or somebody's tool.
 *
 * 1. A transaction takes the right to write when it begins. So it fails before anything was done, or not for another program's sake at all.
 * 2. Who finds the database locked waits without holding up the process, and tries again. A transaction waits without the connection: in WAL mode the
 *    database can be read meanwhile.
 * 3. The deadline counts from when the call came: those who queue behind one that waits give up with it, not one deadline after the other.
 */
import { CompiledQuery, SqliteDialect, SqliteDriver, type DatabaseConnection, type Driver, type QueryResult, type SqliteDatabase } from 'kysely';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError } from './database-error';
import { isBusy } from './sqlite-connection';
import { lockHolder } from './sqlite-lock-holder';
import { isError } from './storage-error';

/** How long a statement waits for another program: that of a backup or a tool is over sooner, or lasts. */
const LOCK_TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** Kysely's dialect of one SQLite file. Its transactions fail at once when the database is locked, with an error for which isBusy holds: run them in `Turns`. */
export class PatientSqliteDialect extends SqliteDialect {
  /** @param file where the database is, for messages */
  constructor(private readonly database: SqliteDatabase, private readonly file: string) {
    super({ database });
  }

  override createDriver(): Driver {
    return new PatientDriver(this.database, this.file);
  }
}

/** Runs the transactions of a process one after the other, in the order in which they came, each when no other program has the database. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** @throws DatabaseError TIMED_OUT; whatever the transaction throws */
  take<T>(transaction: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + LOCK_TIMEOUT_MS;
    const mine = this.last.then(() => whenUnlocked(this.file, transaction, deadlineMs));
    this.last = mine.catch(() => undefined); // Who comes next does not care how this one ended; its caller is told.
    return mine;
  }
}

/**
 * Does what may find the database locked, until it does not or the deadline is over.
 *
 * @param act leaves nothing done when it fails
 * @throws DatabaseError TIMED_OUT that names the program which has it, where the system says so
 */
export async function whenUnlocked<T>(file: string, act: () => T | Promise<T>, deadlineMs = performance.now() + LOCK_TIMEOUT_MS): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await act();
    } catch (e) {
      if (!isBusy(e)) throw e;
      if (performance.now() >= deadlineMs) throw locked(file, e);
    }
    await delay(pauseMs);
  }
}

class PatientDriver extends SqliteDriver {
  constructor(database: SqliteDatabase, private readonly file: string) {
    super({ database });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const deadlineMs = performance.now() + LOCK_TIMEOUT_MS;
    return new PatientConnection(await super.acquireConnection(), this.file, deadlineMs);
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connectionOf(connection).executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

class PatientConnection implements DatabaseConnection {
  /** @param connection without patience */
  constructor(readonly connection: DatabaseConnection, private readonly file: string, private readonly deadlineMs: number) {}

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return whenUnlocked(this.file, () => this.connection.executeQuery<Row>(query), this.deadlineMs);
  }

  /** Rows that are read one by one cannot be read again: no patience here. */
  async *streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    try {
      yield* this.connection.streamQuery<Row>(query, chunkSize);
    } catch (e) {
      throw isBusy(e) ? locked(this.file, e) : e;
    }
  }
}

/** Kysely gives back the connections that it was given. */
function connectionOf(connection: DatabaseConnection): DatabaseConnection {
  if (!(connection instanceof PatientConnection)) throw new TypeError('a connection of another driver');
  return connection.connection;
}

function locked(file: string, cause: unknown): DatabaseError {
  const holder = lockHolder(file);
  return new DatabaseError('TIMED_OUT',
    `the database ${file} is locked by ${holder ?? 'another program'}, which was waited for: ${LOCK_TIMEOUT_MS / 1000} s at most. Nothing was done; end that program or its transaction, and try again`,
    { path: file, ...(holder !== undefined && { holder }), ...(isError(cause) && { detail: cause.message }) }, { cause });
}
