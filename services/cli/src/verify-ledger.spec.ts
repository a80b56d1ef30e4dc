import { create } from '@bufbuild/protobuf';
import { JobTables, toLedger, toTrainingData, type CallData } from '@lockstep/client';
import { JobEventSchema, ShardTableSchema, type JobEvent } from '@lockstep/contract';
import { iterationOf, mergeTallies, passOf, planExamples, RecordNumbers, SHARD_POLICIES, VisitTally, type ExamplesPlanOptions, type TallySummary, type Visit } from '@lockstep/sharding';
import { LedgerVerifier, type CallVerdict } from './verify-ledger';

const REPLICAS = 3;
const VERSION = 'artifacts/birds/versions/2';
const TABLES = [create(ShardTableSchema, { split: 'train', shards: [7, 4, 9, 6].map((recordCount, i) => ({ version: VERSION, path: `Split-train/f${i}`, firstRecord: 0n, recordCount: BigInt(recordCount) })) })];
const PATTERN = `${VERSION}/Split-train/*`;
const OPTIONS: ExamplesPlanOptions = { policy: 'DATA', replicas: REPLICAS, batchSize: 5, passCount: 1, dropFinalBatch: false, shuffle: { bufferSize: 8, seed: -4 } };

interface Step {
  readonly epoch: number;
  readonly step: number;
  readonly visits: TallySummary;
}

const event = (what: JobEvent['event']): JobEvent => create(JobEventSchema, { event: what });
const started = (call: number, stepsPerEpoch: number, data?: CallData): JobEvent =>
  event({ case: 'callStarted', value: { $typeName: 'lockstep.coordinator.v1.CallStarted', call, kind: 'fit', label: `call ${call}`, epochs: 2, stepsPerEpoch, ...(data && { data: toTrainingData(data) }) } });
/** One event for several steps, as the coordinator adds up those that were told together. */
const committed = (call: number, steps: readonly Step[]): JobEvent => {
  const last = steps.at(-1);
  const visits = mergeTallies(steps.map((step) => step.visits));
  return event({ case: 'stepsCommitted', value: {
    $typeName: 'lockstep.coordinator.v1.StepsCommitted', steps: steps.length, rows: BigInt(visits.records), metrics: [], ledger: toLedger(visits),
    position: { $typeName: 'lockstep.coordinator.v1.Position', call, epoch: last?.epoch ?? 0, phase: 1, step: last?.step ?? 0 },
  } });
};

const tallyOf = (visits: readonly Visit[]): TallySummary => {
  const tally = new VisitTally();
  tally.add(visits);
  return tally.summary();
};

/** The steps of a call that reads as planned. */
function stepsOf(call: number, options: ExamplesPlanOptions, epochs: readonly number[], stepsPerEpoch: number, continues: boolean): readonly Step[] {
  const found = new JobTables(TABLES).shards([PATTERN]);
  if (found.kind !== 'FOUND') throw new Error('no table');
  const numbers = new RecordNumbers(found.table);
  return epochs.flatMap((epoch, i) => {
    const iteration = iterationOf(call, continues ? 0 : epoch);
    const plan = planExamples(numbers, iteration, options);
    return Array.from({ length: stepsPerEpoch }, (_, step): Step => {
      const at = step + (continues ? i * stepsPerEpoch : 0);
      return { epoch, step, visits: tallyOf(plan.recordsOf(at, { from: 0, to: plan.rowCount(at) }).map(({ pass, record }) => ({ pass: passOf(iteration, pass), record }))) };
    });
  });
}

const verdictOf = (events: readonly JobEvent[]): CallVerdict | undefined => {
  const verifier = new LedgerVerifier(new JobTables(TABLES), REPLICAS);
  for (const each of events) verifier.follow(each);
  return verifier.verify()[0]?.verdict;
};

const examples = (options: ExamplesPlanOptions, continues: boolean): CallData => ({ kind: 'EXAMPLES', patterns: [PATTERN], options, continues });

