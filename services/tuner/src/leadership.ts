/**
 * Which of several tuners on one database serves. The others wait, and listen only when it is their turn.
 *
 * 1. Every change is fenced by the lease, in the database: a tuner that was paused while another took over changes nothing any more.
 * 2. A tuner that has lost its lease ends: nothing that it has in memory is true any more.
 */
import type { Logger } from '@lockstep/rpc';
import { DatabaseError, type Lease, type Leases } from '@lockstep/storage';

const LEASE = 'tuner';
/** Renewals within a lease's life: one or two may fail. */
const RENEWALS_A_LEASE = 4;

export interface LeadershipParts {
  readonly leases: Leases;
  /** Unique to this process. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly logger: Logger;
}

/** Waits until this process is the one that serves. */
export async function awaitLeadership({ leases, holder, ttlMs, logger }: LeadershipParts): Promise<Lease> {
  const stop = new AbortController();
  try {
    for await (const status of leases.watch(LEASE, stop.signal)) {
      if (status.kind === 'HELD') {
        logger.info({ leader: status.holder }, 'standing by: another tuner serves');
        continue;
      }
      const answer = await leases.acquire(LEASE, holder, ttlMs);
      if (answer.kind === 'ACQUIRED') return answer.lease;
    }
  } finally {
    stop.abort();
  }
  throw new Error('the watch of the lease ended, though nobody ended it');
}

/**
 * Renews the lease until it is given up.
 *
 * @param onLost called once, when another tuner has had the lease since
 * @returns gives the lease up, so that the next one need not wait
 */
export function keepLeadership({ leases, logger, ttlMs }: LeadershipParts, lease: Lease, onLost: (error: Error) => void): () => Promise<void> {
  let renewing = false;
  const timer = setInterval(() => {
    // An absent database answers late: one question at a time. Nobody else gets the lease from it meanwhile.
    if (renewing) return;
    renewing = true;
    leases.renew(lease).catch((e: unknown) => {
      if (!(e instanceof DatabaseError) || e.failure !== 'LEASE_LOST') {
        logger.warn({ err: e }, 'the lease could not be renewed; it is tried again');
        return;
      }
      clearInterval(timer);
      onLost(e);
    }).finally(() => { renewing = false; });
  }, ttlMs / RENEWALS_A_LEASE);
  return async () => {
    clearInterval(timer);
    await leases.release(lease).catch((e: unknown) => logger.warn({ err: e }, 'the lease could not be given up; it expires'));
  };
}
