import type { Algorithm, Suggestion } from '../study/algorithm';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord, TrialState } from '../study/trial-record';

/** A study of one objective, "score", to be minimised. */
export const newHistory = (space: StudyHistory['space'], seed = 1): StudyHistory =>
  ({ space, objectives: [{ metric: 'score', direction: 'MIN' }], seed, trials: [], enqueued: [] });

/** The history with a trial more, that runs. */
export function withTrial(history: StudyHistory, suggestion: Extract<Suggestion, { kind: 'TRIAL' }>): StudyHistory {
  const { values, fidelity, memo, origin } = suggestion;
  const trial: TrialRecord = { number: history.trials.length, values, fidelity, memo, state: { kind: 'RUNNING' }, measurements: [] };
  return { ...history, trials: [...history.trials, trial], enqueued: origin === 'ENQUEUED' ? history.enqueued.slice(1) : history.enqueued };
}

/** The history with one trial in another state. */
export const withState = (history: StudyHistory, number: number, state: TrialState): StudyHistory =>
  ({ ...history, trials: history.trials.map((trial) => (trial.number === number ? { ...trial, state } : trial)) });

export interface SimulatedRun {
  readonly history: StudyHistory;
  /** The suggestion that ended the run; undefined at the limit of trials. */
  readonly end: Suggestion | undefined;
}

/**
 * Runs an algorithm with some workers, that take trials in turn and end in the order in which they began.
 * @param endOf how a trial ends
 */
export function simulate(algorithm: Algorithm, start: StudyHistory, endOf: (trial: TrialRecord) => TrialState, { workers = 1, maxTrials = Infinity } = {}): SimulatedRun {
  let history = start;
  const running: number[] = [];
  for (;;) {
    while (running.length < workers && history.trials.length < maxTrials) {
      const suggestion = algorithm.suggest(history);
      if (suggestion.kind !== 'TRIAL') {
        if (running.length === 0) return { history, end: suggestion };
        break;
      }
      running.push(history.trials.length);
      history = withTrial(history, suggestion);
    }
    const next = running.shift();
    const trial = next === undefined ? undefined : history.trials[next];
    if (!trial) return { history, end: undefined };
    history = withState(history, trial.number, endOf(trial));
  }
}

export const succeeded = (...scores: readonly number[]): TrialState => ({ kind: 'SUCCEEDED', scores });
