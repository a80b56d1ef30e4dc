/**
 * Metrics over the rows of an epoch or of an evaluation, in tfjs's own float32 arithmetic, so that History has tfjs's
 * bits: totals of mean times rows. Mergeable metrics add their sums in float64.
 */
import type { EvaluationProgress } from './run';
import type { ValueLayout } from '../step/value-layout';

const f32 = Math.fround;

export class RunningTotals {
  rows = 0;
  totals: number[][] = [];

  constructor(private readonly layout: ValueLayout) {}

  load(saved: Pick<EvaluationProgress, 'rows' | 'totals'>): void {
    this.rows = saved.rows;
    this.totals = saved.totals.map((total) => [...total]);
  }

  reset(): void {
    this.rows = 0;
    this.totals = [];
  }

  /** Adds a batch's reduced values. */
  add(values: Float32Array, rowCount: number): void {
    this.rows += rowCount;
    this.totals = this.layout.slots.map((slot, i) => {
      const before = this.totals[i];
      const sums = this.layout.sums(slot, values);
      return slot.merge ? sums.map((sum, k) => sum + (before?.[k] ?? 0)) : sums.map((mean) => f32((before?.[0] ?? 0) + f32(mean * rowCount)));
    });
  }

  /** Values of the epoch as tfjs's logger computes them: total times the reciprocal. Empty before the first batch. */
  epochValues(): number[] {
    return this.values((total) => f32(f32(1 / this.rows) * total));
  }

  /** Values of an evaluation as tfjs computes them: total by rows. Empty before the first batch. */
  evaluationValues(): number[] {
    return this.values((total) => f32(total / this.rows));
  }

  private values(mean: (total: number) => number): number[] {
    return this.layout.slots.flatMap((slot, i) => {
      const total = this.totals[i];
      if (!total) return [];
      return [slot.merge ? slot.merge.result(total) : mean(total[0] ?? NaN)];
    });
  }
}
