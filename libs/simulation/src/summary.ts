import type { RunReport } from './run-seed';

/** What many runs came to. */
export class Summary {
  readonly failed: number[] = [];
  private seeds = 0;
  private readonly totals = new Map<string, number>();
  private readonly faults = new Map<string, number>();
  private readonly outcomes = new Map<string, number>();

  add(report: RunReport): void {
    this.seeds++;
    if (report.violations.length > 0) this.failed.push(report.seed);
    bump(this.outcomes, report.outcome, 1);
    for (const [kind, count] of report.faults) bump(this.faults, kind, count);
    const { workers, steps, redos, joins, generations, restarts, takeovers, events, messages, virtualMs } = report;
    for (const [name, count] of Object.entries({ workers, steps, redos, joins, generations, restarts, takeovers, messages, events, 'virtual hours': virtualMs / 3_600_000 })) bump(this.totals, name, count);
  }

  /** @param seconds that the runs took */
  text(seconds: number): string {
    const list = (counts: ReadonlyMap<string, number>): string => [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${Math.round(count)}`).join(', ');
    return [
      `${this.seeds} seeds in ${seconds.toFixed(1)} s (${(seconds * 1000 / Math.max(1, this.seeds)).toFixed(0)} ms each), ${this.failed.length} failed${this.failed.length > 0 ? `: ${this.failed.join(', ')}` : ''}`,
      `outcomes: ${list(this.outcomes)}`,
      `totals: ${[...this.totals].map(([name, count]) => `${name} ${Math.round(count)}`).join(', ')}`,
      `faults: ${list(this.faults)}`,
      '',
    ].join('\n');
  }
}

const bump = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};
