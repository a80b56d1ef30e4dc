import type { Objective } from './objective';
import type { TrialRecord } from './trial-record';

/**
 * One number that orders trials, smaller is better: the sum of the scores to be minimised less the sum of those to be maximised,
 * which for several objectives is KerasTuner's "multi_objective". Infinity for a trial without scores.
 */
export function standingOf({ state }: TrialRecord, objectives: readonly Objective[]): number {
  return state.kind === 'SUCCEEDED' ? combined(state.scores, objectives) : Infinity;
}

/** The same of any values of the objectives. @param values one for each objective, in their order */
export const combined = (values: readonly number[], objectives: readonly Objective[]): number =>
  objectives.reduce((sum, { direction }, i) => {
    const value = values[i] ?? NaN;
    return direction === 'MIN' ? sum + value : sum - value;
  }, 0);

/** Succeeded trials, the best first, those of equal standing in the order in which they are given. */
export function ranked(trials: readonly TrialRecord[], objectives: readonly Objective[]): readonly TrialRecord[] {
  return trials
    .filter(({ state }) => state.kind === 'SUCCEEDED')
    .map((trial) => ({ trial, standing: standingOf(trial, objectives) }))
    .sort((a, b) => a.standing - b.standing)
    .map(({ trial }) => trial);
}
