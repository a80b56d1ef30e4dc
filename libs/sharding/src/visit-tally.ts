import { ShardingError } from './sharding-error';

/** A record, read in a pass. */
export interface Visit {
  readonly pass: number;
  readonly record: number;
}

/** What was read, in a form that members add up: the order and the dealing of the rows leave it unchanged. */
export interface TallySummary {
  readonly records: number;
  /** Sum of the visits' 64-bit hashes, modulo 2^64. */
  readonly sum: bigint;
  /** Exclusive or of the same hashes. */
  readonly xor: bigint;
}

const TWO_32 = 2 ** 32;

/**
 * Adds up visits in constant memory. The members' tallies, merged, equal the tally of the plan: a record that was lost,
 * read twice or taken for another changes the sum.
 */
export class VisitTally {
  private records = 0;
  private sumHigh = 0;
  private sumLow = 0;
  private xorHigh = 0;
  private xorLow = 0;

  add(visits: Iterable<Visit>): void {
    for (const { pass, record } of visits) {
      const words = [pass % TWO_32, Math.floor(pass / TWO_32), record % TWO_32, Math.floor(record / TWO_32)];
      const low = murmur3(words, 0);
      const high = murmur3(words, 1);
      const sum = this.sumLow + low;
      this.sumLow = sum % TWO_32;
      this.sumHigh = (this.sumHigh + high + Math.floor(sum / TWO_32)) % TWO_32;
      this.xorLow = (this.xorLow ^ low) >>> 0;
      this.xorHigh = (this.xorHigh ^ high) >>> 0;
      this.records++;
    }
  }

  summary(): TallySummary {
    return { records: this.records, sum: join(this.sumHigh, this.sumLow), xor: join(this.xorHigh, this.xorLow) };
  }
}

/** @throws ShardingError BAD_ARGUMENT for more records than a number counts */
export function mergeTallies(summaries: readonly TallySummary[]): TallySummary {
  const merged = summaries.reduce(
    (a, b) => ({ records: a.records + b.records, sum: BigInt.asUintN(64, a.sum + b.sum), xor: a.xor ^ b.xor }),
    { records: 0, sum: 0n, xor: 0n },
  );
  if (!Number.isSafeInteger(merged.records)) throw new ShardingError('BAD_ARGUMENT', `${merged.records} records are more than a tally counts`);
  return merged;
}

const join = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);

/** MurmurHash3_x86_32 (Appleby) of 32-bit words, little endian. */
export function murmur3(words: readonly number[], seed: number): number {
  let hash = seed | 0;
  for (const word of words) {
    const mixed = Math.imul(word, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