test.each(SHARD_POLICIES.flatMap((policy) => [true, false].map((continues) => ({ policy, continues }))))('examples under $policy, one iteration $continues: as planned, however the steps are told', ({ policy, continues }) => {
  const options: ExamplesPlanOptions = { ...OPTIONS, policy, passCount: continues ? Infinity : 2 };
  const perEpoch = 6;
  // Epochs 3 and 4: a call may begin in any.
  const steps = stepsOf(2, options, [3, 4], perEpoch, continues);
  for (const cuts of [[12], [6, 12], [1, 2, 12], [4, 9, 12]]) {
    let from = 0;
    const told = cuts.map((to) => {
      const some = steps.slice(from, to);
      from = to;
      return committed(2, some);
    });
    expect([cuts, verdictOf([started(2, perEpoch, examples(options, continues)), ...told])]).toEqual([cuts, { kind: 'AS_PLANNED' }]);
  }
});

test('rows in memory: each once in every epoch; of an epoch that was broken off nothing is said', () => {
  const epoch = (number: number): Step[] => [[0, 1, 2], [3, 4]].map((records, step) => ({ epoch: number, step, visits: tallyOf(records.map((record) => ({ pass: passOf(iterationOf(1, number), 0), record }))) }));
  const begin = started(1, 2, { kind: 'ROWS', rowCount: 5 });
  expect(verdictOf([begin, committed(1, epoch(0)), committed(1, epoch(1))])).toEqual({ kind: 'AS_PLANNED' });
  expect(verdictOf([begin, committed(1, epoch(0)), committed(1, epoch(0))])).toMatchObject({ kind: 'DIFFERS', planned: { records: 5 } });
  expect(verdictOf([begin, committed(1, epoch(0)), committed(1, epoch(1).slice(0, 1))])).toMatchObject({ kind: 'UNKNOWN', why: expect.stringMatching(/last epoch was not finished/) });
});

const whole = stepsOf(0, OPTIONS, [0, 1], 6, false);
const nothing = tallyOf([]);
test.each<[string, readonly Step[]]>([
  ['a record was left out', whole.map((step, i) => (i === 3 ? { ...step, visits: nothing } : step))],
  ['records were read by two', whole.map((step, i) => (i === 3 ? { ...step, visits: mergeTallies([step.visits, step.visits]) } : step))],
  ['other records were read in their place', whole.map((step, i) => (i === 3 ? { ...step, visits: { ...step.visits, sum: step.visits.sum ^ 1n } } : step))],
  ['an epoch was read in the order of another', [...whole.slice(0, 6), ...whole.slice(0, 6).map((step) => ({ ...step, epoch: 1 }))]],
])('it is seen when %s', (_what, steps) => {
  expect(verdictOf([started(0, 6, examples(OPTIONS, false)), committed(0, steps)])?.kind).toBe('DIFFERS');
});

test('calls whose data only the module knows are counted and not judged; calls without steps are left out', () => {
  const verifier = new LedgerVerifier(new JobTables(TABLES), REPLICAS);
  const step: Step = { epoch: 0, step: 0, visits: { records: 4, sum: 9n } };
  for (const each of [started(0, 0), committed(0, [step]), started(1, 0), started(2, 6, examples({ ...OPTIONS }, false)), committed(2, whole.slice(0, 1))]) verifier.follow(each);
  expect(verifier.verify().map(({ call, verdict }) => [call, verdict.kind])).toEqual([[0, 'UNKNOWN'], [2, 'DIFFERS']]);
  expect(verifier.steps).toBe(2);
  expect(verifier.consumed).toEqual(mergeTallies([step.visits, whole[0]?.visits ?? nothing]));
});

test('files that are not the job\'s are not judged', () => {
  const data: CallData = { kind: 'EXAMPLES', patterns: ['artifacts/fish/versions/1/*'], options: OPTIONS, continues: false };
  expect(verdictOf([started(0, 6, data), committed(0, whole)])).toEqual({ kind: 'UNKNOWN', why: "artifacts/fish/versions/1/* is none of the job's files" });
});
