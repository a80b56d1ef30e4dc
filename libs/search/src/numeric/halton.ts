import { randomOf } from './random';

// Halton's sequence with a random permutation for each digit (Owen, "A randomized Halton algorithm in R", 2017). A start has 5 to 10 points,
// where it and scrambled Sobol' points hardly differ, and it needs no table of direction numbers. Its first points are stratified
// only in bases that they fill; dimensions beyond are drawn.

const BASES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47];
const PRECISION = 1e-6;
const STREAM = 7;

/**
 * Point `index` of the sequence.
 * @param index from 0
 * @param dimensions length of the point
 * @param seed chooses the permutations
 * @returns coordinates in [0, 1)
 */
export function haltonPoint(index: number, dimensions: number, seed: number): Float64Array {
  const drawn = randomOf(seed, STREAM, index);
  return Float64Array.from({ length: dimensions }, (_, dimension) => {
    const rest = drawn.uniform();
    const base = BASES[dimension];
    return base === undefined ? rest : radicalInverse(index, base, seed, dimension, rest);
  });
}

/** The digits of the index in this base, permuted and mirrored at the point; `below` is what lies beneath the precision. */
function radicalInverse(index: number, base: number, seed: number, dimension: number, below: number): number {
  let value = 0;
  let rest = index;
  let unit = 1;
  for (let digit = 0; unit > PRECISION; digit++) {
    unit /= base;
    value += unit * permuted(rest % base, base, seed, dimension, digit);
    rest = Math.floor(rest / base);
  }
  return Math.min(value + unit * below, 1 - Number.EPSILON);
}

/** The image of one digit under a permutation of all (Fisher and Yates). */
function permuted(digit: number, base: number, seed: number, dimension: number, place: number): number {
  const random = randomOf(seed, STREAM + 1, dimension, place);
  const images = Array.from({ length: base }, (_, i) => i);
  for (let i = base - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [images[i], images[j]] = [images[j] ?? 0, images[i] ?? 0];
  }
  return images[digit] ?? 0;
}
