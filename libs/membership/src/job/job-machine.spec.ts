import { barredWorkers } from './bars';
import { transition } from './job-machine';
import { heldWorkers, isStanding, QUEUED, type JobState } from './job-state';
import type { JobEffect, JobFacts, JobInput, JobNotice, Transition } from './job-transition';

const facts: JobFacts = {
  job: 'jobs/j', replicas: 4, strictNumerics: true, maxRuntimeMs: 1_000_000, maxRestarts: 1, rendezvousTimeoutMs: 10_000, regroupTimeoutMs: 15_000,
  exportTimeoutMs: 20_000, prepareTimeoutMs: 30_000, absenceMs: 3000, suspicionMs: 1500, joinRetryMs: 1000,
};
const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;

interface World {
  readonly state: JobState;
  readonly effects: readonly JobEffect[];
  readonly notices: readonly JobNotice[];
  readonly last: Transition;
}

const NEW: World = { state: QUEUED, effects: [], notices: [], last: { kind: 'UNCHANGED' } };

/** Gives inputs to the machine, a millisecond apart; effects and notices are those of the last ones. */
function give(world: World, inputs: readonly JobInput[], nowMs = 1000, using: JobFacts = facts): World {
  let { state, last } = world;
  const effects: JobEffect[] = [];
  const notices: JobNotice[] = [];
  inputs.forEach((input, i) => {
    last = transition(using, state, input, nowMs + i);
    if (last.kind !== 'MOVED') return;
    ({ state } = last);
    effects.push(...last.effects);
    notices.push(...last.notices);
  });
  return { state, last, effects, notices };
}

const start = (...workers: readonly string[]): JobInput => ({ kind: 'START', workers, calls: { resumed: 0, stored: 0 } });
const join = (worker: string, fingerprint = 'f'): JobInput => ({ kind: 'JOINED', worker, address: `${worker}:1`, fingerprint });
const ready = (worker: string, generation = 1): JobInput => ({ kind: 'READY', worker, generation });
const done = (worker: string, stateDigest = 'd', hasModel = true): JobInput => ({ kind: 'FINISHED', report: { worker, stateDigest, steps: 9, hasModel } });
const lost = (worker: string): JobInput => ({ kind: 'WORKER_LOST', worker, detail: 'it was killed' });
const suspended = (worker: string, generation: number, ranks: readonly number[], joinDeferred = false): JobInput => ({ kind: 'SUSPENDED', worker, generation, ranks, why: 'no sums', joinDeferred });
const tick = (silentMs: ReadonlyMap<string, number> = new Map()): JobInput => ({ kind: 'TICK', silentMs });
const names = (effects: readonly JobEffect[]): readonly string[] => effects.map((e) => `${e.kind} ${e.kind === 'FENCE' ? e.generation : e.worker}`);
const assigned = (effects: readonly JobEffect[], worker: string): Extract<JobEffect, { kind: 'ASSIGN' }> | undefined =>
  effects.filter((e) => e.kind === 'ASSIGN').find((e) => e.worker === worker);

const RUNNING = give(NEW, [start(A, B), join(B), join(A), ready(A), ready(B)]);
const ALONE = give(NEW, [start(A), join(A), ready(A)]);
/** C has been taken in; nobody of generation 2 has said yet that all are equal. */
const JOINING = give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C), { kind: 'PREPARED', worker: C }], 2000);

test('a job goes through its states and ends with nothing held', () => {
  const world = give(NEW, [start(A, B), join(B), join(A), ready(A), ready(B), done(A), done(B), { kind: 'MODEL_COMMITTED', worker: A }]);
  expect(world.state).toEqual({ kind: 'SUCCEEDED' });
  expect(names(world.effects)).toEqual([
    'START_CHILD workers/a', 'START_CHILD workers/b', 'FENCE 1', 'ASSIGN workers/a', 'ASSIGN workers/b',
    'COMMIT_MODEL workers/a', 'STOP_CHILD workers/a', 'STOP_CHILD workers/b']);
  expect(assigned(world.effects, A)).toMatchObject({ rank: 0, generation: 1, members: [
    { rank: 0, worker: A, range: { from: 0, to: 2 }, address: 'workers/a:1' }, { rank: 1, worker: B, range: { from: 2, to: 4 }, address: 'workers/b:1' }] });
});

