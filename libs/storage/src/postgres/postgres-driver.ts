/**
 * PostgreSQL as Kysely's driver wants it.
 *
 * 1. Every transaction begins by taking one advisory lock of its schema and keeps it to its end. So transactions run one after another, whichever
 *    process they are of: what one reads no other changes before it ends, and numbers that they count become visible in their order.
 *    The price: writing is as fast as one commit after another (no group commit), and a slow transaction holds up all. Readers never wait.
 *    Serializable transactions would run side by side but have to be repeated when they collide, and leave sequences without an order.
 * 2. Connections are bounded, as are those who wait for one; every wait has a deadline.
 * 3. A server that is away is waited for before anything was begun, and never after.
 * 4. Commits are durable even when the server's default is not to wait for that.
 */
import {
  PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler,
  type DatabaseConnection, type DatabaseIntrospector, type Dialect, type DialectAdapter, type Driver, type Kysely, type QueryCompiler,
} from 'kysely';
import { Pool, type PoolClient } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError } from '../database-error';
import { PostgresConnection } from './postgres-connection';
import { postgresFailure } from './postgres-failure';
import type { PostgresSettings } from './postgres-settings';
import { Slots } from './slots';
import { valueTypes } from './value-types';

/** Between two attempts to reach a server that is away. */
const RETRY_MS = 100;

const BEGIN = [
  'begin',
  "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'",
  "select pg_advisory_xact_lock(hashtextextended('lockstep ' || current_schema(), 0))",
].join('; ');

export class PostgresDriver implements Driver {
  private readonly pool: Pool;
  private readonly slots: Slots;

  constructor(private readonly settings: PostgresSettings) {
    const { address, maxConnections, maxWaiting, connectTimeoutMs } = settings;
    this.pool = new Pool({
      connectionString: address.url, application_name: settings.applicationName, types: valueTypes, keepAlive: true,
      max: maxConnections, connectionTimeoutMillis: connectTimeoutMs, statement_timeout: settings.statementTimeoutMs,
      lock_timeout: settings.lockTimeoutMs, idle_in_transaction_session_timeout: settings.transactionIdleTimeoutMs,
    });
    // An idle connection ended, and the pool forgets it: the next who needs one makes it.
    this.pool.on('error', () => undefined);
    this.slots = new Slots({ slots: maxConnections, maxWaiting, timeoutMs: connectTimeoutMs, what: `one of ${maxConnections} connections to ${address.shown}` });
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<PostgresConnection> {
    const giveBack = await this.slots.take();
    try {
      return new PostgresConnection(await this.connect(), this.settings, { anew: () => this.connect(), giveBack });
    } catch (e) {
      giveBack();
      throw e;
    }
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await own(connection).begin(BEGIN);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await own(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await own(connection).rollback();
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    own(connection).release();
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    await this.pool.end();
  }

  /** @throws DatabaseError UNREACHABLE after connectTimeoutMs, ACCESS_DENIED at once */
  private async connect(): Promise<PoolClient> {
    const deadlineMs = performance.now() + this.settings.connectTimeoutMs;
    for (;;) {
      try {
        return await this.pool.connect();
      } catch (e) {
        const failure = postgresFailure(e, this.settings.address.shown, 'CONNECT');
        const isAway = failure instanceof DatabaseError && failure.failure === 'UNREACHABLE';
        if (!isAway || this.pool.ending || performance.now() + RETRY_MS > deadlineMs) throw failure;
        await delay(RETRY_MS);
      }
    }
  }
}

/** Kysely gives back the connections that it was given. */
function own(connection: DatabaseConnection): PostgresConnection {
  if (!(connection instanceof PostgresConnection)) throw new TypeError('a connection of another driver');
  return connection;
}

/** Kysely's dialect of PostgreSQL; all that use it share the driver and its connections. */
export class PostgresDialect implements Dialect {
  constructor(private readonly driver: PostgresDriver) {}

  createDriver(): Driver {
    return this.driver;
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(database: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(database);
  }
}
