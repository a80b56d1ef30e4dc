import { create } from '@bufbuild/protobuf';
import { MemberActivitySchema, TrainJobSchema } from '@lockstep/contract';
import { QUEUED, transition, type JobState } from '@lockstep/membership';
import { factsOf } from './live-job';
import { StragglerWatch } from './straggler-watch';
import { SETTINGS } from './testing/coordinator-world';

const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;
const record = { job: create(TrainJobSchema, { name: 'jobs/j', spec: { replicas: 4 }, position: { call: 1, epoch: 2, step: 40 } }), requestId: '', token: new Uint8Array(), shardTables: [] };

function running(...workers: readonly string[]): JobState {
  let state: JobState = QUEUED;
  const inputs = [
    { kind: 'START', workers, calls: { resumed: 0, stored: 0 } } as const,
    ...workers.map((worker) => ({ kind: 'JOINED', worker, address: `${worker}:1`, fingerprint: 'f' }) as const),
    ...workers.map((worker) => ({ kind: 'READY', worker, generation: 1 }) as const),
  ];
  for (const input of inputs) {
    const moved = transition(factsOf(record, SETTINGS), state, input, 0);
    if (moved.kind === 'MOVED') ({ state } = moved);
  }
  return state;
}

/** What is heard of members: `[waits, forMs]`; a step usually takes 100 ms. */
type Told = Readonly<Record<string, readonly [boolean, number]>>;

function watch(told: Told, usualStepMs = 100): StragglerWatch {
  const stragglers = new StragglerWatch();
  for (const [worker, [waits, forMs]] of Object.entries(told)) stragglers.hear(worker, create(MemberActivitySchema, { waits, forMs, inCall: true, usualStepMs }), 1000);
  return stragglers;
}

const THREE = { state: running(A, B, C), record };

test.each<[string, Told, readonly string[]]>([
  ['the one that others wait for', { [A]: [true, 12_000], [B]: [true, 11_900], [C]: [false, 12_000] }, [C]],
  ['both that one waits for', { [A]: [true, 12_000], [B]: [false, 12_000], [C]: [false, 11_000] }, [B, C]],
  ['nobody while the wait is short', { [A]: [true, 3000], [B]: [true, 3000], [C]: [false, 3000] }, []],
  ['nobody where all wait', { [A]: [true, 12_000], [B]: [true, 12_000], [C]: [true, 12_000] }, []],
  ['nobody where all compute', { [A]: [false, 12_000], [B]: [false, 12_000], [C]: [false, 12_000] }, []],
])('names %s', (_what, told, expected) => {
  expect(watch(told).awaited(THREE, 1000).map(({ worker }) => worker)).toEqual(expected);
});

test('says since when, by rank, and where the job stands', () => {
  expect(watch({ [A]: [true, 12_000], [B]: [true, 9000], [C]: [false, 12_000] }).awaited(THREE, 1500)).toMatchObject([{ worker: C, rank: 2, waitingMs: 12_500, position: { call: 1, epoch: 2, step: 40 } }]);
});

test('a wait that is usual is not told of, however long it is', () => {
  expect(watch({ [A]: [true, 12_000], [C]: [false, 12_000] }, 4000).awaited(THREE, 1000)).toEqual([]);
  expect(watch({ [A]: [true, 21_000], [C]: [false, 21_000] }, 4000).awaited(THREE, 1000)).toHaveLength(1);
});

test('what was heard long ago names nobody, and neither does a job that is between two generations', () => {
  const told: Told = { [A]: [true, 12_000], [C]: [false, 12_000] };
  expect(watch(told).awaited(THREE, 4000)).toEqual([]);
  expect(watch(told).awaited({ state: QUEUED, record }, 1000)).toEqual([]);
});

test('one that is alone is awaited in a step, and not between two calls', () => {
  const alone = { state: running(A), record };
  const stragglers = watch({ [A]: [false, 12_000] });
  expect(stragglers.awaited(alone, 1000)).toMatchObject([{ worker: A, rank: 0 }]);
  stragglers.hear(A, create(MemberActivitySchema, { waits: false, inCall: false, forMs: 12_000 }), 1000);
  expect(stragglers.awaited(alone, 1000)).toEqual([]);
});

test('is told when a wait is long, whenever it has doubled, and anew after it was over', () => {
  const stragglers = new StragglerWatch();
  const told: number[] = [];
  for (let nowMs = 0; nowMs <= 60_000; nowMs += 500) {
    const forMs = nowMs < 50_000 ? nowMs : nowMs - 50_000;
    stragglers.hear(A, create(MemberActivitySchema, { waits: true, forMs, inCall: true }), nowMs);
    stragglers.hear(C, create(MemberActivitySchema, { forMs, inCall: true }), nowMs);
    told.push(...stragglers.news(THREE, nowMs).map(({ waitingMs }) => waitingMs));
  }
  expect(told).toEqual([5000, 10_000, 20_000, 40_000, 5000, 10_000]);
});
