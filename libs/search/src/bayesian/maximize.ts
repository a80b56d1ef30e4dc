import type { Box } from '../gaussian/hyperparameters';
import { squaredDistance } from '../gaussian/points';
import { minimizeInBox } from '../numeric/box-lbfgs';
import type { Random } from '../numeric/random';
import type { Acquisition } from './acquisition';
import { levelOf, type Coordinate, type Levels } from './coordinate';
import type { DesignSpace } from './design-space';

const STARTS = 6;
const ROUNDS_MAX = 3;
const ITERATIONS_MAX = 30;
const GRADIENT_TOLERANCE = 1e-6;
const GAIN_MIN = 1e-6;
/** Starts are apart by so much in scaled squared distance. */
const APART = 1e-3;
/** A coordinate of no more levels is searched level by level; one of more by gradient and by steps. */
const LISTED_MAX = 16;
const STRIDES = [-8, -3, -2, -1, 1, 2, 3, 8];

interface Scored {
  readonly point: Float64Array;
  readonly value: number;
}

/**
 * Points of large acquisition, the best first: the best candidates, improved by gradient where coordinates are continuous and level by
 * level where they are not, then the candidates as they are.
 * @param weights 1 / lengthscale² of each coordinate, by which starts are told apart
 */
export function maximize(
  design: DesignSpace, acquisition: Acquisition, candidates: readonly Float64Array[], box: Box, weights: Float64Array, random: Random,
): readonly Float64Array[] {
  const values = acquisition.values(candidates);
  const ranked = candidates.map((point, i): Scored => ({ point, value: values[i] ?? 0 })).sort((a, b) => b.value - a.value);
  const improved = distinctStarts(design, ranked, weights).map((start) => climb(design, acquisition, start, box, random));
  return [...improved.sort((a, b) => b.value - a.value), ...ranked].map(({ point }) => point);
}

function distinctStarts(design: DesignSpace, ranked: readonly Scored[], weights: Float64Array): readonly Scored[] {
  const starts: Scored[] = [];
  for (const candidate of ranked) {
    if (starts.length === STARTS) break;
    const square = (point: Float64Array) => point.reduce((sum, x, d) => sum + (weights[d] ?? 0) * squaredDistance(design.kinds[d], x, candidate.point[d] ?? 0), 0);
    if (starts.every(({ point }) => square(point) >= APART)) starts.push(candidate);
  }
  return starts;
}

/** Alternates between the gradient and the levels until neither gains. */
function climb(design: DesignSpace, acquisition: Acquisition, start: Scored, box: Box, random: Random): Scored {
  const stepped = design.coordinates.some(({ levels }) => levels.kind !== 'CONTINUOUS');
  let best = start;
  for (let round = 0; round < (stepped ? ROUNDS_MAX : 1); round++) {
    const before = best.value;
    best = better(best, ascend(design, acquisition, best, box, stepped));
    if (stepped) best = searchLevels(design, acquisition, best, random);
    if (best.value - before < GAIN_MIN) break;
  }
  return best;
}

const better = (a: Scored, b: Scored): Scored => (b.value > a.value ? b : a);

/** By gradient, with categories, few levels and inactive coordinates held. */
function ascend(design: DesignSpace, acquisition: Acquisition, { point }: Scored, box: Box, stepped: boolean): Scored {
  const active = design.activeAt(point);
  const isMany = (levels: Levels) => levels.kind === 'CONTINUOUS' || (levels.kind === 'STEPS' && levels.positions.length > LISTED_MAX);
  const moves = design.coordinates.map(({ levels }, d) => active[d] === true && isMany(levels));
  const low = point.map((x, d) => (moves[d] === true ? box.low[d] ?? 0 : x));
  const high = point.map((x, d) => (moves[d] === true ? box.high[d] ?? 1 : x));
  const negative = (x: Float64Array, gradient: Float64Array): number => {
    const value = acquisition.valueWithGradient(x, gradient);
    for (let d = 0; d < gradient.length; d++) gradient[d] = -(gradient[d] ?? 0);
    return -value;
  };
  const settings = { iterationsMax: ITERATIONS_MAX, evaluationsMax: 2 * ITERATIONS_MAX, gradientTolerance: GRADIENT_TOLERANCE };
  const { x, value } = minimizeInBox(negative, point, low, high, settings);
  if (!stepped) return { point: x, value: -value };
  const settled = design.settle(x);
  return { point: settled, value: acquisition.value(settled) };
}

/** One coordinate after the other, each level or step that is tried kept when it is better. */
function searchLevels(design: DesignSpace, acquisition: Acquisition, start: Scored, random: Random): Scored {
  let best = start;
  design.coordinates.forEach((coordinate, d) => {
    if (design.activeAt(best.point)[d] !== true) return;
    const tried = alternatives(coordinate, best.point[d] ?? 0, random).map((number) => {
      const point = best.point.slice();
      point[d] = number;
      return design.settle(point);
    });
    acquisition.values(tried).forEach((value, i) => { best = better(best, { point: tried[i] ?? best.point, value }); });
  });
  return best;
}

/** Other numbers of a coordinate: all levels when they are few, neighbours or some categories when they are many. */
function alternatives({ levels }: Coordinate, number: number, random: Random): readonly number[] {
  if (levels.kind === 'CONTINUOUS') return [];
  const current = levelOf(levels, number);
  if (levels.kind === 'CATEGORIES') {
    const categories = Array.from({ length: Math.min(levels.count, LISTED_MAX) }, (_, i) => (levels.count <= LISTED_MAX ? i : random.below(levels.count)));
    return categories.filter((category) => category !== current);
  }
  const { positions } = levels;
  const indices = positions.length <= LISTED_MAX ? Array.from(positions.keys()).filter((index) => index !== current) : STRIDES.map((stride) => current + stride);
  return indices.flatMap((index) => positions[index] ?? []);
}
