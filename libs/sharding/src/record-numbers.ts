import { ShardingError } from './sharding-error';
import type { Shard, ShardTable } from './shard-table';

/** A record of a split, where it lies. */
export interface RecordPlace {
  /** Index of the shard in the table. */
  readonly shard: number;
  readonly file: string;
  /** Number of the record in the file. */
  readonly fileRecord: number;
}

/** Numbers the records of a split from 0 to recordCount, in the table's order. */
export class RecordNumbers {
  readonly recordCount: number;
  /** Number of each shard's first record; ends with recordCount. */
  readonly firstNumbers: readonly number[];

  constructor(readonly table: ShardTable) {
    const firstNumbers = [0];
    let total = 0;
    for (const shard of table.shards) firstNumbers.push((total += shard.recordCount));
    this.firstNumbers = firstNumbers;
    this.recordCount = total;
  }

  /** @throws ShardingError BAD_ARGUMENT for a number that no record has */
  place(record: number): RecordPlace {
    const index = lastAtMost(this.firstNumbers, record);
    const shard = this.shard(index);
    if (!shard || !Number.isInteger(record)) {
      throw new ShardingError('BAD_ARGUMENT', `split ${this.table.split} has no record ${record}: it has ${this.recordCount}`);
    }
    return { shard: index, file: shard.file, fileRecord: shard.firstRecord + record - (this.firstNumbers[index] ?? 0) };
  }

  private shard(index: number): Shard | undefined {
    return this.table.shards[index];
  }
}

/** Index of the last of ascending values that is <= value, or -1. */
export function lastAtMost(values: ArrayLike<number>, value: number): number {
  let low = -1;
  let high = values.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) <= value) low = middle;
    else high = middle;
  }
  return low;
}
