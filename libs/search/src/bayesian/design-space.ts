import type { CoordinateKind } from '../gaussian/points';
import { defaultOf, type Parameter } from '../space/parameter';
import { indexedValue } from '../space/probability';
import { chooseValues, completeValues, isActive, type SearchSpace } from '../space/search-space';
import { valueFault } from '../space/check-values';
import type { Value, Values } from '../space/value';
import { cardinality } from '../space/cardinality';
import { coordinateOf, numberOf, snap, spreadOver, valueOf, type Coordinate } from './coordinate';
import { enumerateValues } from './enumerate';

/** Points nearer than this in every coordinate count as one. */
const CELL = 1e-10;

const designs = new WeakMap<SearchSpace, DesignSpace>();

/** A search space as coordinates: one for each parameter that has more than one value, in the order of the space. */
export class DesignSpace {
  readonly coordinates: readonly Coordinate[];
  readonly kinds: readonly CoordinateKind[];
  private readonly indexOf: ReadonlyMap<Parameter, number>;
  private readonly parents: ReadonlySet<string>;
  private counted: number | undefined;
  private readonly points = new WeakMap<Values, Float64Array>();

  private constructor(private readonly space: SearchSpace) {
    this.coordinates = space.flatMap((parameter) => coordinateOf(parameter) ?? []);
    this.kinds = this.coordinates.map(({ kind }) => kind);
    this.indexOf = new Map(this.coordinates.map(({ parameter }, index) => [parameter, index]));
    this.parents = new Set(space.flatMap(({ conditions }) => conditions.map(({ parent }) => parent)));
  }

  /** The same for the same space. */
  static of(space: SearchSpace): DesignSpace {
    const known = designs.get(space) ?? new DesignSpace(space);
    designs.set(space, known);
    return known;
  }

  /** How many points there are, Infinity when there is no end to them. */
  get size(): number {
    this.counted ??= cardinality(this.space);
    return this.counted;
  }

  /** All points of a space of finite size, in a fixed order. */
  *everyPoint(): Generator<Float64Array> {
    for (const values of enumerateValues(this.space)) yield this.encode(values);
  }

  /** The point of the defaults. */
  get defaultPoint(): Float64Array {
    return this.encode(new Map());
  }

  /** The length of a point. */
  get columns(): number {
    return this.coordinates.length;
  }

  /**
   * The point of values. What they leave out has its default, as in a trial that ran before the space grew; what a parameter cannot have
   * counts as its default too. Not to be changed.
   */
  pointOf(values: Values): Float64Array {
    const point = this.points.get(values) ?? this.encode(values);
    this.points.set(values, point);
    return point;
  }

  private encode(values: Values): Float64Array {
    const complete = completeValues(this.space, values);
    return Float64Array.from(this.coordinates, (coordinate) => {
      const { parameter } = coordinate;
      const value = complete.get(parameter.name);
      if (value === undefined || !isActive(parameter, complete)) return coordinate.inactive;
      return numberOf(coordinate, valueFault(parameter, value) === undefined ? value : defaultOf(parameter));
    });
  }

  /** The values of a point: those of its active coordinates and of parameters with a single value. */
  valuesOf(point: Float64Array): Values {
    return chooseValues(this.space, (parameter) => this.valueAt(parameter, point));
  }

  private valueAt(parameter: Parameter, point: Float64Array): Value {
    const index = this.indexOf.get(parameter);
    const coordinate = index === undefined ? undefined : this.coordinates[index];
    return index === undefined || coordinate === undefined ? indexedValue(parameter, 0) : valueOf(coordinate, point[index] ?? 0);
  }

  /** The nearest point that the space has: numbers at their levels, inactive coordinates at their stand-ins. Changes the point. */
  settle(point: Float64Array): Float64Array {
    this.coordinates.forEach((coordinate, i) => { point[i] = snap(coordinate, point[i] ?? 0); });
    if (this.parents.size > 0) {
      const active = this.activeAt(point);
      this.coordinates.forEach((coordinate, i) => { if (active[i] === false) point[i] = coordinate.inactive; });
    }
    return point;
  }

  /** Which coordinates the point itself makes active. */
  activeAt(point: Float64Array): readonly boolean[] {
    const active = this.coordinates.map(() => true);
    if (this.parents.size === 0) return active;
    const chosen = new Map<string, Value>(); // of parents only: others decide nothing
    for (const parameter of this.space) {
      const index = this.indexOf.get(parameter);
      const holds = isActive(parameter, chosen);
      if (index !== undefined) active[index] = holds;
      if (holds && this.parents.has(parameter.name)) chosen.set(parameter.name, this.valueAt(parameter, point));
    }
    return active;
  }

  /** The settled point that a point of the unit cube stands for. */
  pointAt(uniform: Float64Array): Float64Array {
    return this.settle(Float64Array.from(this.coordinates, (coordinate, i) => spreadOver(coordinate, uniform[i] ?? 0)));
  }

  /** A text that settled points share when they are the same but for rounding. */
  cellOf(point: Float64Array): string {
    return Array.from(point, (number) => Math.round(number / CELL)).join();
  }
}
