/** What the session's thread shows the compute thread while that is busy or blocked: counters in shared memory. */

const ARRIVALS = 0;
const NEWEST_GENERATION = 1;
const STEPS = 2;
const IN_CALL = 3;
const ANNOUNCED_GENERATION = 4;
/** Odd while the compute thread waits for other members. */
const WAITS = 5;
const CELLS = 6;

export class LinkCells {
  private readonly cells: Int32Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.cells = new Int32Array(memory);
  }

  /** Something was posted. */
  arrived(): void {
    Atomics.add(this.cells, ARRIVALS, 1);
    Atomics.notify(this.cells, ARRIVALS);
  }

  /** Number of the newest generation that this process knows of. */
  get newestGeneration(): number {
    return Atomics.load(this.cells, NEWEST_GENERATION);
  }

  set newestGeneration(generation: number) {
    Atomics.store(this.cells, NEWEST_GENERATION, generation);
  }

  /** A generation that is entered at a boundary: until then the one before works on. */
  announce(generation: number): void {
    Atomics.store(this.cells, ANNOUNCED_GENERATION, generation);
    this.newestGeneration = generation;
  }

  /** Whether the newest generation is one that was announced. */
  get announced(): boolean {
    return Atomics.load(this.cells, ANNOUNCED_GENERATION) === this.newestGeneration;
  }

  /** The compute thread is at the beginning of a step. */
  step(): void {
    Atomics.add(this.cells, STEPS, 1);
  }

  /** Steps that the compute thread has begun; meaningful as a change. */
  get steps(): number {
    return Atomics.load(this.cells, STEPS);
  }

  /** Whether the compute thread is in a call that goes on in steps. */
  get inCall(): boolean {
    return Atomics.load(this.cells, IN_CALL) !== 0;
  }

  set inCall(inCall: boolean) {
    this.step();
    Atomics.store(this.cells, IN_CALL, inCall ? 1 : 0);
  }

  /** Counts the waits for other members, and their ends: a wait lasts as long as the count stays. */
  get waits(): number {
    return Atomics.load(this.cells, WAITS);
  }

  /** Whether the compute thread waits for other members. */
  get isWaiting(): boolean {
    return this.waits % 2 === 1;
  }

  /** Does something that waits for other members. */
  whileWaiting<T>(wait: () => T): T {
    Atomics.add(this.cells, WAITS, 1);
    try {
      return wait();
    } finally {
      Atomics.add(this.cells, WAITS, 1);
    }
  }

  /**
   * Blocks until `found` gives something.
   *
   * @param deadlineMs on the clock of performance.now()
   * @returns undefined when the deadline passed
   */
  waitFor<T>(found: () => T | undefined, deadlineMs: number): T | undefined {
    for (;;) {
      const seen = Atomics.load(this.cells, ARRIVALS);
      const value = found();
      if (value !== undefined) return value;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return undefined;
      Atomics.wait(this.cells, ARRIVALS, seen, leftMs);
    }
  }
}
