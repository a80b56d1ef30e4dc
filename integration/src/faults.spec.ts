/**
 * The promise, on real processes: whoever dies, whenever, the model and the state have the digest of an undisturbed run on
 * one worker, nobody restarts who need not, and every step is committed once.
 */
import { CoordinatorClient } from '@lockstep/client';
import { JobState, type TrainJob } from '@lockstep/contract';
import { LocalCluster } from './cluster';
import { FaultRunner, type FaultOutcome, type Schedule } from './fault-run';
import { IMPORT_PENGUINS, LIGHT_BACKEND } from './fixtures';

let cluster: LocalCluster;
let client: CoordinatorClient;
let runner: FaultRunner;
let undisturbed: TrainJob;
let computations: number;

beforeAll(async () => {
  cluster = await LocalCluster.start(3, LIGHT_BACKEND);
  client = new CoordinatorClient(cluster.facts.coordinator);
  await cluster.json(...IMPORT_PENGUINS);
  runner = new FaultRunner(cluster, client);
  ({ job: undisturbed, computations } = await runner.run('undisturbed', { workers: '1', stepMs: 0 }));
  expect(undisturbed.error?.message).toBeUndefined();
  expect(undisturbed.state).toBe(JobState.SUCCEEDED);
}, 180_000);
afterAll(async () => {
  client.close();
  await cluster.stop();
}, 60_000);

const lost = ({ events }: FaultOutcome): readonly string[] => events.flatMap((event) => (event.case === 'memberLost' && !event.value.left ? [event.value.worker] : []));
const steps = ({ events }: FaultOutcome): number => events.reduce((sum, event) => sum + (event.case === 'stepsCommitted' ? event.value.steps : 0), 0);
const restarts = ({ events }: FaultOutcome): number => events.filter((event) => event.case === 'stateChanged' && event.value.state === JobState.QUEUED && event.value.detail.includes('restart')).length;

/** What every disturbed run must end with. */
function expectUndisturbed(outcome: FaultOutcome): void {
  const { job } = outcome;
  expect(job.error?.message).toBeUndefined();
  expect(job.state).toBe(JobState.SUCCEEDED);
  expect(job.result).toMatchObject({ stateDigest: undisturbed.result?.stateDigest, modelDigest: undisturbed.result?.modelDigest, steps: undisturbed.result?.steps });
  expect(job.committedSteps).toBe(undisturbed.committedSteps);
  // The records that the committed steps consumed, whoever computed them.
  expect(job.ledger).toEqual(undisturbed.ledger);
  expect(job.ledger?.records).toBeGreaterThan(0n);
  // Each step was committed once, and each epoch ended once, in order.
  expect(BigInt(steps(outcome))).toBe(undisturbed.committedSteps);
  const epochs = outcome.events.flatMap((event) => (event.case === 'epochEnded' ? [`${event.value.position?.call}.${event.value.position?.epoch}`] : []));
  expect(epochs).toEqual([...new Set(epochs)].sort());
}

/** w1 is the chief: free workers are dealt by name. */
const DEATHS: readonly (readonly [string, Schedule])[] = [
  ['the chief while it reads data', { workers: '2', faults: [{ worker: 'w1', phase: 'DATA', count: 20 }] }],
  ['another while it reads data', { workers: '2', faults: [{ worker: 'w2', phase: 'DATA', count: 41 }] }],
  ['the chief while it computes', { workers: '3', faults: [{ worker: 'w1', phase: 'COMPUTE', count: 12 }] }],
  ['another while it computes', { workers: '3', faults: [{ worker: 'w3', phase: 'COMPUTE', count: 5 }] }],
  ['the chief while the group reduces', { workers: '2', faults: [{ worker: 'w1', phase: 'REDUCE', count: 9 }] }],
  ['another while the group reduces', { workers: '3', faults: [{ worker: 'w2', phase: 'REDUCE', count: 7 }] }],
  ['the chief while it applies', { workers: '2', faults: [{ worker: 'w1', phase: 'APPLY', count: 6 }] }],
  ['another while it applies', { workers: '2', faults: [{ worker: 'w2', phase: 'APPLY', count: 3 }] }],
  ['the chief while it evaluates', { workers: '2', faults: [{ worker: 'w1', phase: 'EVALUATE', count: 4 }] }],
  ['another in a callback', { workers: '2', faults: [{ worker: 'w2', phase: 'CALLBACK', count: 8 }] }],
  ['the chief while it exports', { workers: '2', faults: [{ worker: 'w1', phase: 'EXPORT', count: 1 }] }],
  ['one after the other', { workers: '3', faults: [{ worker: 'w1', phase: 'COMPUTE', count: 6 }, { worker: 'w2', phase: 'APPLY', count: 7 }] }],
];

