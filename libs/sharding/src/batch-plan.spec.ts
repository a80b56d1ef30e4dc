import { evenPart } from '@lockstep/reduction';
import * as fc from 'fast-check';
import { BatchPlan } from './batch-plan';
import type { BatchOptions, RowPlace } from './data-plan';
import { RecordNumbers } from './record-numbers';
import { ShuffledOrder, tableOrder } from './record-order';
import { cutShards } from './shard-table';
import { ShardingError } from './sharding-error';

interface Case {
  readonly counts: readonly number[];
  readonly shardRecords: number;
  readonly bufferSize: number | undefined;
  readonly seed: number;
}

const numbersOf = ({ counts, shardRecords }: Pick<Case, 'counts' | 'shardRecords'>): RecordNumbers =>
  new RecordNumbers(cutShards('train', counts.map((recordCount, i) => ({ file: `f${i}`, recordCount })), shardRecords));

function planOf(data: Case, options: Partial<BatchOptions> & { readonly batchSize: number }): BatchPlan {
  const numbers = numbersOf(data);
  const order = data.bufferSize === undefined ? tableOrder : new ShuffledOrder(numbers, { bufferSize: data.bufferSize, key: [data.seed] });
  return new BatchPlan(numbers, order, { passCount: Infinity, dropFinalBatch: false, ...options });
}

const wholeBatch = (plan: BatchPlan, step: number): readonly RowPlace[] => plan.recordsOf(step, { from: 0, to: plan.rowCount(step) });

const dataArbitrary: fc.Arbitrary<Case> = fc.record({
  counts: fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }).filter((counts) => counts.some((count) => count > 0)),
  shardRecords: fc.integer({ min: 1, max: 20 }),
  bufferSize: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  seed: fc.nat(1000),
});

test('every record comes exactly once in every pass, for any table, order and batch size', () => {
  fc.assert(fc.property(dataArbitrary, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 3 }), (data, batchSize, passCount) => {
    const plan = planOf(data, { batchSize, passCount });
    const rows = Array.from({ length: plan.stepCount }, (_, step) => wholeBatch(plan, step)).flat();
    const total = data.counts.reduce((a, b) => a + b, 0);
    expect(rows).toHaveLength(total * passCount);
    for (let pass = 0; pass < passCount; pass++) {
      const read = rows.slice(pass * total, (pass + 1) * total);
      expect(read.every((row) => row.pass === pass)).toBe(true);
      const places = read.map((row) => `${row.file}:${row.fileRecord}`);
      const wanted = data.counts.flatMap((count, f) => Array.from({ length: count }, (_, i) => `f${f}:${i}`));
      if (data.bufferSize === undefined) expect(places).toEqual(wanted);
      else expect(places.sort()).toEqual(wanted.sort());
    }
  }));
});

test('the parts of all replicas, one after the other, are the global batch, whoever owns them', () => {
  fc.assert(fc.property(dataArbitrary, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 8 }), fc.nat(20), (data, batchSize, replicas, step) => {
    const plan = planOf(data, { batchSize });
    const parts = Array.from({ length: replicas }, (_, replica) => plan.rowsOfReplica(step, replica, replicas));
    expect(parts.flat()).toEqual(wholeBatch(plan, step));
    // A fresh plan of a worker that reads nothing but its own replicas, from this step on.
    for (let workers = 1; workers <= replicas; workers++) {
      const read = Array.from({ length: workers }, (_, worker) => {
        const own = evenPart(replicas, workers, worker);
        const mine = planOf(data, { batchSize });
        return Array.from({ length: own.to - own.from }, (_r, i) => mine.rowsOfReplica(step, own.from + i, replicas)).flat();
      });
      expect(read.flat()).toEqual(wholeBatch(plan, step));
    }
  }), { numRuns: 50 });
});

test.each([
  { records: 10, batchSize: 4, passCount: 1, dropFinalBatch: false, rowCounts: [4, 4, 2] },
  { records: 10, batchSize: 4, passCount: 1, dropFinalBatch: true, rowCounts: [4, 4] },
  { records: 10, batchSize: 4, passCount: 2, dropFinalBatch: false, rowCounts: [4, 4, 4, 4, 4] },
  { records: 3, batchSize: 8, passCount: 1, dropFinalBatch: false, rowCounts: [3] },
  { records: 3, batchSize: 8, passCount: 1, dropFinalBatch: true, rowCounts: [] },
  { records: 3, batchSize: 8, passCount: 5, dropFinalBatch: false, rowCounts: [8, 7] },
])('$records records x $passCount in batches of $batchSize, dropping $dropFinalBatch: $rowCounts', ({ records, rowCounts, ...options }) => {
  const plan = planOf({ counts: [records], shardRecords: 4, bufferSize: undefined, seed: 0 }, options);
  expect(plan.stepCount).toBe(rowCounts.length);
  expect(Array.from({ length: rowCounts.length + 1 }, (_, step) => plan.rowCount(step))).toEqual([...rowCounts, 0]);
});

