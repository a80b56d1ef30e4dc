/**
 * Leases: who of several processes may act.
 *
 * 1. A lease has one holder at a time. Each new holder gets a larger epoch, also after the same one.
 * 2. A transaction under a lease checks in itself that the epoch is still its own: a holder that was paused while another took over writes nothing any more.
 *    Clocks of the processes do not matter: what expired is decided where the lease is stored.
 */
import { sql } from 'kysely';
import { DatabaseError } from './database-error';
import type { Migration } from './migration';

/** A lease as its holder has it. */
export interface Lease {
  readonly name: string;
  /** Unique to the process: one that comes back is another. */
  readonly holder: string;
  /** Grows with each new holder. */
  readonly epoch: number;
  /** Not renewed for so long, it may become another's. */
  readonly ttlMs: number;
}

export type LeaseStatus =
  /** Nobody has it; `epoch` is the last holder's, 0 when there was none. */
  | { readonly kind: 'FREE'; readonly epoch: number }
  | { readonly kind: 'HELD'; readonly holder: string; readonly epoch: number; /** Undefined: as long as its process lives. */ readonly expiresInMs: number | undefined };

export type LeaseAnswer =
  | { readonly kind: 'ACQUIRED'; readonly lease: Lease }
  /** Somebody has it: this holder too, when it asks twice. */
  | { readonly kind: 'TAKEN'; readonly status: LeaseStatus };

export interface Leases {
  /** Takes a lease that is free or has expired; never waits for one. */
  acquire(name: string, holder: string, ttlMs: number): Promise<LeaseAnswer>;
  /** Puts the expiry ttlMs from now. Well before that, a third of the ttl at the latest. @throws DatabaseError LEASE_LOST when another has had it since */
  renew(lease: Lease): Promise<void>;
  /** Gives the lease up, so that the next need not wait for its expiry; nothing when it is no longer this holder's. */
  release(lease: Lease): Promise<void>;
  /** The status now, and then whenever it has changed, until the signal aborts; an expiry is a change to FREE. */
  watch(name: string, signal: AbortSignal): AsyncIterable<LeaseStatus>;
}

/** The table; a service that takes leases has this among its migrations. */
export const leaseMigration: Migration = {
  name: 'leases',
  up: async (transaction, { integer }) => {
    await sql`create table lockstep_lease (name text not null primary key, holder text, epoch ${integer} not null, expires_ms ${integer})`.execute(transaction);
  },
};

/** Topic of the notifications about a lease. */
export const leaseTopic = (name: string): string => `lease:${name}`;

export function leaseLost({ name, holder, epoch }: Lease, now: LeaseStatus): DatabaseError {
  const who = now.kind === 'FREE' ? 'it was given up' : `${now.holder} has it with epoch ${now.epoch}`;
  return new DatabaseError('LEASE_LOST', `the lease ${name} is no longer that of ${holder} with epoch ${epoch}: ${who}. Nothing was written; stop acting, and acquire the lease anew`,
    { lease: name, holder, epoch: String(epoch), currentEpoch: String(now.epoch) });
}

export const sameLeaseStatus = (a: LeaseStatus | undefined, b: LeaseStatus): boolean =>
  a !== undefined && a.epoch === b.epoch && (a.kind === 'HELD' ? b.kind === 'HELD' && a.holder === b.holder : b.kind === 'FREE');
