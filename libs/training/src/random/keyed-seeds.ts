import type { LayerInternals } from '../tfjs';
import type { RandomKey } from './random-stream';

/**
 * Runs `run` with the seeds of seeded dropout layers replaced by (own seed, key): tfjs draws the same mask at every
 * step from a layer's seed alone. The layers get their seeds back in any case.
 */
export function withKeyedSeeds<T>(layers: readonly LayerInternals[], key: RandomKey, run: () => T): T {
  const seeded = layers.filter((layer) => layer.seed != null && layer.rate != null);
  const own = seeded.map((layer) => layer.seed);
  seeded.forEach((layer, i) => {
    layer.seed = JSON.stringify(['dropout', own[i], layer.name, ...key]);
  });
  try {
    return run();
  } finally {
    seeded.forEach((layer, i) => {
      layer.seed = own[i];
    });
  }
}
