import type { Box } from '../gaussian/hyperparameters';
import type { Random } from '../numeric/random';
import { spreadOver } from './coordinate';
import type { DesignSpace } from './design-space';

const PERTURBATIONS = [0.2, 0.05, 0.01, 0.002];
const PERTURBATIONS_EACH = 4;
const CATEGORY_CHANGES = 0.25;

/** A point within the box, uniform but for rounding. */
export function randomPoint(design: DesignSpace, box: Box, random: Random): Float64Array {
  return design.settle(Float64Array.from(design.coordinates, (coordinate, d) => {
    const uniform = random.uniform();
    if (coordinate.kind === 'CATEGORICAL') return spreadOver(coordinate, uniform);
    const low = box.low[d] ?? 0;
    return low + uniform * ((box.high[d] ?? 1) - low);
  }));
}

/** A point within the box that shares most coordinates, about half, with the centre. */
export function randomNeighbour(design: DesignSpace, box: Box, centre: Float64Array, random: Random): Float64Array {
  return design.settle(randomPoint(design, box, random).map((x, d) => (random.uniform() < 0.5 ? centre[d] ?? x : x)));
}

/** Points about each of the given ones, at four distances. */
export function perturbations(design: DesignSpace, box: Box, centres: readonly Float64Array[], random: Random): readonly Float64Array[] {
  return centres.flatMap((centre) => PERTURBATIONS.flatMap((scale) => Array.from({ length: PERTURBATIONS_EACH }, () => (
    design.settle(Float64Array.from(design.coordinates, (coordinate, d) => {
      const x = centre[d] ?? 0;
      if (coordinate.kind === 'CATEGORICAL') return random.uniform() < CATEGORY_CHANGES ? spreadOver(coordinate, random.uniform()) : x;
      return Math.min(box.high[d] ?? 1, Math.max(box.low[d] ?? 0, x + scale * random.normal()));
    }))
  ))));
}
