// Expected hypervolume improvement, exact for any number of objectives: the region that the front leaves is cut into boxes, and within a box the
// expectation is a product, since the surrogates of the objectives are independent (Yang et al., "Efficient Computation of Expected Hypervolume
// Improvement Using Box Decomposition Algorithms", 2019).
import { improvement, type Criterion, type Improvement } from './criterion';

/** Scores of one point, all to be minimised. */
type Scores = readonly number[];

/** Of a front with more points, so many that are spread over it are used: boxes of three objectives grow with its square. */
const FRONT_MAX = 40;
const REFERENCE_MARGIN = 0.1;
const VALUE_MIN = 1e-290;

/** Indices of bounds in `Decomposition.levels`: those of objective j are low[j] and high[j]. */
interface Box {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

interface Decomposition {
  /** For each objective, the bounds that boxes have; the first is -Infinity. */
  readonly levels: readonly Float64Array[];
  readonly boxes: readonly Box[];
}

const dominates = (a: Scores, b: Scores): boolean => a.every((score, j) => score <= (b[j] ?? Infinity)) && a.some((score, j) => score < (b[j] ?? Infinity));

/** The points that no other dominates, each once. */
export function nonDominated(points: readonly Scores[]): readonly Scores[] {
  const distinct = [...new Map(points.map((point) => [point.join(), point])).values()];
  return distinct.filter((point) => !distinct.some((other) => dominates(other, point)));
}

/** A point that is a little worse than the front in every objective. */
export function referenceOf(front: readonly Scores[]): Scores {
  return (front[0] ?? []).map((_, j) => {
    const scores = front.map((point) => point[j] ?? 0);
    const worst = Math.max(...scores);
    return worst + REFERENCE_MARGIN * (worst - Math.min(...scores) || 1);
  });
}

/** The volume between the front and the reference point. Points beyond the reference add nothing. */
export function hypervolume(front: readonly Scores[], reference: Scores): number {
  const floor = reference.map((bound, j) => Math.min(bound, ...front.map((point) => point[j] ?? bound)));
  const { levels, boxes } = decompose(front, reference);
  const whole = reference.reduce((volume, bound, j) => volume * (bound - (floor[j] ?? bound)), 1);
  const left = boxes.reduce((sum, { low, high }) => sum + reference.reduce((volume, _bound, j) => {
    const from = Math.max(floor[j] ?? 0, levels[j]?.[low[j] ?? 0] ?? 0);
    return volume * Math.max(0, (levels[j]?.[high[j] ?? 0] ?? 0) - from);
  }, 1), 0);
  return whole - left;
}

/** Cuts what lies below the reference point and is not dominated by the front into boxes that do not overlap. */
function decompose(front: readonly Scores[], reference: Scores): Decomposition {
  const inside = nonDominated(front.filter((point) => point.every((score, j) => score < (reference[j] ?? 0))));
  const levels = reference.map((bound, j) => Float64Array.of(-Infinity, ...new Set(inside.map((point) => point[j] ?? 0).sort((a, b) => a - b)), bound));
  const indexed = inside.map((point) => point.map((score, j) => levels[j]?.indexOf(score) ?? 0));
  return { levels, boxes: cut(indexed, levels.map(({ length }) => length - 1)) };
}

/** Slabs along the last objective; within a slab, the points that reach into it are a front of one objective less. */
function cut(front: readonly (readonly number[])[], end: readonly number[]): readonly Box[] {
  const last = end.length - 1;
  if (last === 0) return [{ low: [0], high: [Math.min(end[0] ?? 0, ...front.map(([level = 0]) => level))] }];
  const bounds = [0, ...new Set(front.map((point) => point[last] ?? 0).sort((a, b) => a - b)), end[last] ?? 0];
  return bounds.slice(0, -1).flatMap((from, i) => {
    const reaching = front.filter((point) => (point[last] ?? 0) <= from).map((point) => point.slice(0, last));
    return cut(nonDominated(reaching), end.slice(0, last)).map(({ low, high }) => ({ low: [...low, from], high: [...high, bounds[i + 1] ?? 0] }));
  });
}

/** Points spread over a front: by their order in the first objective. */
function thin(front: readonly Scores[]): readonly Scores[] {
  if (front.length <= FRONT_MAX) return front;
  const sorted = front.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  return Array.from({ length: FRONT_MAX }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (FRONT_MAX - 1))] ?? []);
}

const NOTHING: Improvement = { logValue: -Infinity, byMean: 0, byDeviation: 0 };

/**
 * The logarithm of the expected hypervolume improvement.
 * @param scores of what is known, of at least one point
 */
export function logHypervolumeImprovement(scores: readonly Scores[]): Criterion {
  const front = thin(nonDominated(scores));
  const { levels, boxes } = decompose(front, referenceOf(front));
  // E[(u - Y)⁺] and its derivatives, at each level of each objective.
  const tables = levels.map(({ length }) => ({ values: new Float64Array(length), byMean: new Float64Array(length), byDeviation: new Float64Array(length) }));
  return {
    evaluate: (means, deviations, byMean, byDeviation) => {
      tables.forEach((table, j) => {
        levels[j]?.forEach((level, i) => {
          const { logValue, byMean: slope, byDeviation: widening } = level === -Infinity ? NOTHING : improvement(means[j] ?? 0, deviations[j] ?? 1, level);
          const value = Math.exp(logValue);
          table.values[i] = value;
          table.byMean[i] = value * slope;
          table.byDeviation[i] = value * widening;
        });
      });
      byMean.fill(0);
      byDeviation.fill(0);
      let total = 0;
      const span = (of: Float64Array, { low, high }: Box, j: number) => (of[high[j] ?? 0] ?? 0) - (of[low[j] ?? 0] ?? 0);
      for (const box of boxes) {
        const factors = tables.map(({ values }, j) => span(values, box, j));
        total += factors.reduce((product, factor) => product * factor, 1);
        tables.forEach((table, j) => {
          const others = factors.reduce((product, factor, k) => (k === j ? product : product * factor), 1);
          byMean[j] = (byMean[j] ?? 0) + others * span(table.byMean, box, j);
          byDeviation[j] = (byDeviation[j] ?? 0) + others * span(table.byDeviation, box, j);
        });
      }
      const value = Math.max(total, VALUE_MIN);
      for (let j = 0; j < byMean.length; j++) {
        byMean[j] = (byMean[j] ?? 0) / value;
        byDeviation[j] = (byDeviation[j] ?? 0) / value;
      }
      return Math.log(value);
    },
  };
}