test('only a queued job is started', () => {
  expect(() => transition(facts, RUNNING.state, start(A), 0)).toThrow('jobs/j is RUNNING: only a queued job is started');
});

test.each<[string, World]>([
  ['while they connect', give(NEW, [start(A, B), join(A), join(B)])],
  ['while it runs', RUNNING],
  ['after one has finished', give(RUNNING, [done(A)])],
])('the others form the next generation without a lost worker, %s', (_when, world) => {
  const { state, effects, notices } = give(world, [lost(B)]);
  expect(names(effects)).toEqual(expect.arrayContaining(['STOP_CHILD workers/b', 'FENCE 2']));
  expect(notices).toEqual([{ kind: 'MEMBER_LOST', worker: B, rank: 1, detail: 'it was killed' }]);
  expect(state).toMatchObject({ generation: 2, members: [{ rank: 0, worker: A, range: { from: 0, to: 4 } }], barred: [] });
});

test('the last member that is lost sends the job back to the queue, as often as allowed', () => {
  const once = give(ALONE, [lost(A)]);
  expect(once.state).toMatchObject({ kind: 'QUEUED', restarts: 1, generation: 2 });
  expect(names(once.effects)).toEqual(['STOP_CHILD workers/a', 'FENCE 2']);
  const twice = give(once, [start(A), join(A), ready(A, 3), lost(A)]);
  expect(twice.state).toMatchObject({ kind: 'FAILED', failure: { reason: 'WORKER_LOST', fault: 'WORKER', worker: A } });
  expect(twice.last).toMatchObject({ state: { failure: { message: expect.stringContaining('restarted 1 of 1 times') as string } } });
});

test('who does not start in time costs a start, and the next one begins with all stopped', () => {
  const world = give(give(NEW, [start(A, B), join(A)]), [tick()], 12_000);
  expect(world.state).toMatchObject({ kind: 'QUEUED', restarts: 1 });
  expect(names(world.effects)).toEqual(['STOP_CHILD workers/a', 'STOP_CHILD workers/b']);
  expect(world.notices).toMatchObject([{ kind: 'MEMBER_LOST', worker: B }]);
  expect(give(give(world, [start(A, B), join(A)], 13_000), [tick()], 24_000).state).toMatchObject({ kind: 'FAILED', failure: { reason: 'RENDEZVOUS_DEADLINE', message: expect.stringContaining(B) as string } });
});

test.each<[string, JobInput]>([
  ['READY of a generation to come', ready(A, 2)],
  ['READY of a stranger', ready(C)],
  ['FINISHED of a stranger', done(C)],
  ['SUSPENDED of a stranger', suspended(C, 1, [0])],
  ['PREPARED of a stranger', { kind: 'PREPARED', worker: C }],
  ['MODEL_COMMITTED of a stranger', { kind: 'MODEL_COMMITTED', worker: C }],
  ['MEMBER_FAILED of a stranger', { kind: 'MEMBER_FAILED', worker: C, failure: { reason: 'X', message: '', fault: 'MODULE' } }],
  ['a stranger that comes back', { kind: 'WORKER_BACK', worker: C, generation: 1 }],
  ['a member that comes back from a generation to come', { kind: 'WORKER_BACK', worker: A, generation: 2 }],
])('%s is fenced and changes nothing', (_name, input) => {
  const world = give(RUNNING, [input]);
  expect(world.last.kind).toBe('FENCED');
  expect(world.state).toBe(RUNNING.state);
});

test.each<[string, World, JobInput]>([
  ['READY of an older generation', give(RUNNING, [lost(B)]), ready(A, 1)],
  ['PREPARED of one that has been taken in', JOINING, { kind: 'PREPARED', worker: C }],
  ['FINISHED', give(RUNNING, [done(A)]), done(A)],
  ['SUSPENDED of an older generation', JOINING, suspended(A, 1, [1])],
  ['a loss of somebody who is gone', give(RUNNING, [lost(B)]), lost(B)],
  ['MODEL_COMMITTED of one who was not asked', give(RUNNING, [done(A), done(B)]), { kind: 'MODEL_COMMITTED', worker: B }],
])('what is said again is taken once: %s', (_name, world, input) => {
  expect(give(world, [input]).last.kind).toBe('UNCHANGED');
});