test.each(DEATHS)('kill -9 of %s', async (name, schedule) => {
  const outcome = await runner.run(name.replaceAll(' ', '-'), schedule);
  expectUndisturbed(outcome);
  expect(lost(outcome)).toEqual(schedule.faults?.map(({ worker }) => `workers/${worker}`));
  expect(restarts(outcome)).toBe(0);
}, 120_000);

test.each([4, 9, 15])('kill -9 of the chief while the group gathers: another has all sums of its step already, the third perhaps not (%i)', async (count) => {
  const outcome = await runner.run(`gathers-${count}`, { workers: '3', faults: [{ worker: 'w2', phase: 'APPLY', count, how: 'KILL_CHIEF' }] });
  expectUndisturbed(outcome);
  expect([lost(outcome), restarts(outcome)]).toEqual([['workers/w1'], 0]);
}, 120_000);

test.each([['the chief', 'w1'], ['another', 'w2']])('the compute thread of %s hangs while its heart beats: the others name it and go on', async (who, worker) => {
  const outcome = await runner.run(`hangs-${worker}`, { workers: '2', flags: ['--step-timeout', '2s'], faults: [{ worker, phase: 'COMPUTE', count: 6, how: 'HANG' }] });
  expectUndisturbed(outcome);
  expect(lost(outcome)).toEqual([`workers/${worker}`]);
  const { value } = outcome.events.find((event) => event.case === 'memberLost') ?? {};
  expect(who && value && 'detail' in value ? value.detail : '').toMatch(/has not come to its next step|members cannot exchange with it/);
}, 120_000);

test.each([['another', '2', 'w2', 1], ['the only one', '1', 'w1', 0]])('who keeps a job waiting (%s) is named long before it is given up', async (who, workers, worker, rank) => {
  const outcome = await runner.run(`awaited-${worker}`, { workers, flags: ['--step-timeout', '9s', '--checkpoint-steps', '3'], faults: [{ worker, phase: 'COMPUTE', count: 14, how: 'HANG' }] });
  expectUndisturbed(outcome);
  const awaited = outcome.events.findIndex((event) => event.case === 'memberAwaited');
  const given = outcome.events.findIndex((event) => event.case === 'memberLost');
  expect([who, awaited < given ? outcome.events[awaited]?.value : undefined]).toMatchObject([who, { worker: `workers/${worker}`, rank, position: { call: 0 } }]);
}, 120_000);

test('a lone worker that hangs says so itself, and the job starts again', async () => {
  const outcome = await runner.run('hangs-alone', { workers: '1', flags: ['--step-timeout', '2s', '--checkpoint-steps', '2'], faults: [{ worker: 'w1', phase: 'COMPUTE', count: 6, how: 'HANG' }] });
  expectUndisturbed(outcome);
  expect(restarts(outcome)).toBe(1);
}, 120_000);

test('SIGSTOP of a worker: the others go on; after SIGCONT the ghost is fenced, and the worker joins as new', async () => {
  const outcome = await runner.run('suspended', {
    workers: '2:3', stepMs: 400, actions: [{ afterSteps: 2, what: { kind: 'SUSPEND', worker: 'w2' } }, { afterSteps: 8, what: { kind: 'CONTINUE', worker: 'w2' } }],
  });
  expectUndisturbed(outcome);
  expect(lost(outcome)).toContain('workers/w2');
}, 120_000);

test('workers leave in good order, come back, and join while the job runs: no step is done again', async () => {
  const outcome = await runner.run('joined', {
    workers: '1:3', stepMs: 500, actions: [{ afterSteps: 2, what: { kind: 'LEAVE', worker: 'w1' } }, { afterSteps: 4, what: { kind: 'LEAVE', worker: 'w3' } }],
  });
  expectUndisturbed(outcome);
  expect(lost(outcome)).toEqual([]);
  const left = outcome.events.flatMap((event) => (event.case === 'memberLost' && event.value.left ? [event.value.worker] : []));
  expect(left).toEqual(['workers/w1', 'workers/w3']);
  expect(outcome.events.some((event) => event.case === 'memberJoined')).toBe(true);
  expect([computations, outcome.computations]).toEqual([4 * Number(undisturbed.committedSteps), computations]);
}, 120_000);

