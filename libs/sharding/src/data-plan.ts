import type { Range } from '@lockstep/reduction';
import type { RecordPlace } from './record-numbers';
import { ShardingError } from './sharding-error';

/** How the sequence of passes is cut into batches. */
export interface BatchOptions {
  /** Rows of the global batch: of all logical replicas together. */
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

/** Which records make up each global batch: a pure function, which never depends on who reads. */
export abstract class DataPlan {
  /** Number of steps, or Infinity. */
  abstract readonly stepCount: number;

  /** Rows of a step's global batch; 0 once the data has ended. @throws ShardingError BAD_ARGUMENT */
  abstract rowCount(step: number): number;

  /**
   * The rows of each of V logical replicas in a step's batch: one after the other they are the batch. A replica may have none.
   *
   * @throws ShardingError BAD_ARGUMENT
   */
  abstract parts(step: number, replicas: number): readonly Range[];

  /** The record behind each row of a range of a step's global batch. @throws ShardingError BAD_ARGUMENT */
  abstract recordsOf(step: number, range: Range): readonly RowPlace[];

  /** The rows of one of `replicas` logical replicas: rows(position, replica). */
  rowsOfReplica(step: number, replica: number, replicas: number): readonly RowPlace[] {
    const part = this.parts(step, replicas)[replica];
    if (!part) throw new ShardingError('BAD_ARGUMENT', `replica ${replica} of ${replicas} does not exist`);
    return this.recordsOf(step, part);
  }

  /** Shards that a member with a range of the logical replicas opens in the given steps, as indices of the table in ascending order. */
  shardsOf(steps: Range, member: Range, replicas: number): readonly number[] {
    const found = new Set<number>();
    const last = Math.min(steps.to, this.stepCount);
    for (let step = steps.from; step < last; step++) {
      for (const part of this.parts(step, replicas).slice(member.from, member.to)) {
        for (const { shard } of this.recordsOf(step, part)) found.add(shard);
      }
    }
    return [...found].sort((a, b) => a - b);
  }
}
