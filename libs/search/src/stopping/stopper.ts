import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';

export type StopDecision = { readonly kind: 'GO_ON' } | { readonly kind: 'STOP'; readonly why: string };

/** Says whether a running trial is worth its further epochs. As pure as an algorithm; asked after each measurement. */
export interface Stopper {
  /** @param trial one of the history that is running */
  check(history: StudyHistory, trial: TrialRecord): StopDecision;
}

export const GO_ON: StopDecision = { kind: 'GO_ON' };