test('kill -9 of the coordinator: training goes on meanwhile, and nothing is lost or redone', async () => {
  const outcome = await runner.run('coordinator', { workers: '2', stepMs: 150, actions: [{ afterSteps: 3, what: { kind: 'KILL_COORDINATOR' } }] });
  expectUndisturbed(outcome);
  expect(lost(outcome)).toEqual([]);
  expect(outcome.job.generation?.number).toBe(1n);
}, 120_000);

test('kill -9 of the coordinator and of a worker', async () => {
  const outcome = await runner.run('coordinator-and-worker', {
    workers: '2', stepMs: 150, actions: [{ afterSteps: 3, what: { kind: 'KILL_COORDINATOR' } }, { afterSteps: 3, what: { kind: 'KILL_CHILD', worker: 'w2' } }],
  });
  expectUndisturbed(outcome);
  expect(lost(outcome)).toEqual(['workers/w2']);
}, 120_000);

test('kill -9 of all workers: the job goes on from its checkpoint', async () => {
  const outcome = await runner.run('all', { workers: '2', stepMs: 100, flags: ['--checkpoint-steps', '3'], actions: [{ afterSteps: 9, what: { kind: 'KILL_ALL_CHILDREN' } }] });
  expectUndisturbed(outcome);
  expect(restarts(outcome)).toBe(1);
  // It went on from a checkpoint: no member computed all steps.
  for (const { replicaComputations } of outcome.job.reports) expect(replicaComputations).toBeLessThan(2n * undisturbed.committedSteps);
}, 120_000);

test('kill -9 of the chief while it writes a checkpoint: there is no half of one, the other goes on and writes the next', async () => {
  const outcome = await runner.run('checkpoints', {
    workers: '2', stepMs: 200, flags: ['--checkpoint-steps', '3'],
    actions: [{ afterSteps: 2, what: { kind: 'SUSPEND_ARTIFACTS' } }, { afterSteps: 5, what: { kind: 'KILL_CHILD', worker: 'w1' } }, { afterSteps: 7, what: { kind: 'CONTINUE_ARTIFACTS' } }],
  });
  expectUndisturbed(outcome);
  expect([lost(outcome), restarts(outcome)]).toEqual([['workers/w1'], 0]);
  const at = (kind: string): number => outcome.events.findIndex((event) => event.case === kind);
  // The one that was being written when its writer died was not committed before, and those that follow are.
  expect(at('memberLost')).toBeLessThan(at('checkpointCommitted'));
  expect(outcome.events.filter((event) => event.case === 'checkpointCommitted').length).toBeGreaterThan(1);
}, 120_000);

test('a checkpoint that is damaged: the job goes on from the one before', async () => {
  const outcome = await runner.run('damaged', {
    workers: '2', stepMs: 300, flags: ['--checkpoint-steps', '4'], actions: [{ afterSteps: 8, afterCheckpoints: 2, what: { kind: 'TRUNCATE_LAST_CHECKPOINT' } }, { afterSteps: 8, what: { kind: 'KILL_ALL_CHILDREN' } }],
  });
  expectUndisturbed(outcome);
  expect(restarts(outcome)).toBe(1);
  const told = outcome.events.flatMap((event) => (event.case === 'stateChanged' && event.value.state === JobState.QUEUED ? [event.value.detail] : [])).join('\n');
  expect(told).toMatch(/checkpoints\/versions\/2 cannot be read, and the job goes on from the checkpoint before it: .*damaged/);
}, 120_000);

describe('SIGTERM of a worker during the export', () => {
  test.each([['of the chief, with another', '2', 'w1'], ['of another', '2', 'w2'], ['of the only one', '1', 'w1']])('%s: one model is committed, whole', async (name, workers, worker) => {
    const output = `sigterm-${name.replaceAll(/[ ,]+/g, '-')}`;
    const outcome = await runner.run(output, { workers, flags: ['--checkpoint-steps', '5'], faults: [{ worker, phase: 'EXPORT', count: 1, how: 'LEAVE' }] });
    expectUndisturbed(outcome);
    expect(lost(outcome)).toEqual([]);
    expect((await cluster.run('artifacts', 'show', `artifacts/${output}/versions/1`)).code).toBe(0);
    expect((await cluster.run('artifacts', 'show', `artifacts/${output}/versions/2`)).stderr).toContain('does not exist');
  }, 120_000);
});
