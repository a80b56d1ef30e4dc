/** Points of one space, one in a row. */
export interface Points {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns, row-major. */
  readonly values: Float64Array;
}

/** @param points all of `columns` coordinates */
export function pointsOf(points: readonly Float64Array[], columns: number): Points {
  const values = new Float64Array(points.length * columns);
  points.forEach((point, row) => { values.set(point, row * columns); });
  return { rows: points.length, columns, values };
}

/** How the coordinates of a space are compared: numeric ones by their difference, categorical ones as equal or not. */
export type CoordinateKind = 'NUMERIC' | 'CATEGORICAL';

/**
 * How far apart two values of one coordinate are, squared and unscaled. Categories are one apart (Hamming): the same as one-hot codes under one
 * shared lengthscale, without a coordinate for each of them.
 */
export function squaredDistance(kind: CoordinateKind | undefined, a: number, b: number): number {
  if (kind === 'CATEGORICAL') return a === b ? 0 : 1;
  return (a - b) * (a - b);
}
