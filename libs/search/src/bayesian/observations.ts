import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import type { DesignSpace } from './design-space';

/** What a trial tells the search. */
export type Outcome =
  /** One score for each objective, all to be minimised. */
  | { readonly kind: 'SCORED'; readonly scores: readonly number[] }
  /** Nothing can be had there. It counts as the worst score there is, so that the search keeps away. */
  | { readonly kind: 'BARRED' }
  | { readonly kind: 'PENDING' }
  /** Told nothing, and is not tried again. */
  | { readonly kind: 'SILENT' };

/** One trial as a point. */
export interface Observation {
  readonly trial: TrialRecord;
  readonly point: Float64Array;
  readonly outcome: Outcome;
}

/** All trials of a history, in its order. */
export const observe = (history: StudyHistory, design: DesignSpace): readonly Observation[] =>
  history.trials.map((trial) => ({ trial, point: design.pointOf(trial.values), outcome: outcomeOf(trial, history) }));

function outcomeOf({ state }: TrialRecord, { objectives }: StudyHistory): Outcome {
  switch (state.kind) {
    case 'SUCCEEDED': return { kind: 'SCORED', scores: objectives.map(({ direction }, i) => (direction === 'MIN' ? 1 : -1) * (state.scores[i] ?? 0)) };
    case 'INFEASIBLE': case 'FAILED': return { kind: 'BARRED' };
    case 'REQUESTED': case 'RUNNING': case 'STOPPING': return { kind: 'PENDING' };
    case 'CANCELLED': return { kind: 'SILENT' };
  }
}

/** What a surrogate can learn from: the trials that ended, with scores that are all finite. */
export interface Evidence {
  readonly points: readonly Float64Array[];
  /** For each objective, the score of each point; barred points have the worst of the others. */
  readonly scores: readonly (readonly number[])[];
  /** For each point, whether it has scores of its own. */
  readonly scored: readonly boolean[];
}

/** @param objectives their number */
export function evidenceOf(observations: readonly Observation[], objectives: number): Evidence {
  const ended = observations.filter(({ outcome }) => outcome.kind === 'SCORED' || outcome.kind === 'BARRED');
  const worst = Array.from({ length: objectives }, (_, objective) => ended.reduce((largest, { outcome }) => (
    outcome.kind === 'SCORED' ? Math.max(largest, outcome.scores[objective] ?? 0) : largest), -Infinity));
  return {
    points: ended.map(({ point }) => point),
    scores: worst.map((barred, objective) => ended.map(({ outcome }) => (outcome.kind === 'SCORED' ? outcome.scores[objective] ?? 0 : barred))),
    scored: ended.map(({ outcome }) => outcome.kind === 'SCORED'),
  };
}
