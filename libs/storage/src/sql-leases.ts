/**
 * Leases in a table of the database.
 *
 * 1. A lease is acquired in a transaction. Transactions run one after another, so nobody takes over while one under the lease runs: its check holds to its end.
 * 2. Renewing and giving up are single statements that wait for no transaction.
 */
import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import { leaseLost, leaseTopic, sameLeaseStatus, type Lease, type LeaseAnswer, type Leases, type LeaseStatus } from './lease';
import type { Notifications, NotifyingTransaction } from './notifications';
import { readPatiently } from './patience';

/** The clock that decides over expiry: the database's, as SQL. */
export interface LeaseClock {
  readonly nowMs: RawBuilder<number>;
  /** Null: the lease does not expire. */
  expiryMs(ttlMs: number): RawBuilder<number | null>;
}

/** What leases need of their database. */
export interface LeaseDatabase {
  readonly query: QueryExecutorProvider;
  readonly notifications: Notifications;
  transaction<T>(work: (transaction: NotifyingTransaction) => Promise<T>): Promise<T>;
}

interface LeaseRow {
  readonly holder: string | null;
  readonly epoch: number;
  readonly left_ms: number | null;
}

export class SqlLeases implements Leases {
  constructor(private readonly database: LeaseDatabase, private readonly clock: LeaseClock) {}

  async acquire(name: string, holder: string, ttlMs: number): Promise<LeaseAnswer> {
    const { nowMs } = this.clock;
    return this.database.transaction(async (transaction): Promise<LeaseAnswer> => {
      const { rows: [row] } = await sql<{ epoch: number }>`
        insert into lockstep_lease (name, holder, epoch, expires_ms) values (${name}, ${holder}, 1, ${this.clock.expiryMs(ttlMs)})
        on conflict (name) do update set holder = excluded.holder, epoch = lockstep_lease.epoch + 1, expires_ms = excluded.expires_ms
        where lockstep_lease.holder is null or lockstep_lease.expires_ms <= ${nowMs} returning epoch
      `.execute(transaction.query);
      if (row === undefined) return { kind: 'TAKEN', status: await this.status(transaction.query, name) };
      await this.database.notifications.notify(transaction, leaseTopic(name));
      return { kind: 'ACQUIRED', lease: { name, holder, epoch: row.epoch, ttlMs } };
    });
  }

  async renew(lease: Lease): Promise<void> {
    const { rows } = await sql`
      update lockstep_lease set expires_ms = ${this.clock.expiryMs(lease.ttlMs)} where name = ${lease.name} and epoch = ${lease.epoch} and holder is not null returning epoch
    `.execute(this.database.query);
    if (rows.length === 0) throw leaseLost(lease, await this.status(this.database.query, lease.name));
  }

  async release(lease: Lease): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await sql`update lockstep_lease set holder = null where name = ${lease.name} and epoch = ${lease.epoch}`.execute(transaction.query);
      await this.database.notifications.notify(transaction, leaseTopic(lease.name));
    });
  }

  async *watch(name: string, signal: AbortSignal): AsyncGenerator<LeaseStatus, void, undefined> {
    let last: LeaseStatus | undefined;
    while (!signal.aborted) {
      // Listening begins before reading: what is committed in between is not missed.
      const early = this.database.notifications.listen(leaseTopic(name), signal);
      try {
        const status = await readPatiently(() => this.status(this.database.query, name), signal);
        if (status === undefined) return;
        if (!sameLeaseStatus(last, status)) {
          yield status;
          last = status;
          continue; // Time has passed since it was read.
        }
        await this.nextChange(early.heard, status, name, signal);
      } finally {
        early.stop();
      }
    }
  }

  /** @throws DatabaseError LEASE_LOST; until the transaction ends nobody takes the lease over */
  async check(transaction: QueryExecutorProvider, lease: Lease): Promise<void> {
    const { rows: [row] } = await sql<LeaseRow>`select holder, epoch, null as left_ms from lockstep_lease where name = ${lease.name}`.execute(transaction);
    if (row?.epoch !== lease.epoch || row.holder === null) throw leaseLost(lease, toStatus(row));
  }

  private async status(query: QueryExecutorProvider, name: string): Promise<LeaseStatus> {
    const { rows: [row] } = await sql<LeaseRow>`select holder, epoch, expires_ms - ${this.clock.nowMs} as left_ms from lockstep_lease where name = ${name}`.execute(query);
    return toStatus(row);
  }

  /** Resolves at a notification, or when the lease expires. */
  private async nextChange(heard: Promise<void>, status: LeaseStatus, name: string, signal: AbortSignal): Promise<void> {
    if (status.kind === 'FREE' || status.expiresInMs === undefined) return heard;
    const expiry = this.database.notifications.listen(leaseTopic(name), signal, status.expiresInMs);
    try {
      await Promise.race([heard, expiry.heard]);
    } finally {
      expiry.stop();
    }
  }
}

function toStatus(row: LeaseRow | undefined): LeaseStatus {
  if (row === undefined) return { kind: 'FREE', epoch: 0 };
  const { holder, epoch, left_ms } = row;
  if (holder === null || (left_ms !== null && left_ms <= 0)) return { kind: 'FREE', epoch };
  return { kind: 'HELD', holder, epoch, expiresInMs: left_ms ?? undefined };
}
