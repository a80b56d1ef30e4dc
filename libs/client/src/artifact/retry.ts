import { RpcError } from '@lockstep/rpc';
import { setTimeout as delay } from 'node:timers/promises';

/** How often and how patiently a call is tried again. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Before the second try; doubles up to maxDelayMs, unless the service says how long to wait. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/** About 12 s in all: longer than a service needs to restart. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 9, firstDelayMs: 100, maxDelayMs: 3000 };

/** Whether the same call may succeed when it is made again. An upload's offset is off when the service was still taking in what a broken call had sent. */
function isTransient(error: RpcError): boolean {
  return error.details.reason === 'OFFSET_MISMATCH' || error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' || error.details.retryAfterMs !== undefined;
}

/**
 * Makes an idempotent call until it succeeds, fails for good, or the policy is used up; the last error is thrown then.
 *
 * @param call gets the number of the try, from 0
 */
export async function withRetry<T>(policy: RetryPolicy, signal: AbortSignal | undefined, call: (attempt: number) => Promise<T>): Promise<T> {
  let delayMs = policy.firstDelayMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(attempt);
    } catch (e) {
      if (!(e instanceof RpcError) || !isTransient(e) || attempt + 1 >= policy.attempts || signal?.aborted === true) throw e;
      await delay(e.details.retryAfterMs ?? delayMs, undefined, { signal });
      delayMs = Math.min(delayMs * 2, policy.maxDelayMs);
    }
  }
}
