/**
 * The database of a service.
 *
 * 1. A transaction is all or nothing, and durable when `transaction` returns.
 * 2. Transactions run one after another, whichever process they are of: what one reads, no other changes before it ends.
 * 3. Actions after a commit run when it is durable, and never when it was rolled back.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Lease, Leases } from './lease';
import type { Notifications } from './notifications';
import { SqlLeases, type LeaseClock } from './sql-leases';

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
  /** Wakes up those who wait for a change, in every process that has the database. */
  readonly notifications: Notifications;
  /** Needs leaseMigration among the migrations. */
  readonly leases: Leases;
  /** Runs `work` in a transaction that commits when it returns and rolls back when it throws. */
  transaction<T>(work: (transaction: DatabaseTransaction<Schema>) => Promise<T>): Promise<T>;
  /** The same database for the holder of a lease: once that is another's, each transaction fails with LEASE_LOST and writes nothing. */
  underLease(lease: Lease): Database<Schema>;
  close(): Promise<void>;
}

/** What databases differ in. */
export interface DatabaseParts<Schema> {
  readonly query: Kysely<Schema>;
  readonly notifications: Notifications;
  readonly leaseClock: LeaseClock;
  /** Runs a transaction when it may begin. Has it begin again only if nothing of it was done. */
  inTurn<T>(transaction: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A database that is reached through Kysely. */
export class SqlDatabase<Schema> implements Database<Schema> {
  readonly query: Kysely<Schema>;
  readonly notifications: Notifications;
  readonly leases: SqlLeases;

  constructor(private readonly parts: DatabaseParts<Schema>, private readonly fence?: { readonly leases: SqlLeases; readonly lease: Lease }) {
    this.query = parts.query;
    this.notifications = parts.notifications;
    this.leases = fence?.leases ?? new SqlLeases(this, parts.leaseClock);
  }

  transaction<T>(work: (transaction: DatabaseTransaction<Schema>) => Promise<T>): Promise<T> {
    return this.parts.inTurn(async () => {
      const actions: (() => void)[] = [];
      const result = await this.query.transaction().execute(async (query) => {
        if (this.fence) await this.fence.leases.check(query, this.fence.lease);
        return work({ query, afterCommit: (action) => void actions.push(action) });
      });
      for (const action of actions) action();
      return result;
    });
  }

  underLease(lease: Lease): Database<Schema> {
    return new SqlDatabase(this.parts, { leases: this.leases, lease });
  }

  close(): Promise<void> {
    return this.parts.close();
  }
}
