import { valuesKey, type Values } from '../space/value';

/**
 * Which values the trials of a history have, whatever became of them. A memo: what it answers depends on the history given last
 * alone, but a history that shares its trials' values with the one before costs a comparison of references a trial.
 */
export class TriedValues {
  private readonly seen: (Values | undefined)[] = [];
  /** How many trials have the values of a key. */
  private readonly counts = new Map<string, number>();

  /** Takes the trials of this history, and forgets those of the last. */
  follow({ trials }: { readonly trials: readonly { readonly values: Values }[] }): this {
    for (let i = 0; i < Math.max(trials.length, this.seen.length); i++) {
      const values = trials[i]?.values;
      const before = this.seen[i];
      if (values === before) continue;
      if (before) this.add(before, -1);
      if (values) this.add(values, 1);
      this.seen[i] = values;
    }
    this.seen.length = trials.length;
    return this;
  }

  has(values: Values): boolean {
    return this.counts.has(valuesKey(values));
  }

  private add(values: Values, by: 1 | -1): void {
    const key = valuesKey(values);
    const count = (this.counts.get(key) ?? 0) + by;
    if (count > 0) this.counts.set(key, count);
    else this.counts.delete(key);
  }
}
