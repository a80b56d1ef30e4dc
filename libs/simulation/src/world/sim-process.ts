import type { VirtualTime } from './virtual-time';

/** A process's own clock: what it reads is neither right nor as fast as others. */
export interface Clock {
  readonly offsetMs: number;
  /** Milliseconds that it counts in one. */
  readonly rate: number;
}

/** How a process ends: its machine tells its peers, or is gone itself. */
export type Death = 'PROCESS' | 'MACHINE';

/**
 * A process of the simulated cluster: it can be paused (what happens to it meanwhile happens when it goes on) and killed
 * (nothing of it happens any more).
 */
export class SimProcess {
  private state: 'RUNNING' | 'PAUSED' | 'DEAD' = 'RUNNING';
  private backlog: (() => void)[] = [];
  private jumpedMs = 0;
  private readonly deathListeners: ((death: Death) => void)[] = [];

  constructor(
    readonly time: VirtualTime,
    readonly name: string,
    readonly host: string,
    private readonly clock: Clock,
  ) {}

  get alive(): boolean {
    return this.state !== 'DEAD';
  }

  get paused(): boolean {
    return this.state === 'PAUSED';
  }

  /** What its clock reads. */
  nowMs(): number {
    return Math.round(this.time.nowMs * this.clock.rate + this.clock.offsetMs + this.jumpedMs);
  }

  /** Sets its clock. */
  jump(byMs: number): void {
    this.jumpedMs += byMs;
  }

  /** Does something later, by its own clock. */
  after(delayMs: number, action: () => void): void {
    this.time.after(delayMs / this.clock.rate, () => this.run(action));
  }

  /** Does something again and again, until it returns false. */
  every(intervalMs: number, action: () => boolean): void {
    this.after(intervalMs, () => {
      if (action()) this.every(intervalMs, action);
    });
  }

  /** Does something now, if it runs; when it goes on, if it is paused. */
  run(action: () => void): void {
    if (this.state === 'RUNNING') action();
    else if (this.state === 'PAUSED') this.backlog.push(action);
  }

  pause(): void {
    if (this.state === 'RUNNING') this.state = 'PAUSED';
  }

  resume(): void {
    if (this.state !== 'PAUSED') return;
    this.state = 'RUNNING';
    const { backlog } = this;
    this.backlog = [];
    for (const action of backlog) this.run(action);
  }

  kill(death: Death = 'PROCESS'): void {
    if (this.state === 'DEAD') return;
    this.state = 'DEAD';
    this.backlog = [];
    for (const listener of this.deathListeners) listener(death);
  }

  /** Calls back when it is killed; not by the process itself: it is dead by then. */
  onDeath(listener: (death: Death) => void): void {
    this.deathListeners.push(listener);
  }
}
