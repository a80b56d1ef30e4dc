/**
 * Who reduces what.
 *
 * 1. A small bucket goes to everybody, who each reduce all of it (one-shot): one network trip. So does any bucket
 *    between two members with one subtree root each: it is as many bytes as the two trips of (2).
 * 2. Of a large bucket every member reduces its own part and sends the sums to the others (reduce-scatter followed by
 *    all-gather; Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms", without their ring): a member
 *    sends 2 (P - 1) / P of the bucket.
 * 3. Owned parts start at multiples of 64 bytes: the cache line, and what the add kernel takes in one turn.
 */
import { rangeLength, type Range } from './range';

const OWNED_ALIGNMENT_ELEMENTS = 16;

/** How a bucket is reduced, and the elements that each rank reduces. */
export interface BucketSplit {
  readonly mode: 'ONE_SHOT' | 'SCATTER_GATHER';
  /** By rank. In ONE_SHOT each is the whole bucket, otherwise they cut it into parts (the last ones may be empty). */
  readonly owned: readonly Range[];
}

/**
 * @param slots subtree roots of all members together
 * @param oneShotBytes largest bucket that goes to everybody in every world
 */
export function splitBucket(length: number, worldSize: number, slots: number, oneShotBytes: number): BucketSplit {
  const whole = { from: 0, to: length };
  if (worldSize === 1 || (worldSize === 2 && slots === 2) || length * Float32Array.BYTES_PER_ELEMENT <= oneShotBytes) {
    return { mode: 'ONE_SHOT', owned: Array.from({ length: worldSize }, () => whole) };
  }
  const share = Math.ceil(length / worldSize / OWNED_ALIGNMENT_ELEMENTS) * OWNED_ALIGNMENT_ELEMENTS;
  const owned = Array.from({ length: worldSize }, (_, rank) => ({
    from: Math.min(length, rank * share),
    to: Math.min(length, (rank + 1) * share),
  }));
  return { mode: 'SCATTER_GATHER', owned };
}

/**
 * Number of messages in which a range travels: at least one, so that an empty contribution is said explicitly.
 *
 * @param chunkLength elements of a full chunk
 */
export const chunkCount = (range: Range, chunkLength: number): number => Math.max(1, Math.ceil(rangeLength(range) / chunkLength));

/** The elements of the chunk `index` of a range. */
export function chunkRange(range: Range, chunkLength: number, index: number): Range {
  const from = Math.min(range.to, range.from + index * chunkLength);
  return { from, to: Math.min(range.to, from + chunkLength) };
}
