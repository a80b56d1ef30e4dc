/**
 * Which of several processes of a service on one database leads. The others wait, and listen only when it is their turn.
 *
 * 1. Every change of the leader's is fenced by its lease, in the database: one that was paused while another took over changes nothing any more.
 * 2. A leader that has lost its lease ends: nothing that it still has in memory is true.
 */
import { DatabaseError } from './database-error';
import type { Lease, Leases } from './lease';

/** Renewals within a lease's life: one or two may fail. */
const RENEWALS_A_LEASE = 4;

/** What is said of leading. */
export interface LeadershipLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface LeadershipParts {
  /** The service, which its lease is named for: coordinator. */
  readonly service: string;
  readonly leases: Leases;
  /** Unique to this process. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly logger: LeadershipLog;
}

/** Waits until this process leads. */
export async function awaitLeadership({ service, leases, holder, ttlMs, logger }: LeadershipParts): Promise<Lease> {
  for (;;) {
    const answer = await leases.acquire(service, holder, ttlMs);
    if (answer.kind === 'ACQUIRED') {
      logger.info({ epoch: answer.lease.epoch }, `this ${service} leads`);
      return answer.lease;
    }
    const leader = answer.status.kind === 'HELD' ? answer.status.holder : 'another';
    logger.info({ leader }, `standing by: another ${service} leads`);
    const stop = new AbortController();
    for await (const status of leases.watch(service, stop.signal)) if (status.kind === 'FREE') break;
    stop.abort();
  }
}

/**
 * Renews the lease until it is given up.
 *
 * @param onLost called once, when another process has had the lease since
 * @returns gives the lease up, so that the next one need not wait
 */
export function keepLeadership({ leases, logger, ttlMs }: Pick<LeadershipParts, 'leases' | 'logger' | 'ttlMs'>, lease: Lease, onLost: (error: Error) => void): () => Promise<void> {
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
