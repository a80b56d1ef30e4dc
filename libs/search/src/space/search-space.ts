import { defaultOf, type Parameter } from './parameter';
import type { Value, Values } from './value';

/** Parameters in the order in which they were declared, parents before their children (see `checkSpace`, `sortSpace`). */
export type SearchSpace = readonly Parameter[];

/** Whether all conditions of a parameter hold under these values. */
export function isActive(parameter: Parameter, values: Values): boolean {
  return parameter.conditions.every(({ parent, values: allowed }) => {
    const value = values.get(parent);
    return value !== undefined && allowed.includes(value);
  });
}

/** The parameters that are active under these values, in the order of the space. */
export const activeParameters = (space: SearchSpace, values: Values): readonly Parameter[] =>
  space.filter((parameter) => isActive(parameter, values));

/**
 * Values of exactly the active parameters, chosen parents first: `choose` is asked once for each parameter that the values so
 * far make active. Of two active parameters of one name the later one is asked last, and wins.
 */
export function chooseValues(space: SearchSpace, choose: (parameter: Parameter) => Value): Values {
  const values = new Map<string, Value>();
  for (const parameter of space) {
    if (isActive(parameter, values)) values.set(parameter.name, choose(parameter));
  }
  return values;
}

/** What is given of the parameters that it makes active, without any defaults; the rest is left out. */
export function activeValues(space: SearchSpace, given: Values): Values {
  const complete = completeValues(space, given);
  return new Map([...given].filter(([name]) => complete.has(name)));
}

/** The default of every parameter that is active under the defaults. */
export const defaultValues = (space: SearchSpace): Values => chooseValues(space, defaultOf);

/**
 * What is given, for the parameters that it makes active, and defaults for the other active ones; names that are not active are
 * left out. Does not look whether a value is one that its parameter can have: see `checkValues`.
 */
export const completeValues = (space: SearchSpace, given: Values): Values =>
  chooseValues(space, (parameter) => given.get(parameter.name) ?? defaultOf(parameter));
