import { squaredDistance, type CoordinateKind } from '../gaussian/points';

/**
 * Which points a surrogate of bounded cost is made of: a quarter each of the best, those nearest the best one, the most recent, and ones
 * spread over the whole history.
 * @param points in order of time
 * @param scores one for each, the smallest the best
 * @param most how many at most
 * @returns ascending indices; all of them when they are few enough
 */
export function representative(points: readonly Float64Array[], scores: Float64Array, kinds: readonly CoordinateKind[], most: number): readonly number[] {
  const all = points.map((_point, index) => index);
  if (all.length <= most) return all;
  const quarter = Math.floor(most / 4);
  const byScore = all.toSorted((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || a - b);
  const centre = points[byScore[0] ?? 0] ?? new Float64Array();
  const distances = points.map((point) => centre.reduce((sum, x, d) => sum + squaredDistance(kinds[d], x, point[d] ?? 0), 0));
  const byDistance = all.toSorted((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b);
  const chosen = new Set<number>();
  const take = (candidates: Iterable<number>, until: number) => {
    for (const index of candidates) {
      if (chosen.size >= until) return;
      chosen.add(index);
    }
  };
  take(byScore, quarter);
  take(byDistance, 2 * quarter);
  take(all.toReversed(), 3 * quarter);
  const stride = all.length / (most - chosen.size);
  take(Array.from({ length: most - chosen.size }, (_, i) => Math.floor(i * stride)), most);
  take(all.toReversed(), most); // Where the stride met points that were chosen.
  return [...chosen].sort((a, b) => a - b);
}