describe('joining', () => {
  test('a joiner is started, prepares, is taken in, and the group runs when all are equal', () => {
    const grown = give(RUNNING, [{ kind: 'GROW', workers: [C, A] }]);
    expect(names(grown.effects)).toEqual(['START_CHILD workers/c']);
    expect(names(JOINING.effects)).toEqual(['START_CHILD workers/c', 'PREPARE workers/c', 'FENCE 2', 'ASSIGN workers/a', 'ASSIGN workers/b', 'ASSIGN workers/c']);
    expect(JOINING.state).toMatchObject({ kind: 'CONNECTING', entering: [C], joiners: [] });
    expect(give(JOINING, [ready(A, 2), ready(C, 2), ready(B, 2)]).state).toMatchObject({ kind: 'RUNNING', entering: [], generation: 2 });
  });

  test('no more join than there are logical replicas, and nobody once a member has finished', () => {
    const five = ['c', 'd', 'e', 'f', 'g'].map((name) => `workers/${name}`);
    expect(heldWorkers(give(RUNNING, [{ kind: 'GROW', workers: five }]).state)).toHaveLength(4);
    const late = give(RUNNING, [{ kind: 'GROW', workers: [C] }, done(A), { kind: 'GROW', workers: ['workers/d'] }]);
    expect(names(late.effects)).toEqual(['START_CHILD workers/c', 'STOP_CHILD workers/c']);
  });

  test('joiners that cannot be given the state are put off, longer each time, and are not lost for it', () => {
    const putOff = give(JOINING, [suspended(A, 2, [2], true), suspended(B, 2, [2], true), suspended(C, 2, [2], true), ready(C, 2)], 3000);
    expect(putOff.last.kind).toBe('UNCHANGED');
    expect(putOff.state).toMatchObject({ kind: 'CONNECTING', generation: 3, members: [{ worker: A }, { worker: B }], joiners: [{ worker: C, phase: { kind: 'PREPARED' } }], deferral: { tries: 1, untilMs: 4000 } });
    const runs = give(putOff, [ready(A, 3), ready(B, 3)], 3100);
    expect(give(runs, [tick()], 3900).last.kind).toBe('UNCHANGED');
    const again = give(runs, [tick()], 4000);
    expect(again.state).toMatchObject({ generation: 4, entering: [C] });
    const second = give(again, [suspended(A, 4, [2], true)], 5000);
    expect(second.state).toMatchObject({ deferral: { tries: 2, untilMs: 7000 } });
    const taken = give(give(second, [ready(A, 5), ready(B, 5), tick()], 7001), [ready(A, 6), ready(B, 6), ready(C, 6)], 7100);
    expect(taken.state).toMatchObject({ kind: 'RUNNING', generation: 6, deferral: { tries: 0, untilMs: 0 } });
  });

  test('only those are put off that lack the state: one that enters may have got it in a generation before', () => {
    const D = 'workers/d';
    const both = give(JOINING, [ready(A, 2), { kind: 'GROW', workers: [D] }]);
    expect(both.last.kind).toBe('UNCHANGED');
    const broken = give(give(RUNNING, [{ kind: 'GROW', workers: [C, D] }, join(C), join(D), { kind: 'PREPARED', worker: C }]), [
      { kind: 'PREPARED', worker: D }, lost(B), ready(A, 3), ready(C, 3), tick(),
    ], 2000);
    expect(broken.state).toMatchObject({ kind: 'CONNECTING', entering: [D] });
    expect(give(broken, [suspended(A, 4, [2], true)]).state).toMatchObject({ members: [{ worker: A }, { worker: C }], joiners: [{ worker: D }] });
  });

  test('a state on its way is lost with those who have it', () => {
    const world = give(JOINING, [lost(A), lost(B)]);
    expect(world.state).toMatchObject({ kind: 'QUEUED', restarts: 1 });
    expect(names(world.effects)).toEqual(expect.arrayContaining(['STOP_CHILD workers/a', 'STOP_CHILD workers/b', 'STOP_CHILD workers/c']));
  });

  test('a joiner with other numerics is refused, by name, and not asked again', () => {
    const world = give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C, 'g'), { kind: 'GROW', workers: [C] }]);
    expect(world.state).toMatchObject({ joiners: [], barred: [{ worker: C, untilMs: null }] });
    expect(world.notices).toMatchObject([{ kind: 'JOINER_DROPPED', worker: C, detail: expect.stringContaining('numerics') as string }]);
  });
});

