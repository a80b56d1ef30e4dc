import { paretoFront, standingOf, type Objective, type TrialRecord } from '@lockstep/search';

/** How strong the lines of trials are drawn, by number: 0 the strongest, 1 the faintest. */
export type LineStrengths = ReadonlyMap<number, number>;

/**
 * By place, not by score: one that is very bad does not make the others equal. With several objectives those that no other trial beats in
 * every objective are strong. A trial that has not succeeded is faint.
 */
export function lineStrengths(trials: readonly TrialRecord[], objectives: readonly Objective[]): LineStrengths {
  if (objectives.length > 1) {
    const front = new Set(paretoFront(trials, objectives));
    return new Map(trials.map((trial) => [trial.number, front.has(trial) ? 0 : 1]));
  }
  const standings = trials.map((trial) => standingOf(trial, objectives));
  const places = new Map([...new Set(standings)].sort((a, b) => a - b).map((standing, place) => [standing, place]));
  return new Map(trials.map(({ number, state }, i) => [number, state.kind === 'SUCCEEDED' ? (places.get(standings[i] ?? NaN) ?? 0) / Math.max(1, places.size - 1) : 1]));
}

/** Which lines are strong, for the reader. */
export const strengthText = (objectives: readonly Objective[]): string =>
  (objectives.length > 1 ? 'Strong lines are trials that no other beats in every objective.' : 'The stronger a line, the better its trial.');