test('a batch straddles passes, as tf.data\'s repeat().batch() does', () => {
  const plan = planOf({ counts: [3], shardRecords: 3, bufferSize: undefined, seed: 0 }, { batchSize: 2 });
  expect(plan.stepCount).toBe(Infinity);
  expect(wholeBatch(plan, 1).map(({ pass, record }) => [pass, record])).toEqual([[0, 2], [1, 0]]);
});

test('passes and seeds are shuffled differently, and a pass is the same whenever it is asked for', () => {
  const data: Case = { counts: [50, 50], shardRecords: 16, bufferSize: 40, seed: 1 };
  const plan = planOf(data, { batchSize: 100 });
  const records = (from: BatchPlan, step: number) => wholeBatch(from, step).map(({ record }) => record);
  const first = records(plan, 0);
  const orders = [first, records(plan, 1), records(planOf({ ...data, seed: 2 }, { batchSize: 100 }), 0), Array.from({ length: 100 }, (_, i) => i)];
  expect(new Set(orders.map((order) => order.join())).size).toBe(4);
  for (let step = 0; step < 12; step++) records(plan, step);
  expect(records(plan, 0)).toEqual(first);
});

test('what lies in one window comes from neighbouring shards only', () => {
  const plan = planOf({ counts: Array.from({ length: 32 }, () => 8), shardRecords: 8, bufferSize: 16, seed: 3 }, { batchSize: 16, passCount: 1 });
  for (let step = 0; step < plan.stepCount; step++) {
    expect(new Set(wholeBatch(plan, step).map(({ shard }) => shard)).size).toBe(2);
  }
});

test('shardsOf names the shards that a member\'s rows lie in, and no other', () => {
  fc.assert(fc.property(dataArbitrary, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (data, batchSize, replicas) => {
    const plan = planOf(data, { batchSize, passCount: 1 });
    const steps = { from: 0, to: Math.min(3, plan.stepCount) };
    for (let replica = 0; replica < replicas; replica++) {
      const opened = new Set<number>();
      for (let step = 0; step < steps.to; step++) for (const { shard } of plan.rowsOfReplica(step, replica, replicas)) opened.add(shard);
      expect(plan.shardsOf(steps, { from: replica, to: replica + 1 }, replicas)).toEqual([...opened].sort((a, b) => a - b));
    }
  }));
});

const valid = { passCount: 1, dropFinalBatch: false, batchSize: 2 };
test.each<[string, () => unknown, string]>([
  ['a split without records', () => new BatchPlan(numbersOf({ counts: [0], shardRecords: 1 }), tableOrder, valid), 'NO_RECORDS'],
  ['a batch size of 0', () => planOf({ counts: [1], shardRecords: 1, bufferSize: undefined, seed: 0 }, { ...valid, batchSize: 0 }), 'BAD_ARGUMENT'],
  ['half a pass', () => planOf({ counts: [1], shardRecords: 1, bufferSize: undefined, seed: 0 }, { ...valid, passCount: 0.5 }), 'BAD_ARGUMENT'],
  ['a buffer without room', () => planOf({ counts: [1], shardRecords: 1, bufferSize: 0, seed: 0 }, valid), 'BAD_ARGUMENT'],
  ['rows beyond the batch', () => planOf({ counts: [3], shardRecords: 1, bufferSize: undefined, seed: 0 }, valid).recordsOf(1, { from: 0, to: 2 }), 'BAD_ARGUMENT'],
  ['a negative step', () => planOf({ counts: [3], shardRecords: 1, bufferSize: undefined, seed: 0 }, valid).rowCount(-1), 'BAD_ARGUMENT'],
  ['a record beyond the split', () => numbersOf({ counts: [3], shardRecords: 1 }).place(3), 'BAD_ARGUMENT'],
])('refuses %s', (_what, run, reason) => {
  expect.assertions(2);
  try {
    run();
  } catch (e) {
    expect(e).toBeInstanceOf(ShardingError);
    expect((e as ShardingError).reason).toBe(reason);
  }
});
