// Cholesky factors in flat row-major arrays with a stride, so that rows can be appended where there is room.
// Own code because a fit needs some fifty factorisations and inverses within 400 ms, and because fantasies append rows to a factor,
// which ml-matrix 6.15 does not offer; its factorisation takes about five times as long (0.67, 5.9 and 44 ms against 0.15, 1.1 and
// 8.4 ms for n = 100, 200 and 400).
import { dot, dotFour } from './dot';

/** A pivot below is zero in double precision: the matrix is not positive definite. */
const PIVOT_MIN = 1e-14;
const JITTER_FIRST = 1e-9;
const JITTER_GROWTH = 10;
const JITTER_TRIES = 8;

const four = new Float64Array(4);

/**
 * Rows `from` to `to` of the lower triangular L with L Lᵀ = matrix. Row i depends on rows up to i alone, so appending rows gives the
 * bits of a factorisation of the whole.
 * @param matrix row-major with `stride`; its lower triangle is read
 * @param factor the same shape; rows below `from` are there already; above the diagonal nothing is written
 * @returns false when the matrix is not positive definite
 */
export function factorizeRows(matrix: Float64Array, factor: Float64Array, stride: number, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const row = i * stride;
    let j = 0;
    for (; j + 3 < i; j += 4) {
      const block = j * stride;
      dotFour(factor, row, factor, block, stride, j, four);
      for (let b = 0; b < 4; b++) {
        const other = block + b * stride + j;
        let sum = (matrix[row + j + b] ?? 0) - (four[b] ?? 0);
        for (let k = 0; k < b; k++) sum -= (factor[row + j + k] ?? 0) * (factor[other + k] ?? 0);
        factor[row + j + b] = sum / (factor[other + b] ?? 0);
      }
    }
    for (; j < i; j++) {
      const other = j * stride;
      factor[row + j] = ((matrix[row + j] ?? 0) - dot(factor, row, factor, other, j)) / (factor[other + j] ?? 0);
    }
    const pivot = (matrix[row + i] ?? 0) - dot(factor, row, factor, row, i);
    if (!(pivot > PIVOT_MIN)) return false;
    factor[row + i] = Math.sqrt(pivot);
  }
  return true;
}

/**
 * The factor of a matrix that may be singular in double precision: what is missing is added to its diagonal, in place.
 * @returns the factor, of the same stride
 * @throws RangeError when no reasonable addition makes it positive definite (it holds NaN or is no covariance)
 */
export function factorizeJittered(matrix: Float64Array, stride: number, rows: number): Float64Array {
  const factor = new Float64Array(matrix.length);
  for (let attempt = 0, jitter = JITTER_FIRST; attempt <= JITTER_TRIES; attempt++, jitter *= JITTER_GROWTH) {
    if (factorizeRows(matrix, factor, stride, 0, rows)) return factor;
    for (let i = 0; i < rows; i++) matrix[i * stride + i] = (matrix[i * stride + i] ?? 0) + jitter;
  }
  throw new RangeError(`a ${rows} x ${rows} covariance is not positive definite, whatever is added to its diagonal`);
}

/** Solves L x = b over the first `rows` rows; x may be b. */
export function solveLower(factor: Float64Array, stride: number, rows: number, b: Float64Array, x: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const row = i * stride;
    x[i] = ((b[i] ?? 0) - dot(factor, row, x, 0, i)) / (factor[row + i] ?? 0);
  }
}

/** Solves L x = b for four right-hand sides, which lie in `rightHands` at `rightStride` and are overwritten by their solutions. */
export function solveLowerFour(factor: Float64Array, stride: number, rows: number, rightHands: Float64Array, rightStride: number): void {
  for (let i = 0; i < rows; i++) {
    const row = i * stride;
    const pivot = factor[row + i] ?? 0;
    dotFour(factor, row, rightHands, 0, rightStride, i, four);
    for (let b = 0; b < 4; b++) {
      const at = b * rightStride + i;
      rightHands[at] = ((rightHands[at] ?? 0) - (four[b] ?? 0)) / pivot;
    }
  }
}

/** Solves Lᵀ x = b over the first `rows` rows; x may be b. */
export function solveUpper(factor: Float64Array, stride: number, rows: number, b: Float64Array, x: Float64Array): void {
  if (x !== b) x.set(b.subarray(0, rows));
  for (let i = rows - 1; i >= 0; i--) {
    const row = i * stride;
    const value = (x[i] ?? 0) / (factor[row + i] ?? 0);
    x[i] = value;
    for (let k = 0; k < i; k++) x[k] = (x[k] ?? 0) - (factor[row + k] ?? 0) * value;
  }
}

/**
 * L⁻ᵀ: row c of the result is column c of L⁻¹, from element c on; what lies before is not written.
 * @param inverse of the same shape as the factor
 */
export function invertTransposed(factor: Float64Array, stride: number, rows: number, inverse: Float64Array): void {
  for (let c = 0; c < rows; c += 4) {
    const width = Math.min(4, rows - c);
    for (let b = 0; b < width; b++) inverse.fill(0, (c + b) * stride + c, (c + b) * stride + c + b);
    for (let i = c; i < rows; i++) {
      const row = i * stride;
      const pivot = factor[row + i] ?? 0;
      if (width === 4) dotFour(factor, row + c, inverse, c * stride + c, stride, i - c, four);
      else for (let b = 0; b < width; b++) four[b] = dot(factor, row + c, inverse, (c + b) * stride + c, i - c);
      for (let b = 0; b < width; b++) {
        const at = (c + b) * stride + i;
        if (i === c + b) inverse[at] = 1 / pivot;
        else if (i > c + b) inverse[at] = -(four[b] ?? 0) / pivot;
      }
    }
  }
}

/**
 * The lower triangle of (L Lᵀ)⁻¹ from L⁻ᵀ.
 * @param result of the same shape
 */
export function inverseFromTransposed(inverse: Float64Array, stride: number, rows: number, result: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const row = i * stride;
    const length = rows - i;
    let j = 0;
    for (; j + 3 <= i; j += 4) {
      dotFour(inverse, row + i, inverse, j * stride + i, stride, length, four);
      for (let b = 0; b < 4; b++) result[row + j + b] = four[b] ?? 0;
    }
    for (; j <= i; j++) result[row + j] = dot(inverse, row + i, inverse, j * stride + i, length);
  }
}
