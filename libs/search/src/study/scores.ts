import { learningCurve } from './learning-curve';
import type { Objective } from './objective';
import type { Measurement } from './trial-record';

/** What a trial that ends is worth. */
export type Scoring =
  | {
    readonly kind: 'SCORED';
    /** One finite number for each objective. */
    readonly scores: readonly number[];
    /** The epoch that they are of. */
    readonly epoch: number;
  }
  /** KerasTuner calls such a trial INVALID. */
  | { readonly kind: 'UNSCORED'; readonly why: string };

/**
 * The objectives at the best epoch. With one objective that is KerasTuner's score, the best over the steps of each step's mean; with
 * several it is the epoch of KerasTuner's best "multi_objective", so that the scores have been attained together. Epochs at which an
 * objective is not finite do not count.
 */
export function scoresOf(measurements: readonly Measurement[], objectives: readonly Objective[]): Scoring {
  const curve = learningCurve(measurements, objectives);
  const [best] = curve.filter(({ values }) => values.every(Number.isFinite)).sort((a, b) => a.standing - b.standing);
  if (best) return { kind: 'SCORED', scores: best.values, epoch: best.epoch };
  if (curve.length > 0) return { kind: 'UNSCORED', why: `${namesOf(objectives)} was never finite in ${curve.length} epochs` };
  const reported = [...new Set(measurements.flatMap(({ metrics }) => [...metrics.keys()]))];
  return { kind: 'UNSCORED', why: `${namesOf(objectives)} was never reported; ${reported.length === 0 ? 'nothing was' : `what was: ${reported.slice(0, 20).join(', ')}`}` };
}

const namesOf = (objectives: readonly Objective[]): string => `the objective ${objectives.map(({ metric }) => metric).join(' with ')}`;