describe('accusations', () => {
  const THREE = give(NEW, [start(A, B, C), join(A), join(B), join(C), ready(A), ready(B), ready(C)]);

  test.each<[string, readonly JobInput[], ReadonlyMap<string, number>, string]>([
    ['in most broken pairs goes', [suspended(A, 1, [1]), suspended(C, 1, [1])], new Map(), B],
    ['of two that cannot reach one another goes, and not the third that waits for both', [suspended(A, 1, [1]), suspended(B, 1, [0]), suspended(C, 1, [0, 1])], new Map(), B],
    ['that complains of nobody goes, of a pair', [suspended(A, 1, [1])], new Map(), B],
    ['that the coordinator has never heard of goes, of a pair that complains of one another', [suspended(A, 1, [1]), suspended(B, 1, [0])], new Map([[B, 900]]), A],
    ['that the coordinator hears of least goes, of a pair that complains of one another', [suspended(A, 1, [1]), suspended(B, 1, [0])], new Map([[A, 900], [B, 10]]), A],
    ['with the higher rank goes, where nothing else tells', [suspended(A, 1, [1]), suspended(B, 1, [0])], new Map(), B],
  ])('the member %s', (_rule, inputs, silentMs, gone) => {
    const accused = give(THREE, inputs, 5000);
    expect(give(accused, [tick(silentMs)], 6000).last.kind).toBe('UNCHANGED');
    const world = give(accused, [tick(silentMs)], 7000);
    expect(world.state).toMatchObject({ kind: 'CONNECTING', barred: [{ worker: gone, times: 1, untilMs: 67_000 }] });
    expect(isStanding(world.state) && world.state.members.map(({ worker }) => worker)).not.toContain(gone);
  });

  test('an accusation is over with its generation', () => {
    const world = give(THREE, [suspended(A, 1, [1]), lost(C)], 5000);
    expect(give(world, [tick()], 7000).last.kind).toBe('UNCHANGED');
  });

  test.each<[string, World, readonly string[], readonly string[]]>([
    ['who is not ready where others are', give(THREE, [lost(C), ready(A, 2)]), [A], [B]],
    ['whom others accuse where nobody is', give(THREE, [lost(C), suspended(A, 2, [1])], 2000), [A], [B]],
    ['who enters where nobody is ready and nobody is accused', JOINING, [A, B], [C]],
  ])('a generation that does not come together loses %s', (_who, world, stay, gone) => {
    // The accusation itself waits for its time: the deadline of the generation comes first.
    const late = give(world, [tick()], 'deadlineMs' in world.state ? world.state.deadlineMs + 1 : 0, { ...facts, suspicionMs: 1e9 });
    expect(isStanding(late.state) && late.state.members.map(({ worker }) => worker)).toEqual(stay);
    expect('barred' in late.state && late.state.barred.map(({ worker }) => worker)).toEqual(gone);
  });

  test('where nobody got through and nobody is accused, all begin anew and none is barred', () => {
    const world = give(give(NEW, [start(A, B), join(A), join(B)]), [tick()], 20_000);
    expect(world.state).toMatchObject({ kind: 'QUEUED', restarts: 1, barred: [] });
  });
});

