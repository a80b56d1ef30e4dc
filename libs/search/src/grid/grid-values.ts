import { defaultOf, type Parameter } from '../space/parameter';
import { indexedValue, valueAt, valueCount } from '../space/probability';
import type { Value } from '../space/value';
import { pythonSetOrder } from './python-set-order';

/** Points of a range that has no step. */
const SAMPLES = 10;

/** The values that the grid has for a parameter, in KerasTuner's order: the default first, whether or not it is one of the others. */
export function gridValues(parameter: Parameter): readonly Value[] {
  const initial = defaultOf(parameter);
  return [initial, ...listed(parameter).filter((value) => value !== initial)];
}

function listed(parameter: Parameter): readonly Value[] {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT':
      if (parameter.step === undefined) {
        return pythonSetOrder(Array.from({ length: SAMPLES }, (_, i) => Number(valueAt(parameter, i * 0.1 + 0.05))));
      }
      return Array.from({ length: valueCount(parameter) }, (_, i) => indexedValue(parameter, i));
    case 'CHOICE': return parameter.values;
    case 'BOOLEAN': return [true, false];
    case 'FIXED': return [parameter.value];
  }
}
