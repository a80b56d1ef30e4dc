import type { Listener, Notifications, NotifyingTransaction } from './notifications';

/** Wakes up, within a process, those who wait for news of a topic. It carries no data: they read. */
export class EventSignal implements Notifications {
  private readonly listeners = new Map<string, Set<() => void>>();

  listen(topic: string, signal: AbortSignal, withinMs?: number): Listener {
    const { promise: heard, resolve } = withResolvers();
    const ofTopic = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, ofTopic.add(resolve));
    signal.addEventListener('abort', resolve, { once: true });
    if (signal.aborted) resolve();
    const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
    return {
      heard,
      stop: () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', resolve);
        ofTopic.delete(resolve);
        if (ofTopic.size === 0 && this.listeners.get(topic) === ofTopic) this.listeners.delete(topic);
      },
    };
  }

  notify(transaction: NotifyingTransaction, topic: string): Promise<void> {
    transaction.afterCommit(() => this.wake(topic));
    return Promise.resolve();
  }

  wake(topic: string): void {
    for (const wake of this.listeners.get(topic) ?? []) wake();
  }

  wakeAll(): void {
    for (const topic of [...this.listeners.keys()]) this.wake(topic);
  }

  get size(): number {
    return [...this.listeners.values()].reduce((sum, ofTopic) => sum + ofTopic.size, 0);
  }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((r) => { resolve = r; });
  return { promise, resolve };
}
