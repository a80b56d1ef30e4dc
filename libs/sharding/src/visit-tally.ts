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
}

const TWO_32 = 2 ** 32;

/**
 * Adds up visits in constant memory. The replicas' tallies, merged, equal the tally of the plan: a record that was lost,
 * read twice or taken for another changes the sum.
 */
export class VisitTally {
  private records = 0;
  private sumHigh = 0;
  private sumLow = 0;
  private readonly words = [0, 0, 0, 0];

  add(visits: Iterable<Visit>): void {
    for (const { pass, record } of visits) this.addOne(pass, record);
  }

  addOne(pass: number, record: number): void {
    const { words } = this;
    words[0] = pass % TWO_32;
    words[1] = Math.floor(pass / TWO_32);
    words[2] = record % TWO_32;
    words[3] = Math.floor(record / TWO_32);
    const sum = this.sumLow + murmur3(words, 0);
    this.sumLow = sum % TWO_32;
    this.sumHigh = (this.sumHigh + murmur3(words, 1) + Math.floor(sum / TWO_32)) % TWO_32;
    this.records++;
  }

  summary(): TallySummary {
    return { records: this.records, sum: (BigInt(this.sumHigh) << 32n) | BigInt(this.sumLow) };
  }
}

/** Of no visit at all. */
export const EMPTY_TALLY: TallySummary = { records: 0, sum: 0n };

/** @throws ShardingError BAD_ARGUMENT for more records than a number counts */
export function mergeTallies(summaries: readonly TallySummary[]): TallySummary {
  const merged = summaries.reduce((a, b) => ({ records: a.records + b.records, sum: BigInt.asUintN(64, a.sum + b.sum) }), EMPTY_TALLY);
  if (!Number.isSafeInteger(merged.records)) throw new ShardingError('BAD_ARGUMENT', `${merged.records} records are more than a tally counts`);
  return merged;
}

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
