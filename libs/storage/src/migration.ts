/**
 * Versions of a database's schema.
 *
 * 1. A schema's version is the number of its migrations; the list only grows at its end, and what was released never changes.
 * 2. A migration and the version that it makes are written in one transaction: a folder is at a version or at the one before.
 * 3. A folder of a newer version, or of another service, is refused before anything in it is touched.
 */
import { sql, type Kysely, type Transaction } from 'kysely';
import { StorageError } from './storage-error';

/** One step from a schema to the next. */
export interface Migration {
  /** In words, for people who read the list. */
  readonly name: string;
  readonly up: (transaction: Transaction<unknown>) => Promise<void>;
}

/** Whose data it is and what this program can read. */
export interface SchemaOwner {
  readonly service: string;
  /** Version of the program, for the error of an older one that meets what it wrote. */
  readonly programVersion: string;
  readonly migrations: readonly Migration[];
}

interface FolderRow {
  readonly service: string;
  readonly schema_version: number;
  readonly program_version: string;
}

/** Brings a database to the newest version. @param where for errors */
export async function migrate(database: Kysely<unknown>, owner: SchemaOwner, where: string): Promise<void> {
  const { service, programVersion, migrations } = owner;
  const row = await readFolderRow(database);
  if (row && row.service !== service) {
    throw new StorageError('OTHER_SERVICE', `the data folder ${where} belongs to the ${row.service} service, not to ${service}: choose another folder with --data`, { path: where });
  }
  const found = row?.schema_version ?? 0;
  if (row && found > migrations.length) {
    throw new StorageError('OTHER_VERSION',
      `the data folder ${where} has schema version ${found}, written by ${service} ${row.program_version}; this is ${service} ${programVersion}, which reads versions up to ${migrations.length}. `
      + `Run ${service} ${row.program_version} or newer, or choose another folder with --data`,
      { path: where, found: String(found), supported: String(migrations.length) });
  }
  for (const [i, migration] of migrations.entries()) {
    if (i < found) continue;
    await database.transaction().execute(async (transaction) => {
      await migration.up(transaction);
      await writeFolderRow(transaction, { service, schema_version: i + 1, program_version: programVersion });
    });
  }
}

async function readFolderRow(database: Kysely<unknown>): Promise<FolderRow | undefined> {
  await sql`create table if not exists lockstep_folder (service text not null, schema_version integer not null, program_version text not null)`.execute(database);
  const { rows } = await sql<FolderRow>`select service, schema_version, program_version from lockstep_folder`.execute(database);
  return rows[0];
}

async function writeFolderRow(transaction: Transaction<unknown>, row: FolderRow): Promise<void> {
  await sql`delete from lockstep_folder`.execute(transaction);
  await sql`insert into lockstep_folder values (${row.service}, ${row.schema_version}, ${row.program_version})`.execute(transaction);
}
