import { postgresAddress, type PostgresAddress } from './postgres-address';

/** What a caller says of the server. */
export interface PostgresOptions {
  /** postgres://user:password@host:port/database; one service a database (or a schema, by `?options=-c%20search_path%3Dname`). */
  readonly url: string;
  /** How long a server that is away, or not yet up, is waited for. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * A transaction whose program says nothing for this long is rolled back by the server, so that a paused program cannot hold up the others: a new
   * holder of a lease waits at most this long. Default 5,000.
   */
  readonly transactionIdleTimeoutMs?: number;
}

/** What the driver works with. */
export interface PostgresSettings {
  readonly address: PostgresAddress;
  /** Who connects, as the server's pg_stat_activity shows it. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly transactionIdleTimeoutMs: number;
  /** Connections beside the one that listens. */
  readonly maxConnections: number;
  /** Callers that may wait for a connection, and for the transaction before theirs. */
  readonly maxWaiting: number;
  /** One statement, on the server. */
  readonly statementTimeoutMs: number;
  /** A transaction waits at most this long for those before it in its own process. */
  readonly queueTimeoutMs: number;
  /** And then for those of other processes, on the server. */
  readonly lockTimeoutMs: number;
  /** From a statement to its answer; longer than the server's own limit, which is the better report. */
  readonly answerTimeoutMs: number;
  /** Who waits for a notification wakes up by itself after this long: notifications may be lost on the way. */
  readonly pollMs: number;
}

/** @throws DatabaseError ACCESS_DENIED for a bad URL */
export function postgresSettings({ url, connectTimeoutMs = 10_000, transactionIdleTimeoutMs = 5_000 }: PostgresOptions, service: string): PostgresSettings {
  return {
    address: postgresAddress(url), applicationName: `lockstep ${service}`, connectTimeoutMs, transactionIdleTimeoutMs,
    maxConnections: 8, maxWaiting: 10_000, queueTimeoutMs: 30_000, lockTimeoutMs: 20_000, statementTimeoutMs: 30_000, answerTimeoutMs: 35_000, pollMs: 5_000,
  };
}
