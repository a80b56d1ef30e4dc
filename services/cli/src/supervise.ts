import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from './cli-error';
import type { ManagedProcess } from './managed-process';
import type { Output } from './output';

/** A service that ends more often than this within the window will do so again. */
const MAX_RESTARTS = 5;
const WINDOW_MS = 60_000;
/** Before what did not start is started again. */
const PAUSE_MS = 500;

/** What is seen of a service's process. */
export type SupervisedProcess = Pick<ManagedProcess, 'name' | 'pid' | 'logFile' | 'exited' | 'isStopping'>;

/**
 * Starts a service again whenever it ends by itself. One that ends while it starts has ended once more.
 *
 * @param leave aborts when all services are to end: nothing is started any more
 * @returns why it is given up, when it ends too often; pending while it is stopped on purpose
 */
export async function supervise(first: SupervisedProcess, restart: () => Promise<SupervisedProcess>, output: Pick<Output, 'remark'>, leave: AbortSignal): Promise<CliError> {
  const endsMs: number[] = [];
  const never = new Promise<CliError>(() => undefined);
  let failure: unknown;
  for (let service = first; ;) {
    const { code, signal } = await service.exited;
    if (service.isStopping) return never;
    for (let how = signal ?? `exit code ${code ?? '?'}`; ;) {
      const nowMs = performance.now();
      endsMs.push(nowMs);
      if (endsMs.filter((ms) => nowMs - ms < WINDOW_MS).length > MAX_RESTARTS) {
        if (failure instanceof CliError) return failure;
        return new CliError(`${service.name} ended by itself more than ${MAX_RESTARTS} times within ${WINDOW_MS / 1000} s (${how})`, `Its log is ${service.logFile}.`);
      }
      output.remark(`${service.name} ended by itself (${how}); it is started again. Its log is ${service.logFile}`);
      try {
        service = await restart();
        output.remark(`${service.name} is back (process ${service.pid})`);
        failure = undefined;
        break;
      } catch (e) {
        failure = e;
        how = e instanceof Error ? e.message : String(e);
        await delay(PAUSE_MS);
        if (leave.aborted) return never;
      }
    }
  }
}
