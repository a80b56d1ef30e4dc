import type { Objective } from './objective';
import type { TrialRecord } from './trial-record';

/** Whether scores are at least as good in every objective and better in one. */
export function dominates(a: readonly number[], b: readonly number[], objectives: readonly Objective[]): boolean {
  let isBetter = false;
  for (const [i, { direction }] of objectives.entries()) {
    const gain = ((b[i] ?? NaN) - (a[i] ?? NaN)) * (direction === 'MIN' ? 1 : -1);
    if (!(gain >= 0)) return false;
    isBetter ||= gain > 0;
  }
  return isBetter;
}

/** The succeeded trials that no other one dominates, in the order given. Trials with the same scores stay together. With one objective, the best. */
export function paretoFront(trials: readonly TrialRecord[], objectives: readonly Objective[]): readonly TrialRecord[] {
  let front: { readonly trial: TrialRecord; readonly scores: readonly number[] }[] = [];
  for (const trial of trials) {
    if (trial.state.kind !== 'SUCCEEDED') continue;
    const { scores } = trial.state;
    if (front.some((other) => dominates(other.scores, scores, objectives))) continue;
    front = [...front.filter((other) => !dominates(scores, other.scores, objectives)), { trial, scores }];
  }
  return front.map(({ trial }) => trial);
}
