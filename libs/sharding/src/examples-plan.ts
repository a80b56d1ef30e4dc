/**
 * How the records of a split are dealt to the logical replicas, by shard policy. Workers play no part in it.
 *
 * | policy | a pass reads every record | a replica reads |
 * | --- | --- | --- |
 * | DATA | once | its part of each batch of one common sequence |
 * | FILE | once | whole files of its own: file f of the table is replica f mod V's |
 * | OFF | V times, once by each replica | all records, in an order of its own when shuffled |
 *
 * Under FILE and OFF passes are the replicas' own: of data that repeats, a replica with fewer records is further on, so
 * that its records come more often.
 */
import { BatchPlan } from './batch-plan';
import type { BatchOptions, DataPlan } from './data-plan';
import type { RandomKey } from './keyed-random';
import { RecordNumbers } from './record-numbers';
import { ShuffledOrder, tableOrder, type RecordOrder } from './record-order';
import type { ShardTable } from './shard-table';
import { ShardingError } from './sharding-error';
import { StreamPlan, type RecordStream } from './stream-plan';

/** As tf.data's auto-shard policies, with logical replicas for workers. */
export type ShardPolicy = 'DATA' | 'FILE' | 'OFF';

export const SHARD_POLICIES: readonly ShardPolicy[] = ['DATA', 'FILE', 'OFF'];

/** All that a plan depends on, beside the records themselves. */
export interface ExamplesPlanOptions extends BatchOptions {
  readonly policy: ShardPolicy;
  /** V. */
  readonly replicas: number;
  /** Undefined: in the order of the table. `bufferSize` in records: of all data under DATA, of a replica's under FILE and OFF. */
  readonly shuffle: { readonly bufferSize: number; readonly seed: number } | undefined;
}

/**
 * The plan of one iteration over the records.
 *
 * @param iteration every one is shuffled anew
 * @throws ShardingError NO_RECORDS, BAD_ARGUMENT, TOO_FEW_FILES
 */
export function planExamples(numbers: RecordNumbers, iteration: number, options: ExamplesPlanOptions): DataPlan {
  const { policy, replicas, shuffle } = options;
  // Without the names of split and files: the same records under another name are read in the same order.
  const orderOf = (records: RecordNumbers, ...key: RandomKey): RecordOrder =>
    (shuffle ? new ShuffledOrder(records, { bufferSize: shuffle.bufferSize, key: [shuffle.seed, iteration, ...key] }) : tableOrder);
  switch (policy) {
    case 'DATA':
      return new BatchPlan(numbers, orderOf(numbers), options);
    case 'FILE': {
      const streams = dealFiles(numbers.table, replicas).map((shards, replica) => fileStream(numbers, shards, (own) => orderOf(own, 'replica', replica)));
      return new StreamPlan(numbers, streams, options);
    }
    case 'OFF': {
      const { recordCount } = numbers;
      const streams = Array.from({ length: replicas }, (_, replica): RecordStream => ({ recordCount, order: orderOf(numbers, 'replica', replica), recordNumber: (record) => record }));
      return new StreamPlan(numbers, streams, options);
    }
  }
}

/**
 * The shards of each of V logical replicas, as indices of the table in ascending order: file f, in the table's order, is
 * replica f mod V's.
 *
 * @throws ShardingError TOO_FEW_FILES
 */
export function dealFiles(table: ShardTable, replicas: number): readonly (readonly number[])[] {
  const fileNumbers = new Map<string, number>();
  const dealt = Array.from({ length: replicas }, (): number[] => []);
  table.shards.forEach(({ file }, shard) => {
    const number = fileNumbers.get(file) ?? fileNumbers.size;
    fileNumbers.set(file, number);
    dealt[number % replicas]?.push(shard);
  });
  if (fileNumbers.size > 0 && fileNumbers.size < replicas) {
    throw new ShardingError(
      'TOO_FEW_FILES',
      `shard policy FILE deals whole files to ${replicas} logical replicas, but ${table.split} has ${fileNumbers.size} with records: `
        + `write the examples as at least ${replicas} files, use a job with at most ${fileNumbers.size} replicas, or shardPolicy DATA, which deals records`,
    );
  }
  return dealt;
}

function fileStream(numbers: RecordNumbers, shards: readonly number[], orderOf: (own: RecordNumbers) => RecordOrder): RecordStream {
  const own = new RecordNumbers({ split: numbers.table.split, shards: shards.flatMap((shard) => numbers.table.shards[shard] ?? []) });
  return {
    recordCount: own.recordCount,
    order: orderOf(own),
    recordNumber: (record) => {
      const { shard } = own.place(record);
      return (numbers.firstNumbers[shards[shard] ?? 0] ?? 0) + record - (own.firstNumbers[shard] ?? 0);
    },
  };
}
