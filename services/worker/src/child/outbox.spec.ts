import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { MemberMessageSchema, MetricValueSchema, ProgressEntrySchema, StepsCommittedSchema, type MemberMessage, type ProgressEntry } from '@lockstep/contract';
import { fromLedger, toProgressPoint } from '@lockstep/client';
import type { ProgressPoint } from '@lockstep/membership';
import { mergeTallies } from '@lockstep/sharding';
import { Outbox } from './outbox';

const point = (step: number, epoch = 0, kind: ProgressPoint['kind'] = 'STEP', call = 0): ProgressPoint => ({ kind, call, epoch, step });
const step = (number: number, epoch = 0): ProgressEntry => create(ProgressEntrySchema, {
  point: toProgressPoint(point(number, epoch)), entry: { case: 'step', value: create(StepsCommittedSchema, { steps: 1, rows: 8n, ledger: { records: 8n, sum: 2n ** 60n }, position: { epoch, step: number }, metrics: [create(MetricValueSchema, { name: 'loss', value: number })] }) },
});
const epochEnd = (epoch: number): ProgressEntry => create(ProgressEntrySchema, { point: toProgressPoint(point(0, epoch, 'EPOCH_ENDED')), entry: { case: 'epochEnded', value: { $typeName: 'lockstep.coordinator.v1.EpochEnded', metrics: [] } } });
const callEnd = (call: number): ProgressEntry => create(ProgressEntrySchema, { point: toProgressPoint(point(0, 0, 'CALL_ENDED', call)), entry: { case: 'callEnded', value: { $typeName: 'lockstep.coordinator.v1.FinishedCall', number: call, kind: 'fit', label: '', digest: '', resultJson: '1' } } });
const message = (content: NonNullable<MessageInitShape<typeof MemberMessageSchema>['message']>): MemberMessage => create(MemberMessageSchema, { generation: 1n, message: content });
const progress = (...entries: ProgressEntry[]): MemberMessage => message({ case: 'progress', value: { entries } });

/** What is sent, as `generation: kind(steps)`. */
const shown = (messages: readonly MemberMessage[]): readonly string[] => messages.map(({ generation, message: content }) => `${generation}: ${content.case}${content.case === 'progress'
  ? `(${content.value.entries.map(({ entry, point: at }) => (entry.case === 'step' ? `${at?.epoch}.${at?.step}${entry.value.steps > 1 ? `x${entry.value.steps}` : ''}` : entry.case)).join(' ')})` : ''}`);

test('the chief tells progress at once, the others keep it, and who becomes chief tells what is not stored', () => {
  const [chief, other] = [new Outbox(), new Outbox()];
  expect([shown(chief.assigned(1n, 0, undefined)), shown(other.assigned(1n, 1, undefined))]).toEqual([[], []]);
  expect([shown(chief.add(progress(step(0), step(1)))), shown(other.add(progress(step(0), step(1))))]).toEqual([['1: progress(0.0 0.1)'], []]);
  other.commit(point(0));
  other.add(progress(step(2)));
  expect(shown(other.assigned(2n, 0, undefined))).toEqual(['2: progress(0.1 0.2)']);
  expect(shown(other.assigned(3n, 0, point(1)))).toEqual(['3: progress(0.2)']);
});

test('in a new session all is said again that may be unknown: progress first, then the newest word of each kind', () => {
  const outbox = new Outbox();
  outbox.assigned(1n, 0, undefined);
  outbox.add(progress(step(0), step(1)));
  for (const version of ['v1', 'v2']) outbox.add(message({ case: 'checkpoint', value: { version } }));
  outbox.add(message({ case: 'finished', value: { stateDigest: 'd' } }));
  expect(shown(outbox.again())).toEqual(['1: progress(0.0 0.1)', '1: checkpoint', '1: finished']);
  expect(outbox.again()[1]?.message).toMatchObject({ value: { version: 'v2' } });
  outbox.commit(point(1));
  expect(shown(outbox.again())).toEqual(['1: checkpoint', '1: finished']);
});

test.each(['ready', 'suspended', 'prepared'] as const)('%s is not said again when a generation has followed', (kind) => {
  const outbox = new Outbox();
  expect(shown(outbox.add(message({ case: kind, value: {} })))).toEqual([`1: ${kind}`]);
  expect(shown(outbox.again())).toEqual([`1: ${kind}`]);
  outbox.assigned(2n, 1, undefined);
  expect(outbox.again()).toEqual([]);
});

test('heartbeats are said once', () => {
  const outbox = new Outbox();
  expect(shown(outbox.add(message({ case: 'heartbeat', value: {} })))).toEqual(['1: heartbeat']);
  expect(outbox.again()).toEqual([]);
});

test('who has finished tells what is not stored before, chief or not: the end never overtakes the progress', () => {
  const outbox = new Outbox();
  outbox.assigned(1n, 1, undefined);
  outbox.add(progress(step(0)));
  expect(shown(outbox.add(message({ case: 'finished', value: {} })))).toEqual(['1: progress(0.0)', '1: finished']);
});

test('much is told in several messages, in order', () => {
  const outbox = new Outbox();
  outbox.add(progress(...Array.from({ length: 2500 }, (_, i) => step(i))));
  const told = outbox.assigned(1n, 0, undefined);
  expect(told.map((m) => (m.message.case === 'progress' ? m.message.value.entries.length : 0))).toEqual([1000, 1000, 500]);
  expect(told.flatMap((m) => (m.message.case === 'progress' ? m.message.value.entries : [])).every((e, i) => e.point?.step === i)).toBe(true);
});

test('a coordinator that stays away costs bounded memory: old steps are told as one, calls one by one, and no step is left out', () => {
  const outbox = new Outbox();
  outbox.add(progress(callEnd(0)));
  for (let epoch = 0; epoch < 60_000; epoch += 100) {
    outbox.add(progress(...Array.from({ length: 100 }, (_, i) => [step(0, epoch + i), epochEnd(epoch + i)]).flat()));
  }
  const told = outbox.assigned(1n, 0, undefined).flatMap((m) => (m.message.case === 'progress' ? m.message.value.entries : []));
  expect(told.length).toBeLessThanOrEqual(50_000);
  expect(told[0]?.entry.case).toBe('callEnded');
  expect(told.reduce((n, { entry }) => n + (entry.case === 'step' ? entry.value.steps : 0), 0)).toBe(60_000);
  expect(told.reduce((n, { entry }) => n + (entry.case === 'step' ? entry.value.rows : 0n), 0n)).toBe(480_000n);
  expect(mergeTallies(told.map(({ entry }) => fromLedger(entry.case === 'step' ? entry.value.ledger : undefined)))).toEqual({ records: 480_000, sum: BigInt.asUintN(64, 60_000n * 2n ** 60n) });
  expect(told.at(-1)?.point).toMatchObject({ epoch: 59_999 });
});
