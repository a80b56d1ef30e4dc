import { factorizeJittered, factorizeRows, inverseFromTransposed, invertTransposed, solveLower, solveLowerFour, solveUpper } from './cholesky';
import { randomOf } from './random';

const at = (matrix: Float64Array, stride: number, i: number, j: number) => matrix[i * stride + j] ?? NaN;

/** A Aᵀ + I with a random A. */
function positiveDefinite(rows: number, stride: number): Float64Array {
  const random = randomOf(11, rows);
  const a = Array.from({ length: rows }, () => Array.from({ length: rows }, () => random.normal()));
  const matrix = new Float64Array(stride * stride);
  a.forEach((x, i) => {
    a.forEach((y, j) => { matrix[i * stride + j] = x.reduce((sum, v, k) => sum + v * (y[k] ?? 0), i === j ? 1 : 0); });
  });
  return matrix;
}

describe.each([1, 3, 4, 5, 8, 13, 30])('the factor of a %p x %p matrix', (rows) => {
  const stride = rows + 3;
  const matrix = positiveDefinite(rows, stride);
  const factor = new Float64Array(stride * stride);
  const made = factorizeRows(matrix, factor, stride, 0, rows);

  it('gives the matrix again', () => {
    expect(made).toBe(true);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let k = 0; k <= j; k++) sum += at(factor, stride, i, k) * at(factor, stride, j, k);
        expect(sum).toBeCloseTo(at(matrix, stride, i, j), 10);
      }
    }
  });

  it('has the same bits when its last rows are appended', () => {
    const grown = new Float64Array(stride * stride);
    const first = Math.floor(rows / 2);
    factorizeRows(matrix, grown, stride, 0, first);
    for (let row = first; row < rows; row++) factorizeRows(matrix, grown, stride, row, row + 1);
    expect(grown).toEqual(factor);
  });

  it('solves for one right-hand side and for four', () => {
    const b = Float64Array.from({ length: rows }, (_, i) => Math.sin(i + 1));
    const x = new Float64Array(rows);
    solveLower(factor, stride, rows, b, x);
    const four = new Float64Array(4 * stride);
    for (let copy = 0; copy < 4; copy++) four.set(b.map((value) => value * (copy + 1)), copy * stride);
    solveLowerFour(factor, stride, rows, four, stride);
    for (let copy = 0; copy < 4; copy++) x.forEach((value, i) => { expect(four[copy * stride + i]).toBeCloseTo(value * (copy + 1), 10); });
    solveUpper(factor, stride, rows, x, x);
    for (let i = 0; i < rows; i++) {
      expect(x.reduce((sum, value, j) => sum + at(matrix, stride, i, j) * value, 0)).toBeCloseTo(b[i] ?? NaN, 8);
    }
  });

  it('gives the inverse', () => {
    const transposed = new Float64Array(stride * stride).fill(NaN); // What is not written must not be read.
    const inverse = new Float64Array(stride * stride);
    invertTransposed(factor, stride, rows, transposed);
    inverseFromTransposed(transposed, stride, rows, inverse);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        let sum = 0;
        for (let k = 0; k < rows; k++) sum += at(matrix, stride, i, k) * at(inverse, stride, Math.max(k, j), Math.min(k, j));
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 8);
      }
    }
  });
});

describe('what is not positive definite', () => {
  it('has no factor', () => {
    expect(factorizeRows(Float64Array.of(1, 0, 2, 1), new Float64Array(4), 2, 0, 2)).toBe(false);
  });
  it('has one with something added to its diagonal, when it is singular', () => {
    expect(factorizeJittered(new Float64Array(9).fill(1), 3, 3)[8]).toBeGreaterThan(0);
  });
  it('is refused when it is no covariance', () => {
    expect(() => factorizeJittered(Float64Array.of(NaN), 1, 1)).toThrow('1 x 1 covariance is not positive definite');
  });
});
