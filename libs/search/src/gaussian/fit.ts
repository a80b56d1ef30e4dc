import { minimizeInBox, type Minimum } from '../numeric/box-lbfgs';
import { lengthscaleCount, negativeLogPrior, uniformParameters, type Box, type LogParameters } from './hyperparameters';
import { Likelihood } from './likelihood';
import type { CoordinateKind, Points } from './points';

/** ARD: a lengthscale for each coordinate. ISOTROPIC: one for all, which many-minima functions are better served by. */
export type LengthscaleModel = 'ARD' | 'ISOTROPIC';

export interface FitRequest {
  readonly points: Points;
  readonly kinds: readonly CoordinateKind[];
  /** Standardised, one for each point. */
  readonly scores: Float64Array;
  readonly model: LengthscaleModel;
  /** Where parameters may lie. */
  readonly box: Box;
  /** The fit of a history that this one goes on from. */
  readonly warmStart: LogParameters | undefined;
  /** Of the work that a fit may do, 1 is all. */
  readonly share: number;
}

const GRADIENT_TOLERANCE = 1e-3;
const ITERATIONS_MAX = 40;
/** Elementary steps of all evaluations together: some 150 ms on a core of 3 GHz. */
const STEPS_MAX = 1.2e8;
const EVALUATIONS_MIN = 16;
const EVALUATIONS_MAX = 60;
/** Refits of fewer points look from the fixed start too: it is cheap, and the few points say little. */
const FEW_POINTS = 60;

/** The parameters of the largest posterior density that were found (MAP), from the warm start and from a fixed one. */
export function fit(request: FitRequest): LogParameters {
  const { points: { rows, columns }, warmStart, share } = request;
  const evaluationsMax = Math.max(EVALUATIONS_MIN, Math.min(EVALUATIONS_MAX, Math.floor(share * STEPS_MAX / (rows ** 3 + 4 * rows * rows * columns))));
  const fixed = uniformParameters(columns, 0.4 * Math.sqrt(columns), 1, 1e-4);
  const wide = uniformParameters(columns, 2 * Math.sqrt(columns), Math.E, 1e-5);
  const starts = warmStart === undefined ? [fixed, wide] : rows < FEW_POINTS ? [warmStart, fixed] : [warmStart];
  const search = searchFor(request);
  const minima = starts.map((start) => search(start, Math.ceil(evaluationsMax / starts.length)));
  return minima.reduce((best, minimum) => (minimum.value < best.value ? minimum : best)).x;
}

/** Minimises the negative log posterior from a start; the result is in full parameters under either model. */
function searchFor({ points, kinds, scores, model, box }: FitRequest): (start: LogParameters, evaluationsMax: number) => Minimum {
  const likelihood = new Likelihood(points, kinds, scores, { kind: 'PROFILED' });
  const negativeLogPosterior = (parameters: LogParameters, gradient: Float64Array): number =>
    likelihood.negative(parameters, gradient) + negativeLogPrior(parameters, gradient);
  const settings = { iterationsMax: ITERATIONS_MAX, gradientTolerance: GRADIENT_TOLERANCE };
  if (model === 'ARD') return (start, evaluationsMax) => minimizeInBox(negativeLogPosterior, start, box.low, box.high, { ...settings, evaluationsMax });
  const full = new Float64Array(points.columns + 2);
  const objective = (shared: Float64Array, gradient: Float64Array): number => {
    const value = negativeLogPosterior(spread(shared, points.columns), full);
    gradient.set(gather(full, (slopes) => slopes.reduce((sum, slope) => sum + slope, 0)));
    return value;
  };
  const first = (parameters: LogParameters) => gather(parameters, (logs) => logs[0] ?? 0);
  return (start, evaluationsMax) => {
    const minimum = minimizeInBox(objective, first(start), first(box.low), first(box.high), { ...settings, evaluationsMax });
    return { ...minimum, x: spread(minimum.x, points.columns) };
  };
}

/** [shared ln lengthscale, ln amplitude, ln noise] as full parameters. */
function spread(shared: Float64Array, columns: number): LogParameters {
  const parameters = new Float64Array(columns + 2).fill(shared[0] ?? 0);
  parameters.set(shared.subarray(1), columns);
  return parameters;
}

function gather(parameters: Float64Array, combine: (lengthscales: Float64Array) => number): Float64Array {
  const columns = lengthscaleCount(parameters);
  return Float64Array.of(combine(parameters.subarray(0, columns)), parameters[columns] ?? 0, parameters[columns + 1] ?? 0);
}
