/** A study's suggestions made again, from nothing but what was recorded of it. Pure. */
import { toMeasurement, toTrialRecord, trialNumber } from '@lockstep/client';
import type { StudyEvent, TrainJob } from '@lockstep/contract';
import { parseHyperparameters, type Algorithm, type Fidelity, type SearchSpace, type StudyHistory, type TrialRecord, type Values } from '@lockstep/search';

/** What a trial was to be. */
export interface Suggested {
  readonly values: Values;
  readonly fidelity: Fidelity;
}

/** A trial as it was suggested to the study, and as the algorithm suggests it again; undefined when it now has nothing to suggest. */
export interface ReplayedSuggestion {
  readonly recorded: Suggested;
  readonly replayed: Suggested | undefined;
  /** Whether a model that was fitted to the history has chosen it. */
  readonly isModelled: boolean;
}

/**
 * Goes through a study's events in their order, and asks the algorithm anew whenever a trial was suggested, with the history as it stood.
 *
 * @param study what the history has beside the trials; its space did not grow
 */
export function replaySuggestions(events: readonly StudyEvent[], algorithm: Algorithm, study: Pick<StudyHistory, 'space' | 'objectives' | 'seed'>): readonly ReplayedSuggestion[] {
  const trials: TrialRecord[] = [];
  const suggestions: ReplayedSuggestion[] = [];
  for (const { event } of events) {
    if (event.case === 'trialMeasured') {
      const number = trialNumber(event.value.trial);
      const trial = trials[number];
      const { measurement } = event.value;
      if (trial && measurement) trials[number] = { ...trial, measurements: [...trial.measurements, toMeasurement(measurement)] };
    }
    if (event.case !== 'trialChanged') continue;
    const number = trialNumber(event.value.name);
    const known = trials[number];
    if (known) {
      trials[number] = { ...known, state: toTrialRecord(event.value).state };
      continue;
    }
    const again = algorithm.suggest({ ...study, trials, enqueued: [] });
    const { values, fidelity, state } = toTrialRecord(event.value);
    const recorded: Suggested = { values, fidelity };
    const memo = again.kind === 'TRIAL' ? again.memo : {};
    // Nothing but a fit leaves a memo.
    suggestions.push({ recorded, replayed: again.kind === 'TRIAL' ? { values: again.values, fidelity: again.fidelity } : undefined, isModelled: Object.keys(memo).length > 0 });
    trials.push({ number, ...recorded, state, measurements: [], memo });
  }
  return suggestions;
}

/** The space that a study searches, as the jobs of its trials are told of it. */
export function searchedSpace(jobs: readonly TrainJob[]): SearchSpace {
  for (const { spec } of jobs) if (spec?.tuner?.part.case === 'trial') return parseHyperparameters(spec.tuner.part.value.hyperparametersJson, 'hyperparameters_json').space;
  throw new Error('none of the jobs is a trial');
}
