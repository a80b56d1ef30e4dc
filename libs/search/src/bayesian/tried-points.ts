import type { TrialRecord } from '../study/trial-record';
import type { DesignSpace } from './design-space';

/** Which points trials have been made of, up to rounding. */
export class TriedPoints {
  private readonly cells: ReadonlySet<string>;

  constructor(private readonly design: DesignSpace, trials: readonly TrialRecord[]) {
    this.cells = new Set(trials.map(({ values }) => design.cellOf(design.pointOf(values))));
  }

  /** How many different ones. */
  get count(): number {
    return this.cells.size;
  }

  /** Compared by values, which are coarser than numbers where a parameter has very many. */
  has(point: Float64Array): boolean {
    return this.cells.has(this.design.cellOf(this.design.pointOf(this.design.valuesOf(point))));
  }

  /** The first of some points that has not been tried. */
  firstUntried(points: Iterable<Float64Array>): Float64Array | undefined {
    for (const point of points) if (!this.has(point)) return point;
    return undefined;
  }
}
