import { CliError } from './cli-error';
import type { ManagedProcess } from './managed-process';
import type { Output } from './output';

/** A service that ends more often than this within the window will do so again. */
const MAX_RESTARTS = 5;
const WINDOW_MS = 60_000;

/**
 * Starts a service again whenever it ends by itself.
 *
 * @returns why it is given up, when it ends too often or does not start; pending while it is stopped on purpose
 */
export async function supervise(first: ManagedProcess, restart: () => Promise<ManagedProcess>, output: Output): Promise<CliError> {
  const endsMs: number[] = [];
  for (let service = first; ;) {
    const { code, signal } = await service.exited;
    if (service.isStopping) return new Promise(() => undefined);
    const how = signal ?? `exit code ${code ?? '?'}`;
    const nowMs = performance.now();
    endsMs.push(nowMs);
    if (endsMs.filter((ms) => nowMs - ms < WINDOW_MS).length > MAX_RESTARTS) {
      return new CliError(`${service.name} ended by itself more than ${MAX_RESTARTS} times within ${WINDOW_MS / 1000} s (${how})`, `Its log is ${service.logFile}.`);
    }
    output.remark(`${service.name} ended by itself (${how}); it is started again. Its log is ${service.logFile}`);
    try {
      service = await restart();
      output.remark(`${service.name} is back (process ${service.pid})`);
    } catch (e) {
      return e instanceof CliError ? e : new CliError(`${service.name} could not be started again: ${e instanceof Error ? e.message : String(e)}`, `Its log is ${service.logFile}.`);
    }
  }
}
