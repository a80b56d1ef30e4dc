import { leaveWithParent } from './parent-pipe';
import type { RunningServer } from './server';
import type { Logger } from './logger';

/** What a service's main returns: its server, and what must be closed after the last call has finished. */
export interface ServiceMain {
  readonly server: RunningServer;
  /** Facts for the line that is printed when the service is ready, besides its address. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Called before the drain begins. */
  readonly beforeDrain?: () => void;
  close(): Promise<void>;
}

/** How long running calls may take after SIGTERM. */
const DRAIN_GRACE_MS = 5000;

/**
 * Runs a service as a process: prints one JSON line `{"listening": "host:port", ...}` on standard output once it serves,
 * drains on SIGTERM and SIGINT, and exits with 0 after a drain, 1 when it cannot start.
 */
export function runService(logger: Logger, start: () => Promise<ServiceMain>): void {
  const fail = (caught: unknown): never => {
    // Whoever starts a service wants the sentence; the stack is for the log of whoever mends it.
    logger.debug({ err: caught }, 'the service cannot start');
    process.stderr.write(`${caught instanceof Error ? caught.message : String(caught)}\n`);
    process.exit(1);
  };
  start().then((service) => {
    const { server, facts } = service;
    let leaving = false;
    const leave = (signal: string): void => {
      if (leaving) return;
      leaving = true;
      logger.info({ signal }, 'draining');
      service.beforeDrain?.();
      server.drain(DRAIN_GRACE_MS).then(() => service.close()).then(() => process.exit(0), fail);
    };
    process.on('SIGTERM', () => leave('SIGTERM'));
    process.on('SIGINT', () => leave('SIGINT'));
    leaveWithParent(() => leave('the end of its parent'));
    process.stdout.write(`${JSON.stringify({ listening: server.address, pid: process.pid, ...facts })}\n`);
  }, fail);
}
