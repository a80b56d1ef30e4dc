import { MemberOutbox, type Saying, type StatementKind } from './member-outbox';
import type { ProgressPoint } from './progress-point';

interface Entry { readonly point: ProgressPoint; readonly steps: number }

const at = (step: number): ProgressPoint => ({ call: 0, epoch: 0, step, kind: 'STEP' });
const step = (number: number): Entry => ({ point: at(number), steps: 1 });
const outbox = (maxEntries = 100): MemberOutbox<string, Entry> => new MemberOutbox<string, Entry>({
  maxEntries, pointOf: ({ point }) => point,
  merge: (older, newer) => (older.point.kind === 'STEP' && newer.point.kind === 'STEP' ? { ...newer, steps: older.steps + newer.steps } : undefined),
});
const words = (sayings: readonly Saying<string, Entry>[]): readonly string[] =>
  sayings.map((saying) => (saying.kind === 'STATEMENT' ? saying.statement : `steps ${saying.entries.map(({ point }) => point.step).join()}`));

test('progress is told by the chief alone, and by who becomes chief from what is committed on', () => {
  const box = outbox();
  expect(words(box.add([step(0), step(1)]))).toEqual([]);
  expect(words(box.assigned(1, undefined))).toEqual([]);
  expect(words(box.add([step(2)]))).toEqual([]);
  expect(words(box.assigned(0, at(0)))).toEqual(['steps 1,2']);
  expect(words(box.add([step(3)]))).toEqual(['steps 3']);
  box.commit(at(2));
  expect(words(box.again())).toEqual(['steps 3']);
  // An older word changes nothing.
  box.commit(at(1));
  expect(box.open.map(({ point }) => point.step)).toEqual([3]);
});

test('a new session hears progress first, then the newest of each statement', () => {
  const box = outbox();
  box.assigned(0, undefined);
  box.add([step(0)]);
  box.state('ready', 'ready 1');
  box.state('checkpoint', 'checkpoint 1');
  box.state('checkpoint', 'checkpoint 2');
  expect(words(box.again())).toEqual(['steps 0', 'ready 1', 'checkpoint 2']);
});

test.each<StatementKind>(['finished', 'checkpoint'])('%s is never said before the progress that leads to it, chief or not', (kind) => {
  const box = outbox();
  box.assigned(3, undefined);
  box.add([step(0), step(1)]);
  expect(words(box.state(kind, kind))).toEqual(['steps 0,1', kind]);
  box.add([step(2)]);
  expect(words(box.again())).toEqual(['steps 0,1,2', kind]);
});

test.each<[StatementKind, readonly string[]]>([
  ['ready', []], ['suspended', []], ['prepared', []], ['failed', ['word']], ['modelCommitted', ['word']],
])('%s in a next generation is said again: %j', (kind, again) => {
  const box = outbox();
  expect(words(box.state(kind, 'word'))).toEqual(['word']);
  box.assigned(1, undefined);
  expect(words(box.again())).toEqual(again);
});

test('it is bounded: the oldest are told as one, and nothing is lost', () => {
  const box = outbox(10);
  box.assigned(0, undefined);
  const call: Entry = { point: { call: 0, epoch: 0, step: 0, kind: 'CALL_STARTED' }, steps: 0 };
  box.add([call]);
  for (let i = 0; i < 200; i++) box.add([step(i)]);
  const [saying] = box.again();
  const entries = saying?.kind === 'PROGRESS' ? saying.entries : [];
  expect(entries.length).toBeLessThanOrEqual(10);
  expect(entries[0]).toBe(call);
  expect(entries.reduce((sum, { steps }) => sum + steps, 0)).toBe(200);
  expect(entries.at(-1)?.point.step).toBe(199);
});
