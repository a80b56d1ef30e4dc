/**
 * Time that passes only when something happens: a queue of events, one after the other.
 *
 * Events at the same time happen in the order in which they were planned, so that a run is the same every time.
 */

interface Planned {
  readonly timeMs: number;
  readonly sequence: number;
  readonly action: () => void;
}

const before = (a: Planned, b: Planned): boolean => a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);

export class VirtualTime {
  nowMs = 0;
  /** Events that have happened. */
  events = 0;
  private sequence = 0;
  /** A binary heap, the earliest first. */
  private readonly heap: Planned[] = [];

  /** Plans an event. */
  after(delayMs: number, action: () => void): void {
    this.at(this.nowMs + Math.max(0, delayMs), action);
  }

  /** Plans an event at a time that is not past. */
  at(timeMs: number, action: () => void): void {
    const { heap } = this;
    heap.push({ timeMs: Math.max(timeMs, this.nowMs), sequence: this.sequence++, action });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.swapIfBefore(child, parent)) return;
      child = parent;
    }
  }

  /** Lets the next event happen. @returns false when nothing is planned */
  step(): boolean {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last) return false;
    if (heap.length > 0) {
      heap[0] = last;
      this.sink();
    }
    this.nowMs = first.timeMs;
    this.events++;
    first.action();
    return true;
  }

  private sink(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const [leftOne, rightOne] = [this.heap[left], this.heap[right]];
      if (!leftOne) return;
      const smaller = rightOne && before(rightOne, leftOne) ? right : left;
      if (!this.swapIfBefore(smaller, parent)) return;
      parent = smaller;
    }
  }

  private swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.heap[child], this.heap[parent]];
    if (!a || !b || !before(a, b)) return false;
    this.heap[child] = b;
    this.heap[parent] = a;
    return true;
  }
}
