import type { CoordinateKind } from '../gaussian/points';
import type { Parameter } from '../space/parameter';
import { indexedValue, probabilityOf, valueAt, valueCount } from '../space/probability';
import type { Value } from '../space/value';

/** An ordered parameter of more values is treated as continuous: rounding to its values moves a point by less than the search sees. */
const STEPS_MAX = 4096;

/** Of a parameter that is not active: the middle of a numeric coordinate, and a category of its own. */
const INACTIVE_NUMERIC = 0.5;
const INACTIVE_CATEGORY = -1;

/** Which numbers a coordinate can be. */
export type Levels =
  /** All of [0, 1]. */
  | { readonly kind: 'CONTINUOUS' }
  /** These positions in [0, 1], ascending; level i is the i-th value of the parameter. */
  | { readonly kind: 'STEPS'; readonly positions: Float64Array }
  /** The integers below `count`: categories. */
  | { readonly kind: 'CATEGORIES'; readonly count: number };

/** One parameter of at least two values, as a number that a Gaussian process can take. */
export interface Coordinate {
  readonly parameter: Parameter;
  readonly kind: CoordinateKind;
  readonly levels: Levels;
  /** Stands for "not active". */
  readonly inactive: number;
}

/** @returns undefined for a parameter that has one value only */
export function coordinateOf(parameter: Parameter): Coordinate | undefined {
  const count = valueCount(parameter);
  if (count <= 1) return undefined;
  if (parameter.kind === 'BOOLEAN' || (parameter.kind === 'CHOICE' && !parameter.ordered)) {
    return { parameter, kind: 'CATEGORICAL', levels: { kind: 'CATEGORIES', count }, inactive: INACTIVE_CATEGORY };
  }
  return { parameter, kind: 'NUMERIC', levels: numericLevels(parameter, count), inactive: INACTIVE_NUMERIC };
}

function numericLevels(parameter: Parameter, count: number): Levels {
  if (count > STEPS_MAX) return { kind: 'CONTINUOUS' };
  return { kind: 'STEPS', positions: Float64Array.from({ length: count }, (_, index) => probabilityOf(parameter, indexedValue(parameter, index))) };
}

/** The number of a value that the parameter can have. */
export function numberOf({ parameter, levels }: Coordinate, value: Value): number {
  if (levels.kind !== 'CATEGORIES') return Math.min(1, Math.max(0, probabilityOf(parameter, value)));
  if (parameter.kind === 'BOOLEAN') return value === true ? 1 : 0;
  return parameter.kind === 'CHOICE' ? parameter.values.indexOf(value) : 0;
}

/** The value of a number that is one of the levels, see `snap`. */
export function valueOf({ parameter, levels }: Coordinate, number: number): Value {
  switch (levels.kind) {
    case 'CONTINUOUS': return valueAt(parameter, number);
    case 'STEPS': case 'CATEGORIES': return indexedValue(parameter, levelOf(levels, number));
  }
}

/** The nearest number that the coordinate can be. */
export function snap({ levels }: Coordinate, number: number): number {
  switch (levels.kind) {
    case 'CONTINUOUS': return number;
    case 'STEPS': return levels.positions[levelOf(levels, number)] ?? number;
    case 'CATEGORIES': return levelOf(levels, number);
  }
}

/** The index of the nearest level. */
export function levelOf(levels: Levels & { readonly kind: 'STEPS' | 'CATEGORIES' }, number: number): number {
  if (levels.kind === 'CATEGORIES') return Math.min(levels.count - 1, Math.max(0, Math.round(number)));
  const { positions } = levels;
  let low = 0;
  let high = positions.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((positions[middle] ?? 0) <= number) low = middle;
    else high = middle;
  }
  return number - (positions[low] ?? 0) <= (positions[high] ?? 0) - number ? low : high;
}

/** A number of the coordinate for a uniform one of [0, 1). */
export function spreadOver(coordinate: Coordinate, uniform: number): number {
  const { levels } = coordinate;
  return levels.kind === 'CATEGORIES' ? Math.floor(uniform * levels.count) : snap(coordinate, uniform);
}
