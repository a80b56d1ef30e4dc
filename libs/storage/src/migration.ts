/**
 * Versions of a database's schema.
 *
 * 1. A schema's version is the number of its migrations; the list only grows at its end, and what was released never changes.
 * 2. A migration and the version that it makes are written in one transaction: a database is at a version or at the one before.
 * 3. A database of a newer version, or of another service, is refused before anything in it is touched.
 * 4. The version is read in the transaction that raises it, so processes that open a database at once raise it once.
 */
import { sql, type Transaction } from 'kysely';
import type { ColumnTypes } from './column-types';
import { StorageError } from './storage-error';

/** One step from a schema to the next. */
export interface Migration {
  /** In words, for people who read the list. */
  readonly name: string;
  /** @param types names of column types, which differ between databases */
  readonly up: (transaction: Transaction<unknown>, types: ColumnTypes) => Promise<void>;
}

/** Whose data it is and what this program can read. */
export interface SchemaOwner {
  readonly service: string;
  /** Version of the program, for the error of an older one that meets what it wrote. */
  readonly programVersion: string;
  readonly migrations: readonly Migration[];
}

/** What is migrated, in words for errors. */
export interface MigrationTarget {
  /** `the data folder /x`. */
  readonly what: string;
  /** What to do when it is another's: `choose another folder with --data`. */
  readonly remedy: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly types: ColumnTypes;
}

/** Runs work in a transaction, one after another. */
export type RunTransaction = <T>(work: (transaction: Transaction<unknown>) => Promise<T>) => Promise<T>;

interface FolderRow {
  readonly service: string;
  readonly schema_version: number;
  readonly program_version: string;
}

/** Brings a database to the newest version. @throws StorageError OTHER_SERVICE or OTHER_VERSION */
export async function migrate(run: RunTransaction, owner: SchemaOwner, target: MigrationTarget): Promise<void> {
  let current = false;
  while (!current) current = await run((transaction) => migrateOnce(transaction, owner, target));
}

/** @returns whether the database is at the newest version */
async function migrateOnce(transaction: Transaction<unknown>, { service, programVersion, migrations }: SchemaOwner, { what, remedy, facts, types }: MigrationTarget): Promise<boolean> {
  const row = await readFolderRow(transaction);
  if (row && row.service !== service) {
    throw new StorageError('OTHER_SERVICE', `${what} belongs to the ${row.service} service, not to ${service}: ${remedy}`, facts);
  }
  const found = row?.schema_version ?? 0;
  if (row && found > migrations.length) {
    throw new StorageError('OTHER_VERSION',
      `${what} has schema version ${found}, written by ${service} ${row.program_version}; this is ${service} ${programVersion}, which reads versions up to ${migrations.length}. `
      + `Run ${service} ${row.program_version} or newer, or ${remedy}`,
      { ...facts, found: String(found), supported: String(migrations.length) });
  }
  const next = migrations[found];
  if (next === undefined) return true;
  await next.up(transaction, types);
  await writeFolderRow(transaction, { service, schema_version: found + 1, program_version: programVersion });
  return found + 1 === migrations.length;
}

async function readFolderRow(transaction: Transaction<unknown>): Promise<FolderRow | undefined> {
  await sql`create table if not exists lockstep_folder (service text not null, schema_version integer not null, program_version text not null)`.execute(transaction);
  const { rows } = await sql<FolderRow>`select service, schema_version, program_version from lockstep_folder`.execute(transaction);
  return rows[0];
}

async function writeFolderRow(transaction: Transaction<unknown>, row: FolderRow): Promise<void> {
  await sql`delete from lockstep_folder`.execute(transaction);
  await sql`insert into lockstep_folder values (${row.service}, ${row.schema_version}, ${row.program_version})`.execute(transaction);
}
