/**
 * Shard policy DATA: tf.data's shuffle().repeat().batch(), addressed by step.
 *
 * 1. Row i of step s is row g = s * batchSize + i of the endless sequence of passes: record g mod N of pass g div N.
 *    So a batch may straddle two passes.
 * 2. It depends on the order, the batch size and the number of passes, never on who reads.
 * 3. The parts of the logical replicas, one after the other, are the global batch.
 */
import { evenPart, type Range } from '@lockstep/reduction';
import { checkBatchOptions, checkRows, checkStep } from './check-batch';
import { DataPlan, type BatchOptions, type RowPlace } from './data-plan';
import type { RecordNumbers } from './record-numbers';
import type { RecordOrder } from './record-order';

export class BatchPlan extends DataPlan {
  readonly stepCount: number;
  private readonly rowTotal: number;

  /** @throws ShardingError NO_RECORDS, BAD_ARGUMENT */
  constructor(
    private readonly numbers: RecordNumbers,
    private readonly order: RecordOrder,
    readonly options: BatchOptions,
  ) {
    super();
    checkBatchOptions(numbers, options);
    const { batchSize, passCount, dropFinalBatch } = options;
    this.rowTotal = numbers.recordCount * passCount;
    this.stepCount = dropFinalBatch ? Math.floor(this.rowTotal / batchSize) : Math.ceil(this.rowTotal / batchSize);
  }

  rowCount(step: number): number {
    checkStep(step);
    if (step >= this.stepCount) return 0;
    return Math.min(this.options.batchSize, this.rowTotal - step * this.options.batchSize);
  }

  parts(step: number, replicas: number): readonly Range[] {
    const rowCount = this.rowCount(step);
    return Array.from({ length: replicas }, (_, replica) => evenPart(rowCount, replicas, replica));
  }

  recordsOf(step: number, range: Range): readonly RowPlace[] {
    checkRows(step, range, this.rowCount(step));
    const { recordCount } = this.numbers;
    const first = step * this.options.batchSize;
    return Array.from({ length: range.to - range.from }, (_, i) => {
      const row = first + range.from + i;
      const pass = Math.floor(row / recordCount);
      const record = this.order.recordAt(pass, row % recordCount);
      return { pass, record, ...this.numbers.place(record) };
    });
  }
}
