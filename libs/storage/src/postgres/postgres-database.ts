import { Kysely, sql } from 'kysely';
import { postgresColumnTypes } from '../column-types';
import { SqlDatabase, type Database } from '../database';
import { DatabaseError } from '../database-error';
import { migrate, type SchemaOwner } from '../migration';
import type { LeaseClock } from '../sql-leases';
import { PostgresDialect, PostgresDriver } from './postgres-driver';
import { PostgresNotifications } from './postgres-notifications';
import { postgresSettings, type PostgresOptions } from './postgres-settings';
import { Slots } from './slots';

export interface PostgresDatabaseOptions extends SchemaOwner, PostgresOptions {}

const nowMs = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
const serverClock: LeaseClock = { nowMs, expiryMs: (ttlMs) => sql`${nowMs} + ${ttlMs}::bigint` };

/**
 * Opens a database of a PostgreSQL server (12 or newer) and brings it to the newest schema. Any number of processes may have it open.
 * Needs connections of its own: through a proxy that pools transactions notifications do not arrive.
 *
 * @throws StorageError OTHER_SERVICE, OTHER_VERSION, DISK_FULL; DatabaseError UNREACHABLE, ACCESS_DENIED
 */
export async function openPostgres<Schema>(options: PostgresDatabaseOptions): Promise<Database<Schema>> {
  const settings = postgresSettings(options, options.service);
  const { shown } = settings.address;
  const dialect = new PostgresDialect(new PostgresDriver(settings));
  const query = new Kysely<Schema>({ dialect });
  const notifications = new PostgresNotifications(settings);
  const writers = new Slots({ slots: 1, maxWaiting: settings.maxWaiting, timeoutMs: settings.queueTimeoutMs, what: `the transactions before this one on ${shown}` });
  const close = async (): Promise<void> => {
    await notifications.close();
    await query.destroy();
  };
  try {
    const own = new Kysely<unknown>({ dialect });
    await checkServer(own, shown);
    await migrate((work) => own.transaction().execute(work), options, {
      what: `the database ${shown}`, remedy: 'choose another database in the URL', facts: { server: shown }, types: postgresColumnTypes,
    });
  } catch (e) {
    await close();
    throw e;
  }
  const inTurn = async <T>(transaction: () => Promise<T>): Promise<T> => {
    const leave = await writers.take();
    try {
      return await transaction();
    } finally {
      leave();
    }
  };
  return new SqlDatabase<Schema>({ query, notifications, leaseClock: serverClock, inTurn, close });
}

/** @throws DatabaseError ACCESS_DENIED for a server that cannot keep what it acknowledges */
async function checkServer(database: Kysely<unknown>, shown: string): Promise<void> {
  const { rows: [server] } = await sql<{ fsync: string; standby: boolean }>`select current_setting('fsync') as fsync, pg_is_in_recovery() as standby`.execute(database);
  if (server?.standby !== false) throw new DatabaseError('ACCESS_DENIED', `${shown} is a read-only standby: give the URL of the primary`, { server: shown });
  if (server.fsync === 'off') {
    throw new DatabaseError('ACCESS_DENIED', `${shown} runs with fsync = off, so what it acknowledges may be lost with the power: set fsync = on in postgresql.conf`, { server: shown });
  }
}
