/** Each invariant is found broken by the least that breaks it, and by nothing less. */
import { QUEUED, type GroupMember, type JobState, type ProgressPoint } from '@lockstep/membership';
import type { StoredVersion } from '../cluster/artifact-service';
import type { Assignment, CheckpointReport, ProgressEntry } from '../cluster/messages';
import { EMPTY_JOB, encodeMachine, type StoredJob } from '../cluster/stored-job';
import type { Undisturbed } from '../workload/undisturbed';
import { Checker } from './checker';
import { INVARIANTS, type Invariant } from './witness';

const books = (steps: number): ProgressEntry['books'] => ({ steps, rows: 8 * steps, tally: 100 * steps });
const step = (number: number): ProgressPoint => ({ call: 0, epoch: 0, step: number, kind: 'STEP' });
const entry = (number: number, change: Partial<ProgressEntry> = {}): ProgressEntry => ({ point: step(number), digest: `d${number}`, books: books(number + 1), ...change });
const end: ProgressEntry = { point: { call: 0, epoch: 0, step: 0, kind: 'CALL_ENDED' }, digest: 'end', books: books(3) };
const POINTS = [entry(0), entry(1), entry(2), end];
const UNDISTURBED: Undisturbed = { points: POINTS, stateDigest: 'state', modelDigest: 'model', steps: 3 };
const SUCCEEDED: JobState = { kind: 'SUCCEEDED' };

const stored = (entries: readonly ProgressEntry[], change: Partial<StoredJob> = {}, state: JobState = QUEUED): StoredJob =>
  ({ ...EMPTY_JOB, entries, machine: encodeMachine(state, entries.at(-1)?.point), ...change });
const member = (worker: string): GroupMember => ({ rank: 0, worker, address: `${worker}:1`, range: { from: 0, to: 4 } });
const assignment = (generation: number, worker = 'workers/w0'): Assignment =>
  ({ generation, rank: 0, members: [member(worker)], replicas: 4, checkpoint: '', committed: undefined, atBoundary: false });
const report = (steps: number): CheckpointReport => ({ version: `v${steps}`, step: steps, stateDigest: 's', calls: 0 });
const checkpoint = (steps: number): StoredJob['checkpoints'][number] => ({ ...report(steps), generation: 1 });
const version = (digest: string, change: Partial<StoredVersion> = {}): StoredVersion =>
  ({ version: 'model/versions/1', artifact: 'model', digest, content: new Uint8Array(), generation: 1, newestGeneration: 1, ...change });
const failed = (message: string): JobState => ({ kind: 'FAILED', failure: { reason: 'X', message, fault: 'WORKER' } });

/** A run that keeps every promise, and what it is told in the end. */
function well(checker: Checker): void {
  checker.assigned(assignment(1));
  for (const one of POINTS) checker.told('workers/w0', one);
  checker.committed(POINTS);
  checker.database(stored(POINTS, { checkpoints: [checkpoint(2)] }, { ...QUEUED, generation: 1 }));
  checker.checkpointAcknowledged(report(2));
  checker.assigned(assignment(2));
  checker.resumes('workers/w0', 2, 'v2');
  checker.finished('workers/w0', 'state', 3);
  checker.lost('workers/w9', 'its machine is gone');
  checker.ended(SUCCEEDED, stored(POINTS), [version('model')], 3, []);
}

function violations(story: (checker: Checker) => void, touched = true): readonly string[] {
  const checker = new Checker(UNDISTURBED, { nowMs: () => 7, touched: () => touched });
  story(checker);
  return checker.violations;
}

