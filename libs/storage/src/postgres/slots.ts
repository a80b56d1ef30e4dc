import { DatabaseError } from '../database-error';

export interface SlotLimits {
  /** How many may be taken at once. */
  readonly slots: number;
  /** How many may wait for one. */
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  /** What a slot is, for errors: `a connection to postgres://...`. */
  readonly what: string;
}

interface Waiter {
  readonly admit: () => void;
}

/** Lets some in at a time, first come first served; the queue is bounded and waiting has a deadline. */
export class Slots {
  private readonly waiting = new Set<Waiter>();
  private taken = 0;

  constructor(private readonly limits: SlotLimits) {}

  /** @returns what gives the slot back, to be called once. @throws DatabaseError TIMED_OUT or OVERLOADED */
  async take(): Promise<() => void> {
    const { slots, maxWaiting, timeoutMs, what } = this.limits;
    if (this.taken < slots) {
      this.taken++;
    } else if (this.waiting.size >= maxWaiting) {
      throw new DatabaseError('OVERLOADED', `${this.waiting.size} wait for ${what} already: nothing was done; ask less at once`);
    } else {
      await this.turn(timeoutMs, what);
    }
    return () => this.give();
  }

  private turn(timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.waiting.delete(waiter);
        reject(new DatabaseError('TIMED_OUT', `waited ${timeoutMs} ms for ${what}: nothing was done; ${this.taken} in use, ${this.waiting.size} others wait`));
      }, timeoutMs);
      this.waiting.add(waiter);
    });
  }

  /** A slot that somebody waits for changes hands and stays taken. */
  private give(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.taken--;
      return;
    }
    this.waiting.delete(next);
    next.admit();
  }
}
