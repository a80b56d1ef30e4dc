import type { Violation } from '../search-error';
import { valueFault } from './check-values';
import { describe, identityOf } from './parameter-identity';
import type { SearchSpace } from './search-space';

/**
 * Conditions that never hold, because no parent of that name can have the value: a slip of whoever wrote the space. KerasTuner takes them as they are, and so does
 * `checkSpace`.
 *
 * @param known what the space has already, and is not looked at
 * @param field where the parameters stand, for faults: `parameters`
 */
export function checkConditions(parameters: SearchSpace, known: SearchSpace, field: string): readonly Violation[] {
  const all = [...known, ...parameters];
  const seen = new Set(known.map(identityOf));
  return parameters.flatMap((parameter, index) => (seen.has(identityOf(parameter)) ? [] : parameter.conditions.flatMap(({ parent, values }, i) => {
    const parents = all.filter(({ name }) => name === parent);
    return values.flatMap((value, j): Violation[] => {
      const faults = parents.map((one) => valueFault(one, value));
      const [why] = faults;
      // A parent that is not there is checkSpace's.
      if (why === undefined || faults.includes(undefined)) return [];
      return [{ field: `${field}[${index}].conditions[${i}].values[${j}]`, description: `parameter ${describe(parameter)} depends on what never holds: ${why}` }];
    });
  })));
}
