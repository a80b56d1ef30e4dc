import { valuesKey, type Values } from '../space/value';
import type { StudyHistory } from './study-history';

/** Which values the trials of a history have, whatever became of them. */
export class TriedValues {
  private readonly keys: ReadonlySet<string>;

  constructor({ trials }: StudyHistory) {
    this.keys = new Set(trials.map(({ values }) => valuesKey(values)));
  }

  has(values: Values): boolean {
    return this.keys.has(valuesKey(values));
  }
}
