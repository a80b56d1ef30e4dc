import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from './implementation';

/** What grpc-js's calls of all shapes have. */
export interface ServerCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** The calls that run now. */
export class RunningCalls {
  /** In no order: the last one takes the place of one that leaves. */
  private readonly calls: RunningCall[] = [];
  private ended = false;

  get size(): number {
    return this.calls.length;
  }

  enter(method: string, call: ServerCall): RunningCall {
    const running = new RunningCall(method, call, this.calls.length, (place) => this.leave(place));
    this.calls.push(running);
    if (this.ended) running.abort();
    return running;
  }

  /** Aborts what runs, and whatever comes yet. */
  abort(): void {
    this.ended = true;
    for (const call of this.calls) call.abort();
  }

  private leave(place: number): void {
    const last = this.calls.pop();
    if (!last || last.place === place) return;
    this.calls[place] = last;
    last.place = place;
  }
}

/**
 * What a handler knows of its call; its signal says when the call ends before the handler does. Most handlers never ask for it, and a signal with its
 * listeners costs as much as a small call: it is made when one does.
 *
 * Calls must not be chained to one another, or one that is over and old keeps all the later ones in memory until the next full collection. So this is a class, not
 * an object with getters, of which V8 keeps each one's hidden class; they are in an array, not in a set, of which V8 chains the tables of before; and none listens to
 * a signal that outlives it, of which the listeners are a linked list.
 */
export class RunningCall implements CallContext {
  readonly metadata: Metadata;
  private controller: AbortController | undefined;
  private aborted = false;

  /** @param place among the running calls */
  constructor(readonly method: string, private readonly call: ServerCall, public place: number, private readonly onLeave: (place: number) => void) {
    this.metadata = call.metadata;
  }

  get peer(): string {
    return this.call.getPeer();
  }

  get signal(): AbortSignal {
    if (this.controller) return this.controller.signal;
    const { signal } = this.controller = new AbortController();
    this.call.on('cancelled', this.abort);
    if (this.call.cancelled || this.aborted) this.abort();
    return signal;
  }

  readonly abort = (): void => {
    this.aborted = true;
    this.controller?.abort();
  };

  /** The handler has ended: what becomes of the call concerns nobody any more. */
  leave(): void {
    this.onLeave(this.place);
    if (this.controller) this.call.off('cancelled', this.abort);
  }
}
