/**
 * Math.random of a job's process.
 *
 * 1. While a replica is computed or a weight initialised, draws come from that scope's stream.
 * 2. While a dataset is iterated (also across its awaits), draws come from the iteration's stream.
 * 3. All other draws come from the ambient stream, which is re-keyed at every step and every call: a member that
 *    enters in the middle of a call draws what the others draw.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Patches } from '../patches';
import { randomStream, type RandomKey, type RandomStream } from './random-stream';

/** One pass over a dataset. */
export interface IterationScope {
  readonly key: RandomKey;
  readonly stream: RandomStream;
  /** How often each shuffled dataset was opened in this pass: a repeat() inside opens it again. */
  readonly opened: Map<object, number>;
}

export class RandomRouter {
  private readonly iterations = new AsyncLocalStorage<IterationScope>();
  private scoped: RandomStream | undefined;
  private ambient: RandomStream;

  constructor(
    readonly seed: number,
    patches: Patches,
  ) {
    this.ambient = randomStream([seed, 'module']);
    patches.replace(Math, 'random', () => () => (this.scoped ?? this.iterations.getStore()?.stream ?? this.ambient)());
  }

  /** Runs a synchronous function whose draws come from the stream of (seed, ...key). */
  withKey<T>(key: RandomKey, run: () => T): T {
    const outer = this.scoped;
    this.scoped = randomStream([this.seed, ...key]);
    try {
      return run();
    } finally {
      this.scoped = outer;
    }
  }

  /** From here on, draws outside of any scope come from the stream of (seed, 'ambient', ...key). */
  keyAmbient(key: RandomKey): void {
    this.ambient = randomStream([this.seed, 'ambient', ...key]);
  }

  /** The scope of one pass over a dataset: enter it for iterator() and for every next(). */
  iteration(key: RandomKey): IterationScope {
    return { key, stream: randomStream([this.seed, 'iteration', ...key]), opened: new Map() };
  }

  within<T>(scope: IterationScope, run: () => T): T {
    return this.iterations.run(scope, run);
  }

  currentIteration(): IterationScope | undefined {
    return this.iterations.getStore();
  }
}
