/**
 * SQLite as Kysely's dialect wants it, with errors that have a reason.
 *
 * 1. WAL with synchronous FULL: a transaction whose commit returned survives kill -9 and power loss.
 * 2. After SQLite itself has rolled back (a full disk), Kysely's rollback finds no transaction and is left out, so that the
 *    first error is the one that callers see.
 */
import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { isError, StorageError } from './storage-error';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** Pages that the log grows by before SQLite copies them into the database, which holds up the process for some milliseconds: 16 MB. */
const CHECKPOINT_PAGES = 4_000;

/** Statements that stay compiled; services have some tens. */
const MAX_CACHED_STATEMENTS = 256;

/** Opens a database file for one process. @throws StorageError DISK_FULL, DATA_LOSS, IO; SQLite's own error, for which isBusy holds, while another program has the file */
export function openSqlite(file: string): SqliteDatabase {
  const guard = <T>(act: () => T): T => {
    try {
      return act();
    } catch (e) {
      throw sqliteFailure(e, file);
    }
  };
  const database = guard(() => new DatabaseSync(file));
  try {
    guard(() => database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`));
  } catch (e) {
    database.close();
    throw e;
  }
  const cache = new Map<string, SqliteStatement>();
  return {
    close: () => {
      if (database.isOpen) database.close();
    },
    prepare: (sql) => {
      if (sql === 'rollback' && !database.isTransaction) return NOTHING;
      const known = cache.get(sql);
      if (known) return known;
      const statement = guarded(guard(() => database.prepare(sql)), guard);
      const [oldest] = cache.keys();
      if (cache.size >= MAX_CACHED_STATEMENTS && oldest !== undefined) cache.delete(oldest);
      cache.set(sql, statement);
      return statement;
    },
  };
}

const NOTHING: SqliteStatement = { reader: false, all: () => [], run: () => ({ changes: 0, lastInsertRowid: 0 }), iterate: () => [].values() };

function guarded(statement: StatementSyncInstance, guard: <T>(act: () => T) => T): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard((): unknown[] => statement.all(...parameters)),
    run: (parameters) => guard(() => statement.run(...parameters)),
    iterate: (parameters) => guard(() => statement.iterate(...parameters)),
  };
}

/** The primary result code, or undefined for an error that is not SQLite's. */
function resultCode(caught: unknown): number | undefined {
  return isError(caught) && 'errcode' in caught && typeof caught.errcode === 'number' ? caught.errcode & 0xff : undefined;
}

/** Whether another connection holds the database. */
export const isBusy = (caught: unknown): boolean => resultCode(caught) === SQLITE_BUSY;

function sqliteFailure(caught: unknown, file: string): unknown {
  const options = { cause: caught };
  switch (resultCode(caught)) {
    case undefined:
    case SQLITE_BUSY: return caught; // Who can wait decides on it: see sqlite-driver.ts.
    case SQLITE_FULL:
      return new StorageError('DISK_FULL', `could not write the database ${file}: the disk is full. The change was rolled back whole; free some space and try again`, { path: file }, options);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new StorageError('DATA_LOSS', `the database ${file} is damaged: restore the data folder from a backup`, { path: file }, options);
    default:
      return new StorageError('IO', `the database ${file} failed: ${isError(caught) ? caught.message : String(caught)}`, { path: file }, options);
  }
}
