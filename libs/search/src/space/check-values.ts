import type { Violation } from '../search-error';
import { isOfType } from './check-parameter';
import { defaultOf, type FloatParameter, type IntParameter, type Parameter } from './parameter';
import { quoted } from './parameter-identity';
import { indexedValue, probabilityOf, valueCount } from './probability';
import { isActive, type SearchSpace } from './search-space';
import type { Value, Values } from './value';

/**
 * Everything that is wrong with values that somebody else has chosen (enqueued, imported, reported): names that the space does not
 * have or that are not active, values that a parameter cannot have. Parameters may be left out: `completeValues` adds defaults.
 * A default counts as a value of its parameter also where it lies between two steps, as in KerasTuner.
 *
 * @param beside values that were chosen before, and are not looked at
 */
export function checkValues(space: SearchSpace, values: Values, beside: Values = new Map()): readonly Violation[] {
  const complete = new Map([...values, ...beside]);
  const known = new Map<string, Parameter[]>();
  for (const parameter of space) {
    known.set(parameter.name, [...known.get(parameter.name) ?? [], parameter]);
    if (isActive(parameter, complete) && !complete.has(parameter.name)) complete.set(parameter.name, defaultOf(parameter));
  }
  const violations: Violation[] = [];
  for (const [name, value] of values) {
    const description = faultOf(name, value, known.get(name) ?? [], complete);
    if (description !== undefined) violations.push({ field: `values[${quoted(name)}]`, description });
  }
  return violations;
}

function faultOf(name: string, value: Value, parameters: readonly Parameter[], complete: Values): string | undefined {
  if (parameters.length === 0) return `the space has no parameter ${quoted(name)}`;
  const active = parameters.find((parameter) => isActive(parameter, complete));
  if (active) return valueFault(active, value);
  const parents = new Set(parameters.flatMap(({ conditions }) => conditions.map(({ parent }) => quoted(parent))));
  return `parameter ${quoted(name)} is not active with these values: leave it out, or change ${[...parents].join(', ')}`;
}

/** Why a parameter cannot have a value, or undefined when it can. */
export function valueFault(parameter: Parameter, value: Value): string | undefined {
  if (value === defaultOf(parameter)) return undefined;
  const cannot = `parameter ${quoted(parameter.name)} cannot be ${quoted(value)}`;
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': {
      const { kind, min, max } = parameter;
      if (!isOfType(value, kind) || typeof value !== 'number') return `${cannot}: it is ${kind === 'INT' ? 'an integer' : 'a finite number'} from ${min} to ${max}`;
      if (value < min || value > max) return `${cannot}: it ranges from ${min} to ${max}`;
      const [below, above] = neighbours(parameter, value);
      return parameter.step === undefined || isSame(value, below) || isSame(value, above) ? undefined
        : `${cannot}: its values lie steps of ${parameter.step} apart, next to it ${below} and ${above}`;
    }
    case 'CHOICE': return parameter.values.includes(value) ? undefined : `${cannot}, which is not one of its ${parameter.values.length} choices`;
    case 'BOOLEAN': return typeof value === 'boolean' ? undefined : `${cannot}: it is true or false`;
    case 'FIXED': return `${cannot}: it is fixed to ${quoted(parameter.value)}`;
  }
}

/** The two steps between which a value of the range lies; the last one twice beyond it. */
function neighbours(parameter: FloatParameter | IntParameter, value: number): readonly [number, number] {
  const last = valueCount(parameter) - 1;
  const index = Math.floor(probabilityOf(parameter, value) * (last + 1) - 0.5 + 1e-9);
  const at = (i: number): number => Number(indexedValue(parameter, Math.min(Math.max(i, 0), last)));
  return parameter.step === undefined ? [value, value] : [at(index), at(index + 1)];
}

/** Users and other languages compute steps in other ways: the last bits may differ. */
const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
