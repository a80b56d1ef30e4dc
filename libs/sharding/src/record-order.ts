/**
 * In which order a pass over the data reads its records: a pure function of (seed, pass, table).
 *
 * 1. Every pass is a permutation of all record numbers.
 * 2. Shuffled, the shards are permuted first; the sequence of their records is then cut into windows of `bufferSize`
 *    records, and each window is permuted. So what is read together lies in few shards. It mixes as far as tf.data's
 *    shuffle of the files and then of a buffer does, but is addressable: record i of a pass is found without its
 *    predecessors (MosaicML's streaming does the same).
 * 3. Memory is O(shards) for a pass and O(bufferSize) for a window; a few of each are kept.
 */
import { Xoshiro128, type RandomKey } from './keyed-random';
import { lastAtMost, type RecordNumbers } from './record-numbers';
import { ShardingError } from './sharding-error';

/** The order of the records, pass by pass. */
export interface RecordOrder {
  /** Number of the record that comes at `index` of a pass. Both count from 0. */
  recordAt(pass: number, index: number): number;
}

/** The table's order in every pass. */
export const tableOrder: RecordOrder = { recordAt: (_pass, index) => index };

/** What a shuffled order depends on, beside the pass. */
export interface ShuffleOptions {
  /** Records in a window: tf.data's shuffle buffer. */
  readonly bufferSize: number;
  /** The job's seed, and whatever else sets this order apart. */
  readonly key: RandomKey;
}

interface PassOrder {
  /** Shards in the order in which the pass reads them. */
  readonly shards: Uint32Array;
  /** Where each of them starts in the pass. */
  readonly starts: Float64Array;
}

/** Passes and windows that are kept: a batch lies in two windows at most while a window is no smaller than a batch. */
const KEPT = 4;

/** A new permutation for every pass. */
export class ShuffledOrder implements RecordOrder {
  private readonly passes: RecentValues<PassOrder>;
  private readonly windows: RecentValues<Uint32Array>;

  /** @throws ShardingError BAD_ARGUMENT */
  constructor(
    private readonly numbers: RecordNumbers,
    private readonly options: ShuffleOptions,
  ) {
    const { bufferSize } = options;
    if (!Number.isInteger(bufferSize) || bufferSize < 1 || bufferSize > 2 ** 31) {
      throw new ShardingError('BAD_ARGUMENT', `the shuffle buffer must hold 1 to 2^31 records, not ${bufferSize}`);
    }
    this.passes = new RecentValues(KEPT);
    this.windows = new RecentValues(KEPT);
  }

  recordAt(pass: number, index: number): number {
    const { bufferSize, key } = this.options;
    const window = Math.floor(index / bufferSize);
    const from = window * bufferSize;
    const within = this.windows.get(`${pass}:${window}`, () => {
      const length = Math.min(bufferSize, this.numbers.recordCount - from);
      return Xoshiro128.of(['order', ...key, pass, 'window', window]).permutation(length);
    });
    const { shards, starts } = this.passes.get(`${pass}`, () => this.passOrder(pass));
    const place = from + (within[index - from] ?? 0);
    const at = lastAtMost(starts, place);
    return (this.numbers.firstNumbers[shards[at] ?? 0] ?? 0) + place - (starts[at] ?? 0);
  }

  private passOrder(pass: number): PassOrder {
    const { table } = this.numbers;
    const shards = Xoshiro128.of(['order', ...this.options.key, pass, 'shards']).permutation(table.shards.length);
    const starts = new Float64Array(shards.length);
    let total = 0;
    shards.forEach((shard, i) => {
      starts[i] = total;
      total += table.shards[shard]?.recordCount ?? 0;
    });
    return { shards, starts };
  }
}

/** Keeps the values that were used last. */
class RecentValues<T> {
  private readonly values = new Map<string, T>();

  constructor(private readonly limit: number) {}

  get(key: string, make: () => T): T {
    const value = this.values.get(key) ?? make();
    // Most recent last: a Map keeps the order of insertion.
    this.values.delete(key);
    this.values.set(key, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.limit) break;
      this.values.delete(oldest);
    }
    return value;
  }
}
