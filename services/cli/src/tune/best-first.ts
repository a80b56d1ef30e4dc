import { paretoFront, ranked, type StudyHistory, type TrialRecord } from '@lockstep/search';

/**
 * The trials that succeeded, best first. With several objectives there is no best one: those that no other beats in every objective come
 * first, each part in the order of KerasTuner's sum of objectives.
 */
export function bestFirst({ trials, objectives }: Pick<StudyHistory, 'trials' | 'objectives'>): readonly TrialRecord[] {
  const order = ranked(trials, objectives);
  if (objectives.length === 1) return order;
  const front = new Set(paretoFront(trials, objectives));
  return [...order.filter((trial) => front.has(trial)), ...order.filter((trial) => !front.has(trial))];
}

/** With several objectives: the trials that no other beats in every one, in the same order. */
export function unbeaten(history: Pick<StudyHistory, 'trials' | 'objectives'>): readonly TrialRecord[] {
  const front = new Set(paretoFront(history.trials, history.objectives));
  return bestFirst(history).filter((trial) => front.has(trial));
}
