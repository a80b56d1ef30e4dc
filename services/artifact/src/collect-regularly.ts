import { RpcError, type Logger } from '@lockstep/rpc';
import type { GarbageCollector } from './policy/garbage-collector';

/** A service that is started often has to collect too. */
const FIRST_AFTER_MS = 60_000;

/**
 * Collects garbage soon, and then every so often, until it is stopped.
 *
 * @param intervalMs from the end of a collection to the next; 0: never
 * @returns how to stop it; ends a collection that runs early, and waits for that
 */
export function collectRegularly(collector: GarbageCollector, intervalMs: number, logger: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const schedule = (delayMs: number): void => {
    if (intervalMs > 0 && !stopping.signal.aborted) timer = setTimeout(() => { running = collect().then(() => schedule(intervalMs)); }, delayMs).unref();
  };
  const collect = async (): Promise<void> => {
    try {
      logger.info({ ...await collector.run(false, stopping.signal) }, 'garbage was collected');
    } catch (err) {
      const reason = err instanceof RpcError ? err.details.reason : undefined;
      // Somebody collects already, or the service leaves.
      if (reason !== 'TOO_MANY_CALLS' && reason !== 'CALL_ENDED') logger.error({ err }, 'garbage could not be collected; the next collection goes on');
    }
  };
  schedule(Math.min(intervalMs, FIRST_AFTER_MS));
  return {
    stop: async () => {
      clearTimeout(timer);
      stopping.abort();
      await running;
    },
  };
}
