/** What every plan asks of its arguments. */
import type { Range } from '@lockstep/reduction';
import type { BatchOptions } from './data-plan';
import type { RecordNumbers } from './record-numbers';
import { ShardingError } from './sharding-error';

/** @throws ShardingError NO_RECORDS, BAD_ARGUMENT */
export function checkBatchOptions(numbers: RecordNumbers, { batchSize, passCount }: BatchOptions): void {
  if (numbers.recordCount === 0) throw new ShardingError('NO_RECORDS', `split ${numbers.table.split} holds no records`);
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) throw new ShardingError('BAD_ARGUMENT', `the batch size must be a positive integer, not ${batchSize}`);
  if (passCount !== Infinity && (!Number.isSafeInteger(passCount) || passCount < 1)) {
    throw new ShardingError('BAD_ARGUMENT', `the number of passes must be a positive integer or Infinity, not ${passCount}`);
  }
}

/** @throws ShardingError BAD_ARGUMENT */
export function checkStep(step: number): void {
  if (!Number.isSafeInteger(step) || step < 0) throw new ShardingError('BAD_ARGUMENT', `step ${step} does not exist: steps count from 0`);
}

/** @throws ShardingError BAD_ARGUMENT */
export function checkRows(step: number, { from, to }: Range, rowCount: number): void {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > rowCount) {
    throw new ShardingError('BAD_ARGUMENT', `rows [${from}, ${to}) of step ${step} do not exist: its batch has ${rowCount}`);
  }
}