describe('the end', () => {
  test('members that end differently fail the job, and nothing is committed', () => {
    const world = give(RUNNING, [done(A), done(B, 'e')]);
    expect(world.state).toMatchObject({ kind: 'FAILED', failure: { reason: 'STATE_DIVERGED', worker: B, rank: 1 } });
    expect(names(world.effects)).toEqual(['STOP_CHILD workers/a', 'STOP_CHILD workers/b']);
  });

  test('the model is committed by one that has it', () => {
    expect(names(give(RUNNING, [done(A, 'd', false), done(B)]).effects)).toEqual(['COMMIT_MODEL workers/b']);
  });

  test('a model that nobody has any more is made again, as often as allowed', () => {
    const world = give(RUNNING, [done(A, 'd', false), done(B), lost(B)]);
    expect(world.state).toMatchObject({ kind: 'QUEUED', restarts: 1 });
    expect(give(RUNNING, [done(A, 'd', false), done(B), lost(B)], 1000, { ...facts, maxRestarts: 0 }).state).toMatchObject({ kind: 'FAILED', failure: { reason: 'MODEL_LOST' } });
  });

  test('another member commits when the first is lost, in a generation of its own', () => {
    const world = give(RUNNING, [done(A), done(B), lost(A)]);
    expect(world.state).toMatchObject({ kind: 'EXPORTING', committer: B, generation: 2 });
    expect(names(world.effects)).toEqual(['COMMIT_MODEL workers/a', 'STOP_CHILD workers/a', 'FENCE 2', 'COMMIT_MODEL workers/b']);
  });

  test('whoever does not commit may be lost without disturbing the one who does', () => {
    const world = give(RUNNING, [done(A), done(B), lost(B)]);
    expect(world.state).toMatchObject({ kind: 'EXPORTING', committer: A, generation: 1, members: [{ worker: A }] });
    expect(names(world.effects)).toEqual(['COMMIT_MODEL workers/a', 'STOP_CHILD workers/b']);
  });

  test('a member that does not commit in time is replaced; the last one fails the job', () => {
    const exporting = give(RUNNING, [done(A), done(B)]);
    const second = give(exporting, [tick()], 30_000);
    expect(second.state).toMatchObject({ kind: 'EXPORTING', committer: B, barred: [{ worker: A }] });
    expect(give(second, [tick()], 60_000, { ...facts, maxRestarts: 0 }).state).toMatchObject({ kind: 'FAILED', failure: { reason: 'EXPORT_DEADLINE', fault: 'CLUSTER', worker: B } });
  });

  test.each<[string, JobInput]>([
    ['a fault of the module', { kind: 'MEMBER_FAILED', worker: B, failure: { reason: 'MODULE_THREW', message: 'boom', fault: 'MODULE', worker: B } }],
    ['a fault of the data', { kind: 'MEMBER_FAILED', worker: B, failure: { reason: 'CORRUPT', message: 'crc', fault: 'DATA', worker: B } }],
    ['a client', { kind: 'CANCEL' }],
    ['what the shell could not do', { kind: 'CLUSTER_FAILED', failure: { reason: 'X', message: 'x', fault: 'CLUSTER' } }],
  ])('%s ends the job and stops all, joiners too', (_what, input) => {
    const world = give(RUNNING, [{ kind: 'GROW', workers: [C] }, input]);
    expect(heldWorkers(world.state)).toEqual([]);
    expect(names(world.effects)).toEqual(['START_CHILD workers/c', 'STOP_CHILD workers/a', 'STOP_CHILD workers/b', 'STOP_CHILD workers/c']);
    expect(give(world, [input, tick(), lost(A)]).state).toBe(world.state);
  });

  test('a worker\'s own fault costs the job that worker, for a while', () => {
    const world = give(RUNNING, [{ kind: 'MEMBER_FAILED', worker: B, failure: { reason: 'COMPUTE_STALLED', message: 'it hangs', fault: 'WORKER', worker: B } }]);
    expect(world.state).toMatchObject({ kind: 'CONNECTING', members: [{ worker: A }], barred: [{ worker: B }] });
    const runs = give(world, [ready(A, 2)], 1100);
    expect(give(runs, [{ kind: 'GROW', workers: [B] }], 60_000).last.kind).toBe('UNCHANGED');
    expect(give(runs, [{ kind: 'GROW', workers: [B] }], 61_001).state).toMatchObject({ joiners: [{ worker: B }] });
  });

  test('a job that starts again keeps out whom it kept out, until another clock counts', () => {
    const failed: JobInput = { kind: 'MEMBER_FAILED', worker: B, failure: { reason: 'COMPUTE_STALLED', message: 'it hangs', fault: 'WORKER', worker: B } };
    const { state } = give(RUNNING, [failed, lost(A)]);
    expect(state).toMatchObject({ kind: 'QUEUED', restarts: 1 });
    expect(barredWorkers(state, 2000)).toEqual([B]);
    expect(barredWorkers(give({ ...NEW, state }, [{ kind: 'TAKEN_OVER' }], 500).state, 500)).toEqual([]);
  });

  test('a job that runs longer than it may says who had not finished', () => {
    const world = give(give(RUNNING, [done(A)]), [tick()], 2_000_000);
    expect(world.state).toMatchObject({ kind: 'FAILED', failure: { reason: 'MAX_RUNTIME', message: expect.stringMatching(/longer than its max_runtime of 1000 s; rank 1 \(workers\/b\)/) as string } });
  });
});

