/**
 * Which records make up each global batch: tf.data's shuffle().repeat().batch(), addressed by step.
 *
 * 1. Row i of step s is row g = s * batchSize + i of the endless sequence of passes: record g mod N of pass g div N.
 *    So a batch may straddle two passes.
 * 2. It depends on the order, the batch size and the number of passes, never on who reads.
 * 3. The parts of the logical replicas, one after the other, are the global batch.
 */
import { evenPart, type Range } from '@lockstep/reduction';
import type { RecordNumbers, RecordPlace } from './record-numbers';
import type { RecordOrder } from './record-order';
import { ShardingError } from './sharding-error';

/** How the sequence of passes is cut into batches. */
export interface BatchOptions {
  /** Rows of the global batch. */
  readonly batchSize: number;
  /** Passes over the data; Infinity repeats without end. */
  readonly passCount: number;
  /** Leaves out a last batch of fewer rows. */
  readonly dropFinalBatch: boolean;
}

/** A row of a batch: a record, and the pass in which it is read. */
export interface RowPlace extends RecordPlace {
  readonly pass: number;
  /** Number of the record in the split. */
  readonly record: number;
}

export class BatchPlan {
  /** Number of steps, or Infinity. */
  readonly stepCount: number;
  private readonly rowTotal: number;

  /** @throws ShardingError NO_RECORDS, BAD_ARGUMENT */
  constructor(
    private readonly numbers: RecordNumbers,
    private readonly order: RecordOrder,
    readonly options: BatchOptions,
  ) {
    const { batchSize, passCount, dropFinalBatch } = options;
    if (numbers.recordCount === 0) throw new ShardingError('NO_RECORDS', `split ${numbers.table.split} holds no records`);
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) throw new ShardingError('BAD_ARGUMENT', `the batch size must be a positive integer, not ${batchSize}`);
    if (passCount !== Infinity && (!Number.isSafeInteger(passCount) || passCount < 1)) {
      throw new ShardingError('BAD_ARGUMENT', `the number of passes must be a positive integer or Infinity, not ${passCount}`);
    }
    this.rowTotal = numbers.recordCount * passCount;
    this.stepCount = dropFinalBatch ? Math.floor(this.rowTotal / batchSize) : Math.ceil(this.rowTotal / batchSize);
  }

  /** Rows of a step's global batch; 0 once the data has ended. */
  rowCount(step: number): number {
    if (!Number.isSafeInteger(step) || step < 0) throw new ShardingError('BAD_ARGUMENT', `step ${step} does not exist: steps count from 0`);
    if (step >= this.stepCount) return 0;
    return Math.min(this.options.batchSize, this.rowTotal - step * this.options.batchSize);
  }

  /** The record behind each row of a range of a step's global batch. @throws ShardingError BAD_ARGUMENT */
  recordsOf(step: number, range: Range): readonly RowPlace[] {
    const rowCount = this.rowCount(step);
    if (!Number.isInteger(range.from) || !Number.isInteger(range.to) || range.from < 0 || range.from > range.to || range.to > rowCount) {
      throw new ShardingError('BAD_ARGUMENT', `rows [${range.from}, ${range.to}) of step ${step} do not exist: its batch has ${rowCount}`);
    }
    const { recordCount } = this.numbers;
    const first = step * this.options.batchSize;
    return Array.from({ length: range.to - range.from }, (_, i) => {
      const row = first + range.from + i;
      const pass = Math.floor(row / recordCount);
      const record = this.order.recordAt(pass, row % recordCount);
      return { pass, record, ...this.numbers.place(record) };
    });
  }

  /** The rows of one of `replicas` logical replicas: rows(position, replica). */
  rowsOfReplica(step: number, replica: number, replicas: number): readonly RowPlace[] {
    return this.recordsOf(step, evenPart(this.rowCount(step), replicas, replica));
  }

  /**
   * Shards that a member with a range of the logical replicas opens in the given steps, as indices of the table in
   * ascending order.
   */
  shardsOf(steps: Range, member: Range, replicas: number): readonly number[] {
    const found = new Set<number>();
    const last = Math.min(steps.to, this.stepCount);
    for (let step = steps.from; step < last && found.size < this.numbers.table.shards.length; step++) {
      const rowCount = this.rowCount(step);
      const range = { from: evenPart(rowCount, replicas, member.from).from, to: evenPart(rowCount, replicas, member.to - 1).to };
      for (const { shard } of this.recordsOf(step, range)) found.add(shard);
    }
    return [...found].sort((a, b) => a - b);
  }
}
