/**
 * Between the values of a parameter and [0, 1), as KerasTuner does it: `valueAt` spreads a uniform number over the values,
 * `probabilityOf` gives the middle of a value's share.
 *
 * 1. A range with a step has `stepCount` values. As in KerasTuner, which divides as Python does, rounding may lose the last: 0 to 1
 *    by 0.1 ends at 0.9.
 * 2. An integer range without a step is sampled up to, not including, max + 1, and cut to an integer.
 * 3. Powers are rounded correctly (see `exact-power.ts`).
 */
import { power } from './exact-power';
import type { FloatParameter, IntParameter, Parameter } from './parameter';
import type { Value } from './value';

type Range = FloatParameter | IntParameter;

/** @param probability in [0, 1) */
export function valueAt(parameter: Parameter, probability: number): Value {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return rangeValueAt(parameter, probability);
    case 'CHOICE': return choiceValue(parameter.values, shareIndex(probability, parameter.values.length));
    case 'BOOLEAN': return probability >= 0.5;
    case 'FIXED': return parameter.value;
  }
}

/** In [0, 1]. @param value one that the parameter can have */
export function probabilityOf(parameter: Parameter, value: Value): number {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return rangeProbability(parameter, Number(value));
    case 'CHOICE': return shareMiddle(parameter.values.indexOf(value), parameter.values.length);
    case 'BOOLEAN': return value === true ? 0.75 : 0.25;
    case 'FIXED': return 0.5;
  }
}

/** How many values the parameter has; Infinity for a continuous one. */
export function valueCount(parameter: Parameter): number {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return rangeCount(parameter);
    case 'CHOICE': return parameter.values.length;
    case 'BOOLEAN': return 2;
    case 'FIXED': return 1;
  }
}

/** The value of that index, in the order in which `valueAt` runs through them. @param index an integer of [0, valueCount), which is finite */
export function indexedValue(parameter: Parameter, index: number): Value {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return parameter.step === undefined ? parameter.min + index : inRange(parameter, steppedValue(parameter, parameter.step, index));
    case 'CHOICE': return choiceValue(parameter.values, index);
    case 'BOOLEAN': return index === 1;
    case 'FIXED': return parameter.value;
  }
}

function rangeCount({ kind, min, max, step, sampling }: Range): number {
  if (step !== undefined) return stepCount(min, max, step, sampling);
  if (kind === 'INT') return max - min + 1;
  return min === max ? 1 : Infinity;
}

function stepCount(min: number, max: number, step: number, sampling: Range['sampling']): number {
  return sampling === 'LINEAR' ? Math.trunc(floorDivide(max - min, step) + 1) : Math.trunc(Math.log(max / min) / Math.log(step) + 1e-8) + 1;
}

function rangeValueAt(range: Range, probability: number): number {
  const { min, max, step, sampling } = range;
  if (step !== undefined) return inRange(range, steppedValue(range, step, shareIndex(probability, stepCount(min, max, step, sampling))));
  return inRange(range, spread(range, probability, range.kind === 'INT' ? max + 1 : max));
}

/** Rounding can leave the range by a last bit; integers are cut, as Python's int() does. */
const inRange = ({ kind, min, max }: Range, value: number): number =>
  Math.min(max, Math.max(min, kind === 'INT' ? Math.trunc(value) : value));

function steppedValue({ min, max, sampling }: Range, step: number, index: number): number {
  switch (sampling) {
    case 'LINEAR': return min + index * step;
    case 'LOG': return min * power(step, index);
    case 'REVERSE_LOG': return max + min - min * power(step, index);
  }
}

function spread({ min, sampling }: Range, probability: number, end: number): number {
  switch (sampling) {
    case 'LINEAR': return probability * (end - min) + min;
    case 'LOG': return min * power(end / min, probability);
    case 'REVERSE_LOG': return end + min - min * power(end / min, 1 - probability);
  }
}

function rangeProbability({ kind, min, max, step, sampling }: Range, value: number): number {
  if (step !== undefined) return shareMiddle(stepIndex(value, min, max, step, sampling), stepCount(min, max, step, sampling));
  const end = kind === 'INT' ? max + 1 : max;
  const middle = kind === 'INT' ? value + 0.5 : value;
  if (end === min) return 0.5;
  switch (sampling) {
    case 'LINEAR': return (middle - min) / (end - min);
    case 'LOG': return Math.log(middle / min) / Math.log(end / min);
    case 'REVERSE_LOG': return 1 - Math.log((end + min - middle) / min) / Math.log(end / min);
  }
}

function stepIndex(value: number, min: number, max: number, step: number, sampling: Range['sampling']): number {
  switch (sampling) {
    case 'LINEAR': return floorDivide(value - min, step);
    case 'LOG': return Math.log(value / min) / Math.log(step);
    case 'REVERSE_LOG': return Math.log((max - value + min) / min) / Math.log(step);
  }
}

function shareIndex(probability: number, count: number): number {
  return Math.min(Math.floor(probability / (1 / count)), count - 1);
}

const shareMiddle = (index: number, count: number): number => (index + 0.5) * (1 / count);

function choiceValue(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`a choice of ${values.length} values has no value ${index}`);
  return value;
}

/** Python's a // b for floats: by the exact remainder, so that 1 // 0.1 is 9. */
function floorDivide(a: number, b: number): number {
  let remainder = a % b;
  if (remainder !== 0 && remainder < 0 !== b < 0) remainder += b;
  const quotient = (a - remainder) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
