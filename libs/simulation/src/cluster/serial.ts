/** Tasks one after the other: the next begins when the one before has settled. */
export class Serial<Outcome> {
  private readonly waiting: (() => void)[] = [];
  private busy = false;

  run(task: (done: (outcome: Outcome) => void) => void, settled: (outcome: Outcome) => void): void {
    this.waiting.push(() => task((outcome) => {
      this.busy = false;
      settled(outcome);
      this.next();
    }));
    this.next();
  }

  private next(): void {
    if (this.busy) return;
    const task = this.waiting.shift();
    if (!task) return;
    this.busy = true;
    task();
  }
}
