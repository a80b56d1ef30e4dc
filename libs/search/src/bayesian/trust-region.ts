import { lengthscaleCount, type Box, type LogParameters } from '../gaussian/hyperparameters';
import type { CoordinateKind } from '../gaussian/points';

// The trust region of TuRBO (Eriksson et al., "Scalable Global Optimization via Local Bayesian Optimization", 2019): a box around the best
// point whose side doubles after successes in a row and is halved after failures in a row.

const SIDE_FIRST = 0.8;
const SIDE_MAX = 1.6;
/** Below, the region starts anew. */
const SIDE_MIN = 0.5 ** 7;
const SUCCESSES = 3;
const FAILURES_MIN = 4;
/** What counts as better, relative to the best. */
const GAIN_MIN = 1e-3;
/** How far a side may be from the mean because of its lengthscale. */
const STRETCH_MAX = 4;

/**
 * The side of the region after scores, replayed from the first.
 * @param scores in order of time, to be minimised
 * @param start how many of them came from the initial design
 */
export function sideAfter(scores: readonly number[], start: number, columns: number): number {
  const failuresMax = Math.max(FAILURES_MIN, columns);
  let side = SIDE_FIRST;
  let best = Infinity;
  let successes = 0;
  let failures = 0;
  scores.forEach((score, index) => {
    if (index >= start) {
      const better = score < best - GAIN_MIN * Math.abs(best);
      successes = better ? successes + 1 : 0;
      failures = better ? 0 : failures + 1;
      if (successes === SUCCESSES) {
        side = Math.min(SIDE_MAX, 2 * side);
        successes = 0;
      } else if (failures === failuresMax) {
        side = side / 2 < SIDE_MIN ? SIDE_FIRST : side / 2;
        failures = 0;
      }
    }
    best = Math.min(best, score);
  });
  return side;
}

/** The unit cube. */
export const unitBox = (columns: number): Box => ({ low: new Float64Array(columns), high: new Float64Array(columns).fill(1) });

/** The region's box within the unit cube: long where the lengthscale is long. Categorical coordinates are not bounded by it. */
export function regionAround(centre: Float64Array, side: number, parameters: LogParameters, kinds: readonly CoordinateKind[]): Box {
  const logs = parameters.subarray(0, lengthscaleCount(parameters)).filter((_log, d) => kinds[d] === 'NUMERIC');
  const mean = logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length);
  const box = unitBox(centre.length);
  centre.forEach((x, d) => {
    if (kinds[d] === 'CATEGORICAL') return;
    const half = 0.5 * side * Math.min(STRETCH_MAX, Math.max(1 / STRETCH_MAX, Math.exp((parameters[d] ?? 0) - mean)));
    box.low[d] = Math.max(0, x - half);
    box.high[d] = Math.min(1, x + half);
  });
  return box;
}
