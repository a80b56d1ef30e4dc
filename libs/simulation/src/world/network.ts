/**
 * Hosts and the way between them: delays, and directions that let nothing through for a while.
 *
 * What cannot pass waits, as it does in a connection that repeats what was lost: it arrives late, or the connection breaks
 * first (connection.ts). Between two hosts the order is kept by connections, not here.
 */
import type { Random } from './random';
import type { VirtualTime } from './virtual-time';

export interface NetworkSettings {
  /** Shortest way; milliseconds. */
  readonly baseDelayMs: number;
  /** Most that is added to it at random. */
  readonly jitterMs: number;
  /** Share of messages that take `spikeMs` longer. */
  readonly spikeChance: number;
  readonly spikeMs: number;
}

const REPEAT_WITHIN_MS = 3000;

/** What happens to a direction between two hosts. */
export type LinkEvent = 'CLOSED' | 'RESET';

export class Network {
  /** What waits, by closed direction. */
  private readonly closed = new Map<string, { readonly sinceMs: number; readonly held: (() => void)[] }>();
  private readonly watchers = new Map<string, Set<(event: LinkEvent) => void>>();
  /** Added to every delay while the network is slow. */
  slownessMs = 0;
  /** Most that is added to a delay at random while messages overtake one another. */
  disorderMs = 0;
  /** Share of what is said or asked that arrives again later. */
  duplicateChance = 0;
  messages = 0;

  constructor(
    readonly time: VirtualTime,
    private readonly random: Random,
    private readonly settings: NetworkSettings,
  ) {}

  /** A delay for one message. */
  delayMs(): number {
    const { baseDelayMs, jitterMs, spikeChance, spikeMs } = this.settings;
    const spike = spikeChance > 0 && this.random.chance(spikeChance) ? spikeMs : 0;
    return baseDelayMs + this.random.unit() * jitterMs + spike + this.slownessMs + (this.disorderMs > 0 ? this.random.unit() * this.disorderMs : 0);
  }

  /** How much later something arrives again; undefined: it arrives once. */
  repeatAfterMs(): number | undefined {
    return this.duplicateChance > 0 && this.random.chance(this.duplicateChance) ? this.random.unit() * REPEAT_WITHIN_MS : undefined;
  }

  isClosed(from: string, to: string): boolean {
    return this.closed.has(direction(from, to));
  }

  /** Since when nothing passes; undefined when everything does. */
  closedSinceMs(from: string, to: string): number | undefined {
    return this.closed.get(direction(from, to))?.sinceMs;
  }

  /** Lets nothing pass until it is opened. */
  close(from: string, to: string): void {
    const key = direction(from, to);
    if (this.closed.has(key)) return;
    this.closed.set(key, { sinceMs: this.time.nowMs, held: [] });
    this.announce(key, 'CLOSED');
  }

  open(from: string, to: string): void {
    const key = direction(from, to);
    const { held = [] } = this.closed.get(key) ?? {};
    this.closed.delete(key);
    held.forEach((action, i) => this.time.after(this.settings.baseDelayMs + i / 1000, action));
  }

  /** Breaks the connections between two hosts; new ones can be made. */
  reset(from: string, to: string): void {
    this.announce(direction(from, to), 'RESET');
  }

  /** Calls back when something happens to a direction. @returns stops that */
  watch(from: string, to: string, watcher: (event: LinkEvent) => void): () => void {
    const key = direction(from, to);
    const watchers = this.watchers.get(key) ?? new Set();
    watchers.add(watcher);
    this.watchers.set(key, watchers);
    return () => watchers.delete(watcher);
  }

  /** Carries a message. It arrives later, and messages may overtake one another. */
  carry(from: string, to: string, action: () => void): void {
    this.messages++;
    this.time.after(from === to ? 0.05 : this.delayMs(), () => {
      const shut = this.closed.get(direction(from, to));
      if (shut) shut.held.push(action);
      else action();
    });
  }

  private announce(key: string, event: LinkEvent): void {
    for (const watcher of [...(this.watchers.get(key) ?? [])]) watcher(event);
  }
}

const direction = (from: string, to: string): string => `${from}>${to}`;
