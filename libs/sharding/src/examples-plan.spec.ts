import { evenPart, rangeLength } from '@lockstep/reduction';
import * as fc from 'fast-check';
import type { RowPlace } from './data-plan';
import { dealFiles, planExamples, SHARD_POLICIES, type ExamplesPlanOptions } from './examples-plan';
import { Ledger } from './ledger';
import { RecordNumbers } from './record-numbers';
import { cutShards } from './shard-table';
import { ShardingError } from './sharding-error';

interface Case {
  /** Records of each file. */
  readonly counts: readonly number[];
  readonly shardRecords: number;
  readonly replicas: number;
  readonly batchSize: number;
  readonly passCount: number;
  readonly bufferSize: number | undefined;
  readonly seed: number;
}

const caseArbitrary: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 5 }).chain((replicas) => fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: replicas, maxLength: replicas + 4 }),
  shardRecords: fc.integer({ min: 1, max: 20 }),
  replicas: fc.constant(replicas),
  batchSize: fc.integer({ min: replicas, max: 40 }),
  passCount: fc.integer({ min: 1, max: 3 }),
  bufferSize: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
  seed: fc.nat(1000),
}));

const RUNS = { numRuns: 50 };

const numbersOf = ({ counts, shardRecords }: Pick<Case, 'counts' | 'shardRecords'>): RecordNumbers =>
  new RecordNumbers(cutShards('train', counts.map((recordCount, i) => ({ file: `f${i}`, recordCount })), shardRecords));

const optionsOf = (data: Case, policy: ExamplesPlanOptions['policy'], dropFinalBatch = false): ExamplesPlanOptions => ({
  policy, dropFinalBatch, replicas: data.replicas, batchSize: data.batchSize, passCount: data.passCount,
  shuffle: data.bufferSize === undefined ? undefined : { bufferSize: data.bufferSize, seed: data.seed },
});

/** All rows of a finite plan: of each step, by replica. */
const rowsOf = (data: Case, options: ExamplesPlanOptions): readonly (readonly (readonly RowPlace[])[])[] => {
  const plan = planExamples(numbersOf(data), 7, options);
  return Array.from({ length: plan.stepCount }, (_, step) => Array.from({ length: data.replicas }, (_r, replica) => plan.rowsOfReplica(step, replica, data.replicas)));
};

test.each(SHARD_POLICIES)('%s: the parts of the replicas, one after the other, are the batch, and none has more than its share of it', (policy) => {
  fc.assert(fc.property(caseArbitrary, (data) => {
    const plan = planExamples(numbersOf(data), 0, optionsOf(data, policy));
    const shares = Array.from({ length: data.replicas }, (_, replica) => rangeLength(evenPart(data.batchSize, data.replicas, replica)));
    for (let step = 0; step < plan.stepCount; step++) {
      const parts = plan.parts(step, data.replicas);
      expect([parts.map(({ from }) => from), parts.at(-1)?.to]).toEqual([[0, ...parts.slice(0, -1).map(({ to }) => to)], plan.rowCount(step)]);
      expect(parts.flatMap((part) => plan.recordsOf(step, part))).toEqual(plan.recordsOf(step, { from: 0, to: plan.rowCount(step) }));
      // The short last batch of policy DATA is dealt anew.
      if (policy !== 'DATA') expect(parts.filter((part, replica) => rangeLength(part) > (shares[replica] ?? 0))).toEqual([]);
    }
    expect(plan.rowCount(plan.stepCount)).toBe(0);
  }), RUNS);
});

test('FILE: every record once in every pass, and every file by one replica alone', () => {
  fc.assert(fc.property(caseArbitrary, (data) => {
    const recordCount = data.counts.reduce((a, b) => a + b, 0);
    const ledger = new Ledger({ recordCount, windowPositions: 1 });
    const readers = new Map<string, Set<number>>();
    rowsOf(data, optionsOf(data, 'FILE')).forEach((parts, step) => parts.forEach((visits, replica) => {
      ledger.record({ position: `${step}`, replica, reader: `${replica}`, visits });
      for (const { file, fileRecord, record } of visits) {
        readers.set(file, (readers.get(file) ?? new Set<number>()).add(replica));
        if (record !== data.counts.slice(0, Number(file.slice(1))).reduce((a, b) => a + b, 0) + fileRecord) throw new Error(`record ${record} is not ${fileRecord} of ${file}`);
      }
    }));
    expect(ledger.check()).toMatchObject({ completePasses: data.passCount, partialPasses: [] });
    data.counts.forEach((_, file) => expect([...readers.get(`f${file}`) ?? []]).toEqual([file % data.replicas]));
  }), RUNS);
});