const STORIES: readonly (readonly [Invariant, string, (checker: Checker) => void])[] = [
  ['SAME_BYTES', 'another digest after a step', (c) => c.told('w', entry(1, { digest: 'other' }))],
  ['SAME_BYTES', 'other rows than the plan\'s', (c) => c.told('w', entry(1, { books: { ...books(2), tally: 1 } }))],
  ['SAME_BYTES', 'a position that the undisturbed run never comes to', (c) => c.told('w', entry(3))],
  ['SAME_BYTES', 'another state at the end', (c) => c.finished('w', 'other', 3)],
  ['SAME_BYTES', 'another model', (c) => c.ended(SUCCEEDED, stored(POINTS), [version('other')], 3, [])],
  ['EXACTLY_ONCE', 'a position that is committed twice', (c) => c.database(stored([entry(0), entry(1), entry(1)]))],
  ['EXACTLY_ONCE', 'a position that is committed after a later one', (c) => c.database(stored([entry(1), entry(0)]))],
  ['EXACTLY_ONCE', 'the end of a call before all its steps', (c) => c.database(stored([entry(0), end]))],
  ['EXACTLY_ONCE', 'other sums than the plan\'s', (c) => c.database(stored([entry(0, { books: books(2) })]))],
  ['EXACTLY_ONCE', 'a success without all positions', (c) => c.ended(SUCCEEDED, stored([]), [version('model')], 3, [])],
  ['DURABLE', 'an acknowledged position that is not stored', (c) => {
    c.committed([entry(0), entry(1)]);
    c.database(stored([entry(0)]));
  }],
  ['DURABLE', 'a generation that was assigned and is not stored', (c) => {
    c.assigned(assignment(5));
    c.database(stored([], {}, { ...QUEUED, generation: 4 }));
  }],
  ['DURABLE', 'an acknowledged checkpoint in whose place an older one is stored', (c) => {
    c.checkpointAcknowledged(report(2));
    c.database(stored([], { checkpoints: [checkpoint(1)] }));
  }],
  ['GENERATION_ONCE', 'a number for two groups', (c) => {
    c.assigned(assignment(1));
    c.assigned(assignment(1, 'workers/w1'));
  }],
  ['FENCED', 'a version that an older generation commits', (c) => c.ended(QUEUED, stored([]), [version('s', { artifact: 'checkpoints', generation: 1, newestGeneration: 2 })], 3, [])],
  ['NEWEST_CHECKPOINT', 'a member that goes on from an older checkpoint', (c) => {
    c.database(stored([], { checkpoints: [checkpoint(2), checkpoint(1)] }));
    c.checkpointAcknowledged(report(2));
    c.assigned(assignment(1));
    c.resumes('w', 1, 'v1');
  }],
  ['NEWEST_CHECKPOINT', 'a member that begins anew', (c) => {
    c.checkpointAcknowledged(report(2));
    c.assigned(assignment(1));
    c.resumes('w', 1, '');
  }],
  ['NO_INNER_ERROR', 'an error that no generation mends', (c) => c.broke('w', new RangeError('out of bounds'))],
  ['ALLOWED_FAILURE', 'a job that gives up before it must', (c) => c.ended(failed('rank 0 was lost'), stored([]), [], 3, [])],
  ['LIVENESS', 'a job that does not end', (c) => c.ended(QUEUED, stored([]), [], 3, [])],
  ['NO_GHOSTS', 'a process that outlives its job', (c) => c.ended(failed('restarted 3 of 3 times'), stored([]), [], 3, ['child-7'])],
];

test('a run that keeps its promises violates nothing', () => {
  expect(violations(well)).toEqual([]);
});

test.each(STORIES)('%s is violated by %s', (invariant, _what, story) => {
  expect(violations(story).map((one) => one.split(' ')[0])).toContain(invariant);
});

test('NO_FALSE_BLAME is violated by a worker that is given up, and that no fault has touched', () => {
  expect(violations((c) => c.lost('w', 'no heartbeat'), true)).toEqual([]);
  expect(violations((c) => c.lost('w', 'no heartbeat'), false)).toEqual(['NO_FALSE_BLAME at 7 ms: w is given up, and no fault has touched it: no heartbeat']);
});

test('steps between two that are committed may be left out, as a long outage leaves them', () => {
  expect(violations((c) => c.database(stored([entry(0), entry(2), end])))).toEqual([]);
});

test('a job may fail when it has started again as often as it may', () => {
  expect(violations((c) => c.ended(failed('No worker is left, and the job has been restarted 3 of 3 times'), stored([]), [], 3, []))).toEqual([]);
});

test('every invariant is among those that a story breaks', () => {
  expect([...new Set<string>([...STORIES.map(([invariant]) => invariant), 'NO_FALSE_BLAME'])].sort()).toEqual([...INVARIANTS].sort());
});
