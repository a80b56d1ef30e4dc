import { RpcError } from '@lockstep/rpc';

/** When a caller that was turned away should come again. */
const RETRY_AFTER_MS = 200;

/** Bounds how many calls of a kind run at once: each holds memory and a file. One more is told to come again, instead of waiting in ours. */
export class ConcurrencyLimit {
  private running = 0;

  /** @param what the calls in words, for the error */
  constructor(private readonly limit: number, private readonly what: string) {}

  /** Lets a call in until the returned function is called. @throws RpcError RESOURCE_EXHAUSTED (TOO_MANY_CALLS) with a retry delay */
  enter(): () => void {
    if (this.running >= this.limit) {
      throw new RpcError('RESOURCE_EXHAUSTED', `${this.running} ${this.what} run already, as many as can at once: try again soon`,
        { reason: 'TOO_MANY_CALLS', metadata: { limit: String(this.limit) }, retryAfterMs: RETRY_AFTER_MS });
    }
    this.running++;
    let left = false;
    return () => {
      if (!left) this.running--;
      left = true;
    };
  }
}
