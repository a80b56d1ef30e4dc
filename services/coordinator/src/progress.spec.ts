import { create } from '@bufbuild/protobuf';
import { CallStartedSchema, EpochEndedSchema, MetricValueSchema, ProgressEntrySchema, TrainJobSchema, type ProgressEntry, type ProgressKind } from '@lockstep/contract';
import { toProgressPoint } from '@lockstep/client';
import { takeProgress } from './progress';
import { callEnded, step } from './testing/coordinator-world';

const JOB = create(TrainJobSchema, { name: 'jobs/a', committedSteps: 10n });
const started: ProgressEntry = create(ProgressEntrySchema, { point: toProgressPoint({ kind: 'CALL_STARTED', call: 0, epoch: 0, step: 0 }), entry: { case: 'callStarted', value: create(CallStartedSchema, { kind: 'fit' }) } });
const epochEnded = (epoch: number): ProgressEntry => create(ProgressEntrySchema, {
  point: toProgressPoint({ kind: 'EPOCH_ENDED', call: 0, epoch, step: 0 }),
  entry: { case: 'epochEnded', value: create(EpochEndedSchema, { position: { epoch, step: 2 }, metrics: [create(MetricValueSchema, { name: 'val_loss', value: 0.5 })] }) },
});

test('neighbouring steps are one event; what lies between keeps its place', () => {
  const taken = takeProgress(JOB, undefined, [started, step(0), step(1), step(2), epochEnded(0), callEnded(0)]);
  expect(taken?.events.map((e) => (e.case === 'stepsCommitted' ? `${e.value.steps} steps of ${e.value.rows} rows` : e.case))).toEqual(['callStarted', '3 steps of 24 rows', 'epochEnded', 'callEnded']);
  const consumed = { records: 24n, sum: 3n * 2n ** 62n + 3n };
  expect(taken?.events[1]).toMatchObject({ value: { ledger: consumed } });
  expect(taken?.job).toMatchObject({ committedSteps: 13n, ledger: { records: 24n, sum: consumed.sum }, position: { epoch: 0, step: 2 }, metrics: [{ name: 'val_loss', value: 0.5 }] });
  expect(taken?.calls.map((c) => c.number)).toEqual([0]);
  expect(taken?.committed).toEqual({ kind: 'CALL_ENDED', call: 0, epoch: 0, step: 0 });
});

test('of a report that overlaps with what is known, the rest is new, with its own metrics', () => {
  const taken = takeProgress(JOB, { kind: 'STEP', call: 0, epoch: 0, step: 1 }, [step(0), step(1), step(2)]);
  expect([taken?.job.committedSteps, taken?.events.length, taken?.job.metrics[0]?.value]).toEqual([11n, 1, 1 / 3]);
});

test.each<[string, readonly ProgressEntry[]]>([
  ['nothing', []],
  ['what is known', [step(0), step(1)]],
  ['entries without a point, or of a kind of a later version', [create(ProgressEntrySchema), create(ProgressEntrySchema, { point: { call: 9, kind: 77 as ProgressKind } })]],
])('a report of %s changes nothing', (_what, entries) => {
  expect(takeProgress(JOB, { kind: 'STEP', call: 0, epoch: 0, step: 1 }, entries)).toBeUndefined();
});
