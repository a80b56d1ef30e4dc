/**
 * The cells through which the exchange thread wakes the compute thread, one set per generation.
 *
 * 1. What a waiter looks for is published before WAKE is raised, and WAKE is read before it is looked for: so nothing
 *    is missed between looking and sleeping.
 */

const WAKE = 0;
const FAILED = 1;
const AGREED = 2;
const CELLS = 3;

export class Control {
  private readonly cells: Int32Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory);
  }

  static create(): Control {
    return new Control(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Wakes whoever waits. */
  wake(): void {
    Atomics.add(this.cells, WAKE, 1);
    Atomics.notify(this.cells, WAKE);
  }

  /** There is an error to be read. */
  raiseFailed(): void {
    Atomics.store(this.cells, FAILED, 1);
    this.wake();
  }

  get failed(): boolean {
    return Atomics.load(this.cells, FAILED) !== 0;
  }

  setAgreed(operation: number): void {
    Atomics.store(this.cells, AGREED, operation);
    this.wake();
  }

  /** Number of the last operation in which all members made the same claim. */
  get agreed(): number {
    return Atomics.load(this.cells, AGREED);
  }

  /**
   * Blocks until `found` gives something.
   *
   * @param deadlineMs on the clock of performance.now()
   * @returns undefined when the deadline passed
   */
  waitFor<T>(found: () => T | undefined, deadlineMs: number): T | undefined {
    for (;;) {
      const seen = Atomics.load(this.cells, WAKE);
      const value = found();
      if (value !== undefined) return value;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return undefined;
      Atomics.wait(this.cells, WAKE, seen, leftMs);
    }
  }
}
