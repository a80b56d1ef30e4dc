import { lengthscaleCount, type LogParameters } from './hyperparameters';
import { squaredDistance, type CoordinateKind } from './points';

// Matérn's kernel with nu = 5/2: k(r) = amplitude (1 + a + a²/3) e^(-a), a = sqrt(5) r, r the distance with each coordinate divided by its lengthscale.

/** 1 / lengthscale² of each coordinate. */
export const inverseSquares = (parameters: LogParameters): Float64Array =>
  parameters.subarray(0, lengthscaleCount(parameters)).map((log) => Math.exp(-2 * log));

/** The scaled squared distance between the point at `x[xFrom]` and the one at `y[yFrom]`. */
export function scaledSquare(
  kinds: readonly CoordinateKind[], weights: Float64Array, x: Float64Array, xFrom: number, y: Float64Array, yFrom: number,
): number {
  let sum = 0;
  for (let d = 0; d < weights.length; d++) sum += (weights[d] ?? 0) * squaredDistance(kinds[d], x[xFrom + d] ?? 0, y[yFrom + d] ?? 0);
  return sum;
}

/** The correlation at a scaled squared distance. */
export function correlation(square: number): number {
  const a = Math.sqrt(5 * square);
  return (1 + a + a * a / 3) * Math.exp(-a);
}
