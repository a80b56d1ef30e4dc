/**
 * The database of a service.
 *
 * 1. A transaction is all or nothing, and durable when `transaction` returns.
 * 2. Transactions run one after another: what one reads, no other changes before it ends.
 * 3. Actions after a commit run when it is durable, and never when it was rolled back.
 */
import { Kysely, SqliteDialect, type Transaction } from 'kysely';
import path from 'node:path';
import { lockFolder } from './folder-lock';
import { migrate, type SchemaOwner } from './migration';
import { openSqlite } from './sqlite-connection';

/** A running transaction. */
export interface DatabaseTransaction<Schema> {
  readonly query: Transaction<Schema>;
  /** Runs when the transaction is durable: to wake up whoever waits for what it wrote. Must not throw. */
  readonly afterCommit: (action: () => void) => void;
}

/** An open database; `Schema` has one property a table, as Kysely wants it. */
export interface Database<Schema> {
  /** For reads outside of a transaction. */
  readonly query: Kysely<Schema>;
  /** Runs `work` in a transaction that commits when it returns and rolls back when it throws. */
  transaction<T>(work: (transaction: DatabaseTransaction<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions extends SchemaOwner {
  /** Data folder; made if need be, and locked until the database is closed. */
  readonly folder: string;
}

/**
 * Opens the SQLite database of a data folder and brings it to the newest schema.
 *
 * @throws StorageError FOLDER_LOCKED, OTHER_SERVICE, OTHER_VERSION, DATA_LOSS, DISK_FULL, IO
 */
export async function openDatabase<Schema>(options: DatabaseOptions): Promise<Database<Schema>> {
  const lock = lockFolder(options.folder, options.service);
  try {
    const sqlite = openSqlite(path.join(options.folder, 'database.sqlite'));
    const dialect = new SqliteDialect({ database: sqlite });
    try {
      await migrate(new Kysely<unknown>({ dialect }), options, options.folder);
    } catch (e) {
      sqlite.close();
      throw e;
    }
    const query = new Kysely<Schema>({ dialect });
    const close = async (): Promise<void> => {
      await query.destroy();
      sqlite.close();
      lock.release();
    };
    return { query, close, transaction: (work) => runTransaction(query, work) };
  } catch (e) {
    lock.release();
    throw e;
  }
}

async function runTransaction<Schema, T>(database: Kysely<Schema>, work: (transaction: DatabaseTransaction<Schema>) => Promise<T>): Promise<T> {
  const actions: (() => void)[] = [];
  const result = await database.transaction().execute((query) => work({ query, afterCommit: (action) => void actions.push(action) }));
  for (const action of actions) action();
  return result;
}
