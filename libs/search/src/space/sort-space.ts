import type { SearchSpace } from './search-space';
import { SearchError } from '../search-error';
import { quoted } from './parameter-identity';

/**
 * The same parameters, parents before children, otherwise in the order given: for spaces that come grouped by type, as on
 * KerasTuner's wire. A parent that is not there holds nobody back: `checkSpace` names it.
 * @throws {SearchError} INVALID_SPACE when conditions go round in a circle
 */
export function sortSpace(space: SearchSpace): SearchSpace {
  const cycle = findCycle(space);
  if (cycle) throw new SearchError('INVALID_SPACE', [{ field: 'space', description: cycleFault(cycle) }]);
  const waiting = new Map<string, number>();
  for (const { name } of space) waiting.set(name, (waiting.get(name) ?? 0) + 1);
  const sorted: SearchSpace[number][] = [];
  let rest = space;
  while (rest.length > 0) {
    const next: SearchSpace[number][] = [];
    for (const parameter of rest) {
      if (parameter.conditions.some(({ parent }) => (waiting.get(parent) ?? 0) > 0)) {
        next.push(parameter);
      } else {
        sorted.push(parameter);
        waiting.set(parameter.name, (waiting.get(parameter.name) ?? 0) - 1);
      }
    }
    rest = next;
  }
  return sorted;
}

/** Names of which each is a parent of the one before, the first again at the end; undefined when there are none. */
export function findCycle(space: SearchSpace): readonly string[] | undefined {
  const parents = new Map<string, Set<string>>();
  for (const { name, conditions } of space) {
    const of = parents.get(name) ?? new Set<string>();
    for (const { parent } of conditions) of.add(parent);
    parents.set(name, of);
  }
  const finished = new Set<string>();
  for (const start of parents.keys()) {
    // Depth first without recursion: a chain may be as long as the space.
    const path: { readonly name: string; readonly left: Iterator<string> }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      path.push({ name, left: (parents.get(name) ?? new Set<string>()).values() });
      onPath.add(name);
    };
    if (!finished.has(start)) enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const step = top.left.next();
      if (step.done === true) {
        finished.add(top.name);
        onPath.delete(top.name);
        path.pop();
      } else if (onPath.has(step.value)) {
        const names = path.map(({ name }) => name);
        return [...names.slice(names.indexOf(step.value)), step.value];
      } else if (!finished.has(step.value)) {
        enter(step.value);
      }
    }
  }
  return undefined;
}

/** A circle of conditions, as an error says it. */
export const cycleFault = (cycle: readonly string[]): string =>
  `conditions go round in a circle: ${cycle.map(quoted).join(' depends on ')}. Take one of the conditions away`;
