/** Tasks one after the other: the next begins when the one before has settled. */
export class Serial<Outcome> {
  private readonly waiting: (() => void)[] = [];
  private busy = false;
  private running = false;

  run(task: (done: (outcome: Outcome) => void) => void, settled: (outcome: Outcome) => void): void {
    this.waiting.push(() => task((outcome) => {
      this.busy = false;
      settled(outcome);
      this.next();
    }));
    this.next();
  }

  /** A loop, not a recursion: thousands of tasks may settle at once. */
  private next(): void {
    if (this.running) return;
    this.running = true;
    while (!this.busy) {
      const task = this.waiting.shift();
      if (!task) break;
      this.busy = true;
      task();
    }
    this.running = false;
  }
}