describe('absence', () => {
  test('who comes back within the grace goes on, and is told what it missed', () => {
    const away = give(RUNNING, [{ kind: 'WORKER_ABSENT', worker: B, detail: 'reset' }, lost(A)]);
    const back = give(away, [{ kind: 'WORKER_BACK', worker: B, generation: 1 }]);
    expect(names(back.effects)).toEqual(['ASSIGN workers/b']);
    expect(give(back, [tick()], 9000).last.kind).toBe('UNCHANGED');
  });

  // A grace that nobody ends keeps all later ones from ending: the simulation found a job that waited for its lost member for good.
  test.each<[string, World]>([
    ['a joiner that is not needed any more', give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C), { kind: 'WORKER_ABSENT', worker: C, detail: 'reset' }, done(A)])],
    ['one that has left at the boundary', give(give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C), { kind: 'PREPARED', worker: C }]), [
      ready(A, 2), ready(B, 2), ready(C, 2), { kind: 'LEAVING', worker: C }, { kind: 'WORKER_ABSENT', worker: C, detail: 'reset' }, ready(A, 3), ready(B, 3),
    ])],
  ])('nobody is waited for that is not held: %s', (_who, world) => {
    expect(world.state).toMatchObject({ kind: 'RUNNING', absences: [] });
    expect(heldWorkers(world.state)).toEqual([A, B]);
    const later = give(world, [{ kind: 'WORKER_ABSENT', worker: B, detail: 'reset' }], 2000);
    expect(give(later, [tick()], 6000).state).toMatchObject({ members: [{ worker: A }] });
  });

  test('who does not is lost', () => {
    const away = give(RUNNING, [{ kind: 'WORKER_ABSENT', worker: B, detail: 'reset' }]);
    expect(give(away, [tick()], 3900).last.kind).toBe('UNCHANGED');
    expect(give(away, [tick()], 4100).state).toMatchObject({ members: [{ worker: A }] });
  });

  test.each<[string, JobInput, World, readonly string[]]>([
    ['to prepare', { kind: 'WORKER_BACK', worker: C, generation: 0 }, give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C)]), ['PREPARE workers/c']],
    ['to commit', { kind: 'WORKER_BACK', worker: A, generation: 1 }, give(RUNNING, [done(A), done(B)]), ['COMMIT_MODEL workers/a']],
  ])('who was told %s is told again', (_what, input, world, effects) => {
    expect(names(give(world, [input]).effects)).toEqual(effects);
  });

  test('a coordinator that takes over waits for all anew, whatever its clock says', () => {
    const before = give(give(RUNNING, [{ kind: 'GROW', workers: [C] }, join(C), suspended(A, 1, [1])], 900_000), [{ kind: 'TAKEN_OVER' }], 500_000);
    expect(before.state).toMatchObject({ absences: [{ worker: A, untilMs: 503_000 }, { worker: B }, { worker: C }], joiners: [{ deadlineMs: 530_000 }], suspicions: [{ sinceMs: 500_000 }] });
    const back = [A, B, C].map((worker): JobInput => ({ kind: 'WORKER_BACK', worker, generation: 1 }));
    expect(give(give(before, back, 501_000), [tick()], 501_100).last.kind).toBe('UNCHANGED');
    expect(give(give(before, back.slice(0, 2), 501_000), [tick()], 503_500).state).toMatchObject({ joiners: [] });
  });
});
