import type { Logger } from '@lockstep/rpc';
import { isOutage } from '@lockstep/storage';

/** Logs what could not be done. A database that is away or locked says all in its message, and may do so every second: no stack then. */
export function logOutage(logger: Logger, caught: unknown, what: string): void {
  if (isOutage(caught)) logger.warn({ reason: caught.failure }, `${what}: ${caught.message}`);
  else logger.error({ err: caught }, what);
}
