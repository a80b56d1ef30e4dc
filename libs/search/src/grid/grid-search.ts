import type { Parameter } from '../space/parameter';
import { completeValues, defaultValues, isActive, type SearchSpace } from '../space/search-space';
import type { Value, Values } from '../space/value';
import type { Algorithm, Suggestion } from '../study/algorithm';
import { endOrWait } from '../study/end-or-wait';
import type { StudyHistory } from '../study/study-history';
import { TriedValues } from '../study/tried-values';
import { WHOLE } from '../study/trial-record';
import { gridValues } from './grid-values';

/**
 * Every combination of `gridValues`, in KerasTuner's order: the defaults first, then the last active parameter fastest.
 *
 * 1. The next trial is the next untried combination after the last one. When the space has grown since, it starts again from the
 *    defaults: a new parameter is varied also for the values that were tried without it.
 * 2. KerasTuner runs one or two trials at a time, because a run may show new parameters. Here any number runs at once, in the same
 *    order, and what grows later is made up for.
 * 3. A trial that was begun before a parameter was known has run with that parameter's default: this combination is not tried again.
 */
export class GridSearch implements Algorithm {
  private readonly tried = new TriedValues();
  /** The values of trials with the defaults of all that is known now, for a space of so many parameters: spaces grow, and change in no other way. */
  private completed: { readonly parameterCount: number; readonly of: WeakMap<Values, Values> } = { parameterCount: 0, of: new WeakMap() };
  /** Lists of 10,000 choices are made once, not with every suggestion. */
  private readonly lists = new WeakMap<Parameter, readonly Value[]>();

  suggest(history: StudyHistory): Suggestion {
    const { space, trials } = history;
    const tried = this.tried.follow({ trials: trials.map((trial) => ({ values: this.complete(space, trial.values) })) });
    const last = trials.findLast(({ memo }) => typeof memo['parameterCount'] === 'number');
    let values: Values | undefined = last?.memo['parameterCount'] === space.length ? this.next(space, last.values) : defaultValues(space);
    while (values && tried.has(values)) values = this.next(space, values);
    if (values) return { kind: 'TRIAL', values, fidelity: WHOLE, memo: { parameterCount: space.length }, origin: 'ALGORITHM' };
    return endOrWait(history, 'every combination of the grid has been tried');
  }

  private complete(space: SearchSpace, values: Values): Values {
    if (this.completed.parameterCount !== space.length) this.completed = { parameterCount: space.length, of: new WeakMap() };
    const known = this.completed.of.get(values);
    if (known) return known;
    const whole = completeValues(space, values);
    this.completed.of.set(values, whole);
    return whole;
  }

  /** The combination after these values, undefined after the last. */
  private next(space: SearchSpace, values: Values): Values | undefined {
    for (const [index, parameter] of [...space.entries()].reverse()) {
      const value = isActive(parameter, values) ? values.get(parameter.name) : undefined;
      if (value === undefined) continue;
      const list = this.listOf(parameter);
      const following = list[list.indexOf(value) + 1];
      if (following === undefined) continue;
      const kept = new Map<string, Value>();
      for (const { name } of space.slice(0, index)) {
        const before = values.get(name);
        if (before !== undefined) kept.set(name, before);
      }
      return completeValues(space, kept.set(parameter.name, following));
    }
    return undefined;
  }

  private listOf(parameter: Parameter): readonly Value[] {
    const known = this.lists.get(parameter);
    if (known) return known;
    const list = gridValues(parameter);
    this.lists.set(parameter, list);
    return list;
  }
}