test('OFF: every record once in every pass by each replica, and in no common order when shuffled', () => {
  fc.assert(fc.property(caseArbitrary, (data) => {
    const recordCount = data.counts.reduce((a, b) => a + b, 0);
    const ledgers = Array.from({ length: data.replicas }, () => new Ledger({ recordCount, windowPositions: 1 }));
    const orders = ledgers.map(() => [] as number[]);
    rowsOf(data, optionsOf(data, 'OFF')).forEach((parts, step) => parts.forEach((visits, replica) => {
      ledgers[replica]?.record({ position: `${step}`, replica, reader: `${replica}`, visits });
      orders[replica]?.push(...visits.map(({ record }) => record));
    }));
    for (const ledger of ledgers) expect(ledger.check()).toMatchObject({ completePasses: data.passCount, partialPasses: [] });
    if (data.bufferSize === undefined) expect(new Set(orders.map(String)).size).toBe(1);
  }), RUNS);
  const shuffled = rowsOf({ counts: [64], shardRecords: 8, replicas: 3, batchSize: 3, passCount: 1, bufferSize: 64, seed: 1 }, optionsOf({ counts: [64], shardRecords: 8, replicas: 3, batchSize: 3, passCount: 1, bufferSize: 64, seed: 1 }, 'OFF'));
  expect(new Set([0, 1, 2].map((replica) => shuffled.map((parts) => parts[replica]?.[0]?.record).join())).size).toBe(3);
});

test.each(SHARD_POLICIES)('%s: without the final batch, all batches are full, and one more would not be', (policy) => {
  fc.assert(fc.property(caseArbitrary, (data) => {
    const numbers = numbersOf(data);
    const [dropped, whole] = [true, false].map((drop) => planExamples(numbers, 0, optionsOf(data, policy, drop)));
    if (!dropped || !whole) throw new Error('no plan');
    expect(Array.from({ length: dropped.stepCount }, (_, step) => dropped.rowCount(step)).filter((count) => count !== data.batchSize)).toEqual([]);
    expect(whole.rowCount(dropped.stepCount)).toBeLessThan(data.batchSize);
  }), RUNS);
});

test.each(['FILE', 'OFF'] as const)('%s: a step of endless data is found without those before it, far beyond the first passes', (policy) => {
  const data: Case = { counts: [5, 9, 3, 4], shardRecords: 3, replicas: 3, batchSize: 7, passCount: Infinity, bufferSize: 4, seed: 2 };
  const plan = planExamples(numbersOf(data), 3, optionsOf(data, policy));
  expect(plan.stepCount).toBe(Infinity);
  const late = plan.recordsOf(100_000, { from: 0, to: 7 });
  // Replica 1 has 2 rows of each batch, and under FILE the 9 records of f1.
  expect(late[2]?.pass).toBe(Math.floor((100_000 * 2) / (policy === 'FILE' ? 9 : 21)));
  expect(planExamples(numbersOf(data), 3, optionsOf(data, policy)).recordsOf(100_000, { from: 2, to: 4 })).toEqual(late.slice(2, 4));
  expect(planExamples(numbersOf(data), 4, optionsOf(data, policy)).recordsOf(100_000, { from: 0, to: 7 })).not.toEqual(late);
});

test('files without records are dealt to nobody', () => {
  const { table } = numbersOf({ counts: [4, 0, 6, 2], shardRecords: 3 });
  expect(dealFiles(table, 2).map((shards) => shards.map((shard) => table.shards[shard]?.file))).toEqual([['f0', 'f0', 'f3'], ['f2', 'f2']]);
});

const valid: Case = { counts: [4, 4], shardRecords: 2, replicas: 2, batchSize: 4, passCount: 1, bufferSize: undefined, seed: 0 };
test.each<[string, () => unknown, string, RegExp]>([
  ['fewer files than replicas', () => planExamples(numbersOf(valid), 0, optionsOf({ ...valid, replicas: 3 }, 'FILE')), 'TOO_FEW_FILES', /3 logical replicas, but train has 2 .*at least 3 files.*at most 2 replicas.*shardPolicy DATA/],
  ['a batch smaller than the replicas', () => planExamples(numbersOf(valid), 0, optionsOf({ ...valid, batchSize: 1 }, 'OFF')), 'BAD_ARGUMENT', /batch of 1 rows is too small for 2/],
  ['other replicas than it was dealt to', () => planExamples(numbersOf(valid), 0, optionsOf(valid, 'FILE')).parts(0, 4), 'BAD_ARGUMENT', /dealt to 2 logical replicas, not to 4/],
  ['rows beyond the batch', () => planExamples(numbersOf(valid), 0, optionsOf(valid, 'OFF')).recordsOf(0, { from: 0, to: 5 }), 'BAD_ARGUMENT', /its batch has 4/],
  ['no records', () => planExamples(numbersOf({ ...valid, counts: [0] }), 0, optionsOf(valid, 'FILE')), 'NO_RECORDS', /no records/],
])('refuses %s', (_what, run, reason, message) => {
  expect(run).toThrow(message);
  expect(run).toThrow(ShardingError);
  expect(run).toThrow(expect.objectContaining({ reason }));
});
