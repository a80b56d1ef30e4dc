import { valueFault } from './check-values';
import type { Parameter } from './parameter';
import { valueCount } from './probability';
import { isActive, type SearchSpace } from './search-space';
import type { Value, Values } from './value';

/** Beyond so many combinations of parents the count is given up: the space has more points than that. */
const MAX_COMBINATIONS = 100_000;

interface Combination {
  readonly parents: Values;
  /** Points of the space so far that agree with `parents`. */
  readonly points: number;
}

/**
 * How many different points the space has, conditions respected; Infinity when one of its active parameters is continuous, or when
 * counting takes more than 100,000 combinations of parents. Beyond 2^53 the number is rounded.
 */
export function cardinality(space: SearchSpace): number {
  const lastUse = new Map<string, number>();
  const told = new Map<string, Set<Value>>();
  space.forEach(({ conditions }, index) => {
    for (const { parent, values } of conditions) {
      lastUse.set(parent, index);
      told.set(parent, new Set([...told.get(parent) ?? [], ...values]));
    }
  });
  let combinations: readonly Combination[] = [{ parents: new Map(), points: 1 }];
  for (const [index, parameter] of space.entries()) {
    const next = new Map<string, Combination>();
    for (const { parents, points } of combinations) {
      for (const { value, count } of isActive(parameter, parents) ? branches(parameter, told.get(parameter.name)) : [{ value: undefined, count: 1 }]) {
        const kept = new Map(parents);
        if (value !== undefined) kept.set(parameter.name, value);
        for (const name of kept.keys()) if ((lastUse.get(name) ?? -1) <= index) kept.delete(name);
        const key = JSON.stringify([...kept]);
        next.set(key, { parents: kept, points: (next.get(key)?.points ?? 0) + points * count });
      }
    }
    if (next.size > MAX_COMBINATIONS) return Infinity;
    combinations = [...next.values()];
  }
  return combinations.reduce((sum, { points }) => sum + points, 0);
}

/** The values on which others depend, one by one, and all the other values together. */
function branches(parameter: Parameter, told: ReadonlySet<Value> | undefined): readonly { readonly value: Value | undefined; readonly count: number }[] {
  const count = valueCount(parameter);
  const listed = [...told ?? []].filter((value) => valueFault(parameter, value) === undefined);
  const others = count - listed.length;
  return [...listed.map((value) => ({ value, count: 1 })), ...(others > 0 ? [{ value: undefined, count: others }] : [])];
}
