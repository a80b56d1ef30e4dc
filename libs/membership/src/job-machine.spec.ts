import { transition, type JobEffect, type JobFacts, type JobInput, type Transition } from './job-machine';
import type { JobState } from './job-state';

const facts: JobFacts = { job: 'jobs/j', replicas: 4, strictNumerics: true, maxRuntimeMs: 100_000, rendezvousTimeoutMs: 10_000, exportTimeoutMs: 20_000 };
const [A, B] = ['workers/a', 'workers/b'] as const;
const report = (stateDigest: string, steps = 9) => ({ stateDigest, steps });

interface World { state: JobState; effects: JobEffect[]; last: Transition }

function run(inputs: readonly JobInput[], using: JobFacts = facts): World {
  const world: World = { state: { kind: 'QUEUED' }, effects: [], last: { kind: 'UNCHANGED' } };
  inputs.forEach((input, i) => {
    world.last = transition(using, world.state, input, 1000 * i);
    if (world.last.kind !== 'MOVED') return;
    world.state = world.last.state;
    world.effects = [...world.effects, ...world.last.effects];
  });
  return world;
}

const START: JobInput = { kind: 'START', generation: 7, workers: [A, B] };
const join = (worker: string, fingerprint = 'f'): JobInput => ({ kind: 'JOINED', worker, address: `${worker}:1`, fingerprint });
const ready = (worker: string, generation = 7): JobInput => ({ kind: 'READY', worker, generation });
const done = (worker: string, digest = 'd', generation = 7): JobInput => ({ kind: 'FINISHED', worker, generation, report: report(digest) });
const RUNNING = [START, join(B), join(A), ready(A), ready(B)];

test('a job goes through its states and ends with nothing held', () => {
  const world = run([...RUNNING, done(A), done(B), { kind: 'MODEL_COMMITTED', worker: A, generation: 7 }]);
  expect(world.state).toEqual({ kind: 'SUCCEEDED' });
  expect(world.effects.map((e) => `${e.kind} ${e.worker}`)).toEqual([
    'START_CHILD workers/a', 'START_CHILD workers/b', 'ASSIGN workers/a', 'ASSIGN workers/b', 'PROCEED workers/a', 'PROCEED workers/b',
    'COMMIT_MODEL workers/a', 'STOP_CHILD workers/a', 'STOP_CHILD workers/b']);
  const assign = world.effects.find((e) => e.kind === 'ASSIGN');
  expect(assign).toMatchObject({ generation: 7, members: [
    { rank: 0, worker: A, range: { from: 0, to: 2 }, address: 'workers/a:1' }, { rank: 1, worker: B, range: { from: 2, to: 4 }, address: 'workers/b:1' }] });
});

test.each<[string, readonly JobInput[]]>([
  ['while its children start', [START]],
  ['while they connect', [START, join(A), join(B)]],
  ['while it runs', RUNNING],
  ['after one has finished', [...RUNNING, done(A)]],
  ['while the chief commits', [...RUNNING, done(A), done(B)]],
])('a lost worker fails the job by name and rank, %s', (_when, before) => {
  const world = run([...before, { kind: 'WORKER_LOST', worker: B, detail: 'its session ended' }]);
  expect(world.state).toMatchObject({ kind: 'FAILED', failure: { reason: 'WORKER_LOST', fault: 'WORKER', worker: B, rank: 1 } });
  expect(world.effects.filter((e) => e.kind === 'STOP_CHILD').map((e) => e.worker)).toEqual([A, B]);
});

test.each<[string, JobInput]>([
  ['READY', ready(A, 6)],
  ['FINISHED', done(A, 'd', 6)],
  ['MODEL_COMMITTED', { kind: 'MODEL_COMMITTED', worker: A, generation: 6 }],
  ['FINISHED of a stranger', done('workers/x')],
  ['MEMBER_FAILED', { kind: 'MEMBER_FAILED', worker: A, generation: 6, failure: { reason: 'MODULE_THREW', message: '', fault: 'MODULE' } }],
])('%s of another generation or worker is fenced and changes nothing', (_name, input) => {
  const world = run([...RUNNING, input]);
  expect(world.last).toMatchObject({ kind: 'FENCED' });
  expect(world.state.kind).toBe('RUNNING');
});

