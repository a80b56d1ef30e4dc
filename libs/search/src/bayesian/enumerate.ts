import { indexedValue, valueCount } from '../space/probability';
import { isActive, type SearchSpace } from '../space/search-space';
import type { Value, Values } from '../space/value';

/** All points of a space whose parameters are discrete, the last parameter running fastest. */
export function* enumerateValues(space: SearchSpace, from = 0, chosen: ReadonlyMap<string, Value> = new Map<string, Value>()): Generator<Values> {
  const parameter = space[from];
  if (parameter === undefined) {
    yield chosen;
  } else if (!isActive(parameter, chosen)) {
    yield* enumerateValues(space, from + 1, chosen);
  } else {
    for (let index = 0, count = valueCount(parameter); index < count; index++) {
      yield* enumerateValues(space, from + 1, new Map([...chosen, [parameter.name, indexedValue(parameter, index)]]));
    }
  }
}
