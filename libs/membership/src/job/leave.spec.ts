/** Leaving in good order: at a boundary, together, and with nobody who waits for one that is gone. */
import { transition } from './job-machine';
import { heldWorkers, isStanding, QUEUED, reportersOf, type JobState } from './job-state';
import type { JobEffect, JobFacts, JobInput, JobNotice, Transition } from './job-transition';

const facts: JobFacts = {
  job: 'jobs/j', replicas: 4, strictNumerics: true, maxRestarts: 1, rendezvousTimeoutMs: 10_000, regroupTimeoutMs: 15_000,
  exportTimeoutMs: 20_000, prepareTimeoutMs: 30_000, absenceMs: 3000, suspicionMs: 1500, joinRetryMs: 1000,
};
const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;

interface World {
  readonly state: JobState;
  readonly effects: readonly string[];
  readonly notices: readonly JobNotice[];
  readonly last: Transition;
}

const nameOf = (effect: JobEffect): string => {
  if (effect.kind === 'FENCE') return `FENCE ${effect.generation}`;
  return `${effect.kind} ${effect.worker.replace('workers/', '')}${effect.kind === 'ASSIGN' ? (effect.atBoundary ? ' at boundary' : ' at once') : ''}`;
};

function give(world: Pick<World, 'state'>, ...inputs: readonly JobInput[]): World {
  let { state } = world;
  let last: Transition = { kind: 'UNCHANGED' };
  const effects: string[] = [];
  const notices: JobNotice[] = [];
  inputs.forEach((input, i) => {
    last = transition(facts, state, input, 1000 + i);
    if (last.kind !== 'MOVED') return;
    ({ state } = last);
    effects.push(...last.effects.map(nameOf));
    notices.push(...last.notices);
  });
  return { state, effects, notices, last };
}

const join = (worker: string): JobInput => ({ kind: 'JOINED', worker, address: `${worker}:1`, fingerprint: 'f' });
const ready = (worker: string, generation = 1): JobInput => ({ kind: 'READY', worker, generation });
const leave = (worker: string): JobInput => ({ kind: 'LEAVING', worker });
const done = (worker: string): JobInput => ({ kind: 'FINISHED', report: { worker, stateDigest: 'd', steps: 9, hasModel: true } });
const lost = (worker: string): JobInput => ({ kind: 'WORKER_LOST', worker, detail: 'it was killed' });
const TICK: JobInput = { kind: 'TICK' };
const running = (...workers: readonly string[]): World =>
  give({ state: QUEUED }, { kind: 'START', workers, calls: { resumed: 0, stored: 0 } }, ...workers.map(join), ...workers.map((worker) => ready(worker)));
const members = ({ state }: World): readonly string[] => (isStanding(state) ? state.members.map(({ worker }) => worker) : []);

test('the others are assigned at a boundary, and who leaves is stopped when they stand', () => {
  const leaving = give(running(A, B, C), leave(B));
  expect(leaving.effects).toEqual(['FENCE 2', 'ASSIGN a at boundary', 'ASSIGN c at boundary', 'RELEASE b']);
  expect(leaving.notices).toEqual([{ kind: 'MEMBER_LEFT', worker: B, rank: 1 }]);
  expect(members(leaving)).toEqual([A, C]);
  expect(heldWorkers(leaving.state)).toEqual([A, C, B]);
  // The steps up to the boundary count, whoever tells of them.
  expect(reportersOf(leaving.state).map(({ worker }) => worker)).toEqual([A, C, B]);
  const stands = give(leaving, ready(A, 2), ready(C, 2));
  expect(stands.effects).toEqual(['STOP_CHILD b']);
  expect([stands.state.kind, heldWorkers(stands.state)]).toEqual(['RUNNING', [A, C]]);
});

test('who joins enters at a boundary too; who dies ends the generation at once', () => {
  const joining = give(running(A, B), { kind: 'GROW', workers: [C] }, join(C), { kind: 'PREPARED', worker: C });
  expect(joining.effects.filter((effect) => effect.startsWith('ASSIGN'))).toEqual(['ASSIGN a at boundary', 'ASSIGN b at boundary', 'ASSIGN c at boundary']);
  expect(give(running(A, B, C), lost(B)).effects).toEqual(['STOP_CHILD b', 'FENCE 2', 'ASSIGN a at once', 'ASSIGN c at once']);
});

test('a second one goes at the boundary after the first', () => {
  const both = give(running(A, B, C), leave(B), leave(C), leave(C));
  expect(both.last.kind).toBe('UNCHANGED');
  expect(members(both)).toEqual([A, C]);
  const next = give(both, ready(A, 2), ready(C, 2), TICK);
  expect(next.effects).toEqual(['STOP_CHILD b', 'FENCE 3', 'ASSIGN a at boundary', 'RELEASE c']);
  expect(members(next)).toEqual([A]);
});

test.each<[string, JobInput]>([
  ['is killed', lost(B)],
  ['fails', { kind: 'MEMBER_FAILED', worker: B, failure: { reason: 'X', message: 'x', fault: 'MODULE' } }],
])('when the one that leaves %s before the boundary, the others do not wait for it', (_what, input) => {
  const world = give(give(running(A, B, C), leave(B)), input);
  expect(world.effects).toEqual(['STOP_CHILD b', 'FENCE 3', 'ASSIGN a at once', 'ASSIGN c at once']);
  expect(world.notices).toEqual([]);
});

test('when another dies before the boundary, the one that leaves goes at once', () => {
  const world = give(give(running(A, B, C), leave(B)), lost(C));
  expect(world.effects).toEqual(['STOP_CHILD c', 'STOP_CHILD b', 'FENCE 3', 'ASSIGN a at once']);
});

test('what was said to it while it was away is said again', () => {
  const away = give(running(A, B), leave(B), { kind: 'WORKER_ABSENT', worker: B, detail: 'reset' });
  expect(give(away, { kind: 'WORKER_BACK', worker: B, generation: 1 }).effects).toEqual(['RELEASE b']);
});

test('the last one waits for one who is about to join, and hands over to it', () => {
  const waits = give(running(A), { kind: 'GROW', workers: [C] }, join(C), leave(A));
  expect([waits.state.kind, members(waits)]).toEqual(['RUNNING', [A]]);
  const handed = give(waits, { kind: 'PREPARED', worker: C }, ready(A, 2), ready(C, 2), TICK);
  expect(members(handed)).toEqual([C]);
  expect(handed.effects.slice(-2)).toEqual(['ASSIGN c at boundary', 'RELEASE a']);
});

test('the last one of all sends the job back to the queue', () => {
  expect(give(running(A, B), leave(A), leave(B), ready(B, 2), TICK).state).toMatchObject({ kind: 'QUEUED', restarts: 1 });
});

test('who has finished waits for no sums: it goes at once', () => {
  expect(give(running(A, B), done(A), leave(A)).effects).toEqual(['STOP_CHILD a', 'FENCE 2', 'ASSIGN b at once']);
});

test('whoever commits the model commits it, and then goes', () => {
  const world = give(running(A, B), done(A), done(B), leave(A));
  expect(world.state).toMatchObject({ kind: 'EXPORTING', committer: A, leaving: [A] });
  expect(give(world, { kind: 'MODEL_COMMITTED', worker: A }).state).toEqual({ kind: 'SUCCEEDED' });
  expect(give(running(A, B), done(A), done(B), leave(B)).state).toMatchObject({ kind: 'EXPORTING', committer: A, generation: 1, members: [{ worker: A }] });
});
