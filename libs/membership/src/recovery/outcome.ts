/** What the last completed operation gave. */
export type Outcome =
  | { readonly kind: 'NONE' }
  /** The members agreed, or handed over a state: there is nothing to hand on. */
  | { readonly kind: 'WORD' }
  | { readonly kind: 'SUMS'; readonly buckets: readonly Float32Array[] };

/** All sums in one piece, in the order of the buckets. */
export function concatenate(buckets: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(buckets.reduce((sum, bucket) => sum + bucket.length, 0));
  let offset = 0;
  for (const bucket of buckets) {
    whole.set(bucket, offset);
    offset += bucket.length;
  }
  return whole;
}

/** The buckets of such a piece. */
export function cut(whole: Float32Array, lengths: readonly number[]): readonly Float32Array[] {
  let offset = 0;
  return lengths.map((length) => {
    offset += length;
    return whole.subarray(offset - length, offset);
  });
}
