/** Waiting for one notification. */
export interface Listener {
  /** Resolves at the next notification of the subject, or when the signal aborts. */
  readonly heard: Promise<void>;
  /** Stops listening; always called, or the listener stays. */
  stop(): void;
}

/** Wakes up, within a process, those who wait for news of a subject. It carries no data: they read the log. */
export class EventSignal {
  private readonly listeners = new Map<string, Set<() => void>>();

  listen(subject: string, signal: AbortSignal): Listener {
    const { promise: heard, resolve } = withResolvers();
    const ofSubject = this.listeners.get(subject) ?? new Set();
    this.listeners.set(subject, ofSubject.add(resolve));
    signal.addEventListener('abort', resolve, { once: true });
    if (signal.aborted) resolve();
    return {
      heard,
      stop: () => {
        signal.removeEventListener('abort', resolve);
        ofSubject.delete(resolve);
        if (ofSubject.size === 0 && this.listeners.get(subject) === ofSubject) this.listeners.delete(subject);
      },
    };
  }

  notify(subject: string): void {
    for (const wake of this.listeners.get(subject) ?? []) wake();
  }

  get size(): number {
    return [...this.listeners.values()].reduce((sum, ofSubject) => sum + ofSubject.size, 0);
  }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((r) => { resolve = r; });
  return { promise, resolve };
}
