/**
 * A member's word to the others that the next generation is announced: one element more in a round's last bucket. All get the same
 * sum, so all leave their group at the same boundary, and nobody waits for sums of one who has left.
 */
import type { Round } from '@lockstep/reduction';

/** The round as the group reduces it. */
export const withNotice = (round: Round): Round => ({ ...round, bucketLengths: round.bucketLengths.map((length, i) => (isNoticed(round, i) ? length + 1 : length)) });

/** Whether a bucket carries the word. */
export const isNoticed = ({ bucketLengths }: Round, bucket: number): boolean => bucket === bucketLengths.length - 1;

/** A member's input to the bucket without the word, which is written. */
export function giveNotice(input: Float32Array, announced: boolean): Float32Array {
  const own = input.subarray(0, -1);
  input[own.length] = announced ? 1 : 0;
  return own;
}

/** The bucket's sums without the word, and whether anybody gave it. */
export function takeNotice(sums: Float32Array): { readonly sums: Float32Array; readonly announced: boolean } {
  const own = sums.subarray(0, -1);
  return { sums: own, announced: sums[own.length] !== 0 };
}