test('only the chief commits', () => {
  const world = run([...RUNNING, done(A), done(B), { kind: 'MODEL_COMMITTED', worker: B, generation: 7 }]);
  expect(world.state.kind).toBe('EXPORTING');
});

test('members that end with different states commit nothing', () => {
  const world = run([...RUNNING, done(A, 'aaa'), done(B, 'bbb')]);
  expect(world.state).toMatchObject({ kind: 'FAILED', failure: { reason: 'STATE_DIVERGED', worker: B, rank: 1 } });
  expect(world.effects.some((e) => e.kind === 'COMMIT_MODEL')).toBe(false);
});

test('a worker with other numerics is refused by name in a STRICT job and admitted in a RELAXED one', () => {
  const inputs = [START, join(A, 'avx2'), join(B, 'avx512')];
  expect(run(inputs).state).toMatchObject({ kind: 'FAILED', failure: { reason: 'FINGERPRINT_DIFFERS', worker: B } });
  expect(run(inputs, { ...facts, strictNumerics: false }).state).toMatchObject({ kind: 'RENDEZVOUS', phase: { kind: 'CONNECTING' } });
});

test.each<[string, readonly JobInput[], number, string, string]>([
  ['a child that does not start', [START, join(A)], 10_001, 'RENDEZVOUS_DEADLINE', 'rank 1 (workers/b)'],
  ['a member that does not connect', [START, join(A), join(B), ready(B)], 10_001, 'RENDEZVOUS_DEADLINE', 'rank 0 (workers/a)'],
  ['a module that runs too long', RUNNING, 104_001, 'MAX_RUNTIME', 'rank 0 (workers/a), rank 1 (workers/b)'],
  ['a chief that does not commit', [...RUNNING, done(A), done(B)], 26_001, 'EXPORT_DEADLINE', 'workers/a'],
])('the deadline names %s', (_what, before, nowMs, reason, who) => {
  const { state } = run(before);
  const late = transition(facts, state, { kind: 'TICK' }, nowMs);
  expect(late).toMatchObject({ kind: 'MOVED', state: { kind: 'FAILED', failure: { reason } } });
  expect(late.kind === 'MOVED' ? late.detail : '').toContain(who);
  expect(transition(facts, state, { kind: 'TICK' }, 4000)).toEqual({ kind: 'UNCHANGED' });
});

test.each<[string, readonly JobInput[]]>([['queued', []], ['starting', [START]], ['running', RUNNING]])('a %s job can be cancelled once', (_name, before) => {
  const world = run([...before, { kind: 'CANCEL' }]);
  expect(world.state).toEqual({ kind: 'CANCELLED' });
  expect(transition(facts, world.state, { kind: 'CANCEL' }, 0)).toEqual({ kind: 'UNCHANGED' });
});

test('nothing moves a job that has ended', () => {
  const { state } = run([...RUNNING, { kind: 'CANCEL' }]);
  const failure = { reason: 'MODULE_THREW', message: 'late', fault: 'MODULE' } as const;
  for (const input of [ready(A), done(A), join(A), { kind: 'MEMBER_FAILED', worker: A, generation: 7, failure } satisfies JobInput]) expect(transition(facts, state, input, 0).kind).toBe('FENCED');
  for (const input of [{ kind: 'CLUSTER_FAILED', failure }, { kind: 'WORKER_LOST', worker: A, detail: '' }, { kind: 'TICK' }] satisfies JobInput[]) {
    expect(transition(facts, state, input, 1e9)).toEqual({ kind: 'UNCHANGED' });
  }
});
