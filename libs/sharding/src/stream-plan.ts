/**
 * Shard policies FILE and OFF: every logical replica reads a stream of its own, and its part of each batch comes from there.
 *
 * 1. Replica r has the part of the batch that policy DATA gives it: b(r) of batchSize rows, contiguous.
 * 2. Row i of r's part of step s is row g = s * b(r) + i of its stream: record g mod N(r) of its own pass g div N(r), for
 *    passCount passes. So what a replica reads depends on the replica, never on the worker that computes it.
 * 3. A replica whose stream has ended has no more rows; the batch is what the others have. The data ends when all streams
 *    have; with dropFinalBatch it ends before the first batch that is not full.
 */
import { evenPart, rangeLength, type Range } from '@lockstep/reduction';
import { checkBatchOptions, checkRows, checkStep } from './check-batch';
import { DataPlan, type BatchOptions, type RowPlace } from './data-plan';
import type { RecordNumbers } from './record-numbers';
import type { RecordOrder } from './record-order';
import { ShardingError } from './sharding-error';

/** What one logical replica reads, pass after pass. */
export interface RecordStream {
  readonly recordCount: number;
  readonly order: RecordOrder;
  /** Number in the split of a record of this stream, which counts its own from 0. */
  recordNumber(record: number): number;
}

export class StreamPlan extends DataPlan {
  readonly stepCount: number;
  /** Rows that each replica has of a full batch. */
  private readonly shares: readonly number[];

  /** @throws ShardingError NO_RECORDS, BAD_ARGUMENT */
  constructor(
    private readonly numbers: RecordNumbers,
    /** Of each logical replica; all have records. */
    private readonly streams: readonly RecordStream[],
    private readonly options: BatchOptions,
  ) {
    super();
    checkBatchOptions(numbers, options);
    const { batchSize, dropFinalBatch } = options;
    const replicas = streams.length;
    if (batchSize < replicas) throw new ShardingError('BAD_ARGUMENT', `a batch of ${batchSize} rows is too small for ${replicas} logical replicas that each read a part of their own`);
    this.shares = streams.map((_, replica) => rangeLength(evenPart(batchSize, replicas, replica)));
    const steps = this.shares.map((share, replica) => this.rowTotal(replica) / share);
    this.stepCount = dropFinalBatch ? Math.floor(Math.min(...steps)) : Math.ceil(Math.max(...steps));
  }

  rowCount(step: number): number {
    return this.partsOf(step).at(-1)?.to ?? 0;
  }

  parts(step: number, replicas: number): readonly Range[] {
    if (replicas !== this.streams.length) throw new ShardingError('BAD_ARGUMENT', `the data was dealt to ${this.streams.length} logical replicas, not to ${replicas}`);
    return this.partsOf(step);
  }

  recordsOf(step: number, range: Range): readonly RowPlace[] {
    const parts = this.partsOf(step);
    checkRows(step, range, parts.at(-1)?.to ?? 0);
    return parts.flatMap((part, replica) => {
      const stream = this.streams[replica];
      if (!stream) return [];
      const first = step * (this.shares[replica] ?? 0) - part.from;
      const [from, to] = [Math.max(part.from, range.from), Math.min(part.to, range.to)];
      return Array.from({ length: Math.max(0, to - from) }, (_, i) => {
        const row = first + from + i;
        const pass = Math.floor(row / stream.recordCount);
        const record = stream.recordNumber(stream.order.recordAt(pass, row % stream.recordCount));
        return { pass, record, ...this.numbers.place(record) };
      });
    });
  }

  private partsOf(step: number): readonly Range[] {
    checkStep(step);
    let to = 0;
    return this.shares.map((share, replica) => {
      const from = to;
      if (step < this.stepCount) to += Math.max(0, Math.min(share, this.rowTotal(replica) - step * share));
      return { from, to };
    });
  }

  private rowTotal(replica: number): number {
    return (this.streams[replica]?.recordCount ?? 0) * this.options.passCount;
  }
}
