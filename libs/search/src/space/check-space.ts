import type { Violation } from '../search-error';
import { checkParameter } from './check-parameter';
import { describe, identityOf, quoted } from './parameter-identity';
import type { SearchSpace } from './search-space';
import { cycleFault, findCycle } from './sort-space';

/** More parameters than this are refused: every suggestion looks at all of them. */
export const MAX_PARAMETERS = 10_000;

/**
 * Everything that is wrong with a space, by field (`space[3].max`); nothing when it can be searched. A space without parameters is
 * fine, as is one in which all are constants: it has one point.
 */
export function checkSpace(space: SearchSpace): readonly Violation[] {
  if (space.length > MAX_PARAMETERS) return [{ field: 'space', description: `${space.length} parameters, at most ${MAX_PARAMETERS} can be searched` }];
  const cycle = findCycle(space);
  const violations: Violation[] = cycle ? [{ field: 'space', description: cycleFault(cycle) }] : [];
  const names = new Set(space.map(({ name }) => name));
  const seenAt = new Map<string, number>();
  const before = new Set<string>();
  space.forEach((parameter, index) => {
    const field = `space[${index}]`;
    violations.push(...checkParameter(parameter, field));
    const twin = seenAt.get(identityOf(parameter));
    if (twin !== undefined) violations.push({ field, description: `parameter ${describe(parameter)} is space[${twin}] already, under the same conditions: name it differently` });
    seenAt.set(identityOf(parameter), twin ?? index);
    parameter.conditions.forEach(({ parent, values }, i) => {
      const at = `${field}.conditions[${i}]`;
      if (values.length === 0) violations.push({ field: `${at}.values`, description: `parameter ${describe(parameter)} can never be active: say for which values of ${quoted(parent)} it is` });
      if (!names.has(parent)) violations.push({ field: `${at}.parent`, description: `parameter ${describe(parameter)} depends on ${quoted(parent)}, which is not in the space` });
      else if (!before.has(parent) && !cycle) violations.push({ field: `${at}.parent`, description: `parameter ${describe(parameter)} comes before ${quoted(parent)}, on which it depends: put parents first` });
    });
    before.add(parameter.name);
  });
  return violations;
}
