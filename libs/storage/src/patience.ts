import { setTimeout as delay } from 'node:timers/promises';
import { isOutage } from './database-error';

/** How long a watcher waits for a database that is away before it gives up. */
const OUTAGE_TIMEOUT_MS = 60_000;
const RETRY_MS = 250;

/**
 * Reads for a watcher, which outlives a restart of its database's server: tries again until it succeeds, the signal aborts, or the server was away for a minute.
 *
 * @returns undefined when the signal aborted
 * @throws DatabaseError when the server is away for longer; any other failure at once
 */
export async function readPatiently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const deadlineMs = performance.now() + OUTAGE_TIMEOUT_MS;
  while (!signal.aborted) {
    try {
      return await read();
    } catch (e) {
      if (!isOutage(e) || performance.now() > deadlineMs) throw e;
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined); // Aborted: the loop ends.
  }
  return undefined;
}
