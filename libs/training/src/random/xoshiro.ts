/** Four 32-bit words, not all zero. */
export type XoshiroState = readonly [number, number, number, number];

/** xoshiro128** 1.1 (Blackman and Vigna, 2018): each call gives the next 32 random bits as an unsigned integer. */
export function xoshiro128(state: XoshiroState): () => number {
  let [s0, s1, s2, s3] = state;
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  return () => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9);
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotate(s3, 11);
    return result >>> 0;
  };
}
