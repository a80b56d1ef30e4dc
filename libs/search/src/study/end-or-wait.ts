import type { Suggestion } from './algorithm';
import type { StudyHistory } from './study-history';
import { isPending } from './trial-record';

/** The end, when nothing runs; until then a running trial may be promoted, or show parameters that the space does not have yet. */
export const endOrWait = ({ trials }: StudyHistory, why: string): Suggestion =>
  (trials.some(isPending) ? { kind: 'WAIT', why: `${why}; but trials are running, whose ends may change that` } : { kind: 'EXHAUSTED', why });
