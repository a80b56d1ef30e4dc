import { Kysely, sql } from 'kysely';
import path from 'node:path';
import { sqliteColumnTypes } from './column-types';
import { SqlDatabase, type Database } from './database';
import { EventSignal } from './event-signal';
import { lockFolder } from './folder-lock';
import { migrate, type SchemaOwner } from './migration';
import type { LeaseClock } from './sql-leases';
import { openSqlite } from './sqlite-connection';
import { PatientSqliteDialect, Turns, whenUnlocked } from './sqlite-driver';

export interface DatabaseOptions extends SchemaOwner {
  /** Data folder; made if need be, and locked until the database is closed. */
  readonly folder: string;
}

/** The folder's lock ends with its process, and so do the process's leases: no clock is needed. */
const noClock: LeaseClock = { nowMs: sql`0`, expiryMs: () => sql`null` };

/**
 * Opens the SQLite database of a data folder and brings it to the newest schema.
 *
 * @throws StorageError FOLDER_LOCKED, OTHER_SERVICE, OTHER_VERSION, DATA_LOSS, DISK_FULL, IO; DatabaseError TIMED_OUT while another program has the file
 */
export async function openDatabase<Schema>(options: DatabaseOptions): Promise<Database<Schema>> {
  const { folder, service } = options;
  const lock = lockFolder(folder, service);
  try {
    const file = path.join(folder, 'database.sqlite');
    const sqlite = await whenUnlocked(file, () => openSqlite(file));
    const turns = new Turns(file);
    const dialect = new PatientSqliteDialect(sqlite, file);
    const query = new Kysely<Schema>({ dialect });
    try {
      const own = new Kysely<unknown>({ dialect });
      await migrate((work) => turns.take(() => own.transaction().execute(work)), options, {
        what: `the data folder ${folder}`, remedy: 'choose another folder with --data', facts: { path: folder }, types: sqliteColumnTypes,
      });
      await endLeases(own);
    } catch (e) {
      sqlite.close();
      throw e;
    }
    const close = async (): Promise<void> => {
      await query.destroy();
      sqlite.close();
      lock.release();
    };
    return new SqlDatabase<Schema>({ query, notifications: new EventSignal(), leaseClock: noClock, inTurn: (transaction) => turns.take(transaction), close });
  } catch (e) {
    lock.release();
    throw e;
  }
}

/** Ends the leases of the process that had the folder before: it is gone, since this one has the lock. */
async function endLeases(database: Kysely<unknown>): Promise<void> {
  const { rows } = await sql`select name from sqlite_master where type = 'table' and name = 'lockstep_lease'`.execute(database);
  if (rows.length > 0) await sql`update lockstep_lease set holder = null`.execute(database);
}
