import { completeValues } from '../space/search-space';
import type { Values } from '../space/value';
import type { Algorithm, Suggestion } from './algorithm';
import type { StudyHistory } from './study-history';
import { WHOLE } from './trial-record';

/** The values to be tried first, completed by defaults; undefined when nothing is enqueued. They are tried also when they have been before. */
export function nextEnqueued({ space, enqueued }: StudyHistory): Values | undefined {
  const [given] = enqueued;
  return given && completeValues(space, given);
}

/** Tries what is enqueued before it asks an algorithm. Not for one that gives its trials a fidelity: it places enqueued values itself. */
export class EnqueuedFirst implements Algorithm {
  constructor(private readonly algorithm: Algorithm) {}

  suggest(history: StudyHistory): Suggestion {
    const values = nextEnqueued(history);
    return values ? { kind: 'TRIAL', values, fidelity: WHOLE, memo: {}, origin: 'ENQUEUED' } : this.algorithm.suggest(history);
  }
}
