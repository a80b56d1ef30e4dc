import { combined } from './standing';
import type { Objective } from './objective';
import type { StudyHistory } from './study-history';
import type { Measurement, TrialRecord } from './trial-record';

/** The objectives after an epoch. */
export interface CurvePoint {
  readonly epoch: number;
  /** One for each objective, the mean of the executions of that epoch; NaN when one of them is. */
  readonly values: readonly number[];
  /** The values as one number, smaller is better (see `combined`). */
  readonly standing: number;
}

/** The objectives by epoch, ascending. Measurements without one of the objectives are left out. */
export function learningCurve(measurements: readonly Measurement[], objectives: readonly Objective[]): readonly CurvePoint[] {
  const byEpoch = new Map<number, (readonly number[])[]>();
  for (const { epoch, metrics } of measurements) {
    const values = objectives.flatMap(({ metric }) => metrics.get(metric) ?? []);
    if (values.length === objectives.length) byEpoch.set(epoch, [...byEpoch.get(epoch) ?? [], values]);
  }
  return [...byEpoch].sort(([a], [b]) => a - b).map(([epoch, executions]) => {
    const values = objectives.map((_, i) => executions.reduce((sum, execution) => sum + (execution[i] ?? NaN), 0) / executions.length);
    return { epoch, values, standing: combined(values, objectives) };
  });
}

/** The curve of a trial from its first epoch, those included which its parents trained. */
export function wholeCurve({ trials, objectives }: StudyHistory, trial: TrialRecord): readonly CurvePoint[] {
  const measurements: Measurement[] = [];
  for (let at: TrialRecord | undefined = trial; at;) {
    measurements.unshift(...at.measurements);
    // A parent comes before its child, so this ends.
    const parent: number | undefined = at.fidelity.kind === 'RUNG' ? at.fidelity.parent : undefined;
    at = parent !== undefined && parent < at.number ? trials[parent] : undefined;
  }
  return learningCurve(measurements, objectives);
}
