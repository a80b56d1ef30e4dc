import type { Leaf } from './regression-tree';

/**
 * How a tree's predictions vary over the unit cube, and how much of it each feature does alone: the variance of the
 * marginal prediction, all other features integrated out, is exact, since a tree is constant in boxes (F. Hutter, H. Hoos,
 * K. Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance, ICML 2014, algorithms 1 and 2).
 */
export function varianceShares(leaves: readonly Leaf[], featureCount: number): readonly number[] | undefined {
  const volumes = leaves.map(({ low, high }) => low.reduce((volume, from, i) => volume * ((high[i] ?? 1) - from), 1));
  const mean = leaves.reduce((sum, { value }, i) => sum + value * (volumes[i] ?? 0), 0);
  const total = leaves.reduce((sum, { value }, i) => sum + (value - mean) ** 2 * (volumes[i] ?? 0), 0);
  if (total === 0) return undefined;
  return Array.from({ length: featureCount }, (_, feature) => marginalVariance(leaves, volumes, feature, mean) / total);
}

/** Runs along the feature: at the ends of a leaf's interval, what it adds to the marginal prediction comes and goes. */
function marginalVariance(leaves: readonly Leaf[], volumes: readonly number[], feature: number, mean: number): number {
  const changes = new Map<number, number>();
  const change = (at: number, by: number): void => { changes.set(at, (changes.get(at) ?? 0) + by); };
  leaves.forEach(({ low, high, value }, i) => {
    const from = low[feature] ?? 0;
    const to = high[feature] ?? 1;
    const part = (value - mean) * (volumes[i] ?? 0) / (to - from);
    change(from, part);
    change(to, -part);
  });
  let deviation = 0;
  let variance = 0;
  let before = 0;
  for (const [edge, by] of [...changes].sort(([a], [b]) => a - b)) {
    variance += deviation ** 2 * (edge - before);
    deviation += by;
    before = edge;
  }
  return variance;
}
