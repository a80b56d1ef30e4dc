/**
 * A bounded queue between a producer and an async iteration: what a bidirectional stream writes from.
 *
 * push() after close() is ignored; a push beyond the bound throws, because the reader has stopped reading.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private wake: (() => void) | undefined;
  private closed = false;
  private failure: Error | undefined;

  constructor(private readonly limit: number, private readonly name: string) {}

  push(item: T): void {
    if (this.closed) return;
    if (this.items.length >= this.limit) throw new Error(`${this.name}: ${this.limit} messages are waiting; the reader has stopped reading`);
    this.items.push(item);
    this.wake?.();
  }

  /** Ends the iteration after what is queued, or at once with an error. */
  close(failure?: Error): void {
    this.closed = true;
    this.failure ??= failure;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.items.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.failure !== undefined) throw this.failure;
      if (this.closed) return;
      await new Promise<void>((resolve) => { this.wake = resolve; });
      this.wake = undefined;
    }
  }
}
