import { create } from '@bufbuild/protobuf';
import { AgentRegisterSchema, FinishedCallSchema, ShardTableSchema, TrainJobSchema, type MemberCommand } from '@lockstep/contract';
import type { GroupMember, JobInput, JobState } from '@lockstep/membership';
import { AgentRegistry } from './agent-registry';
import { JobEffects } from './job-effects';
import { factsOf, type LiveJob } from './live-job';
import { StragglerWatch } from './straggler-watch';
import { SETTINGS } from './testing/coordinator-world';

const A = 'workers/a';
const MEMBERS: readonly GroupMember[] = [{ rank: 0, worker: A, address: 'a:1', range: { from: 0, to: 4 } }];
const RUNNING: JobState = { kind: 'RUNNING', restarts: 0, generation: 7, endMs: null, barred: [], callsAtStart: { resumed: 0, stored: 0 }, members: MEMBERS, leaving: [], released: [], entering: [], joiners: [], deferral: { tries: 0, untilMs: 0 }, finished: [], suspicions: [], absences: [], fingerprint: 'f' };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world() {
  const inputs: JobInput[] = [];
  const said: string[] = [];
  const fences: { readonly generation: number; readonly done: (failure?: Error) => void }[] = [];
  const agents = new AgentRegistry();
  const effects = new JobEffects({
    agents, newId: () => 'id1', artifactAddress: 'artifact:1', input: (_job, input) => void inputs.push(input),
    fence: { advance: (_job, generation) => new Promise((resolve, reject) => fences.push({ generation, done: (failure) => (failure ? reject(failure) : resolve()) })) },
  });
  const record = {
    job: create(TrainJobSchema, { name: 'jobs/1', spec: { replicas: 4, mathThreads: 2, stepTimeout: { seconds: 5n, nanos: 250_000_000 } } }), requestId: '', token: new Uint8Array([9]), shardTables: [create(ShardTableSchema, { split: 'train' })],
  };
  const commands: { readonly command: MemberCommand['command']; readonly generation: bigint }[] = [];
  const session = {
    job: 'jobs/1', worker: A, address: 'a:1', close: () => void said.push('closed'),
    send: (command: MemberCommand['command'], generation: bigint) => {
      said.push(command.case ?? '');
      commands.push({ command, generation });
    },
  };
  const job: LiveJob = {
    record, state: RUNNING, committed: { kind: 'STEP', call: 1, epoch: 0, step: 4 }, told: undefined, waitsFor: '', fenced: Promise.resolve(), calls: [create(FinishedCallSchema, { number: 0 })],
    checkpoint: { version: 'artifacts/c/versions/1', calls: 0 }, facts: factsOf(record, SETTINGS), stragglers: new StragglerWatch(), lostOn: new Set(), sessions: new Map([[A, session]]),
  };
  return { effects, job, inputs, said, commands, fences, agents };
}

test('START_CHILD gives the agent what the process needs; without an agent the worker is lost', async () => {
  const w = world();
  w.effects.carryOut(w.job, { kind: 'START_CHILD', worker: A });
  expect(w.inputs).toEqual([{ kind: 'WORKER_LOST', worker: A, detail: 'its agent left before it could start its child' }]);
  const agent = w.agents.attach(create(AgentRegisterSchema, { worker: A }), 0);
  w.effects.carryOut(w.job, { kind: 'START_CHILD', worker: A });
  const { value } = await agent?.commands[Symbol.asyncIterator]().next() ?? {};
  expect(value).toMatchObject({ command: { value: { mathThreads: 2, stepTimeoutMs: 5250 } } });
  expect([w.agents.get(A)?.child, w.inputs.length]).toEqual([{ job: 'jobs/1', child: 'id1' }, 1]);
});

test('PREPARE names no generation and tells what has ended; ASSIGN tells where to begin and what is stored', () => {
  const w = world();
  w.effects.carryOut(w.job, { kind: 'PREPARE', worker: A });
  w.effects.carryOut(w.job, { kind: 'ASSIGN', worker: A, rank: 0, generation: 7, members: MEMBERS, atBoundary: true });
  const [prepare, assign] = w.commands.map(({ command, generation }) => (command.case === 'assignment' ? { ...command.value, number: generation } : undefined));
  expect(prepare).toMatchObject({ number: 0n, checkpoint: '', finishedCalls: [{ number: 0 }], shardTables: [{ split: 'train' }], artifactAddress: 'artifact:1' });
  expect(prepare?.generation).toBeUndefined();
  expect(assign).toMatchObject({ number: 7n, atBoundary: true, checkpoint: 'artifacts/c/versions/1', finishedCalls: [], committed: { call: 1, step: 4 }, generation: { number: 7n, members: [{ worker: A, exchangeAddress: 'a:1', replicas: { from: 0, to: 4 } }] } });
});

test('RELEASE names the generation that the member is not in', () => {
  const w = world();
  w.effects.carryOut(w.job, { kind: 'RELEASE', worker: A, generation: 8 });
  expect(w.commands).toMatchObject([{ command: { case: 'release' }, generation: 8n }]);
});

test('COMMIT_MODEL waits until the generation is announced, and is said in the session that is open then', async () => {
  const w = world();
  w.effects.carryOut(w.job, { kind: 'FENCE', generation: 7 });
  w.effects.carryOut(w.job, { kind: 'COMMIT_MODEL', worker: A });
  await settled();
  expect(w.said).toEqual([]);
  const later: string[] = [];
  w.job.sessions.set(A, { job: 'jobs/1', worker: A, address: 'a:1', close: () => undefined, send: (command, generation) => void later.push(`${command.case} ${generation}`) });
  w.fences[0]?.done();
  await settled();
  expect([w.said, later]).toEqual([[], ['commitModel 7']]);
});

test('generations are announced one after the other, also after one that failed; a failure is the cluster\'s, and nothing is committed', async () => {
  const w = world();
  for (const generation of [7, 8]) w.effects.carryOut(w.job, { kind: 'FENCE', generation });
  w.effects.carryOut(w.job, { kind: 'COMMIT_MODEL', worker: A });
  await settled();
  expect(w.fences.map((f) => f.generation)).toEqual([7]);
  w.fences[0]?.done(new Error('no route'));
  await settled();
  expect(w.fences.map((f) => f.generation)).toEqual([7, 8]);
  w.fences[1]?.done(new Error('no route'));
  await settled();
  expect(w.inputs).toEqual([7, 8].map((n) => ({ kind: 'CLUSTER_FAILED', failure: { reason: 'ARTIFACT_UNAVAILABLE', fault: 'CLUSTER', message: `the artifact service did not take note of generation ${n}: no route` } })));
  expect(w.said).toEqual([]);
});

test('STOP_CHILD tells the member why, ends its session, and stops its process', () => {
  const w = world();
  const agent = w.agents.attach(create(AgentRegisterSchema, { worker: A, child: { job: 'jobs/1', child: 'c' } }), 0);
  w.effects.carryOut(w.job, { kind: 'STOP_CHILD', worker: A, reason: 'cancelled by a client' });
  expect([w.said, w.commands[0]?.command, w.job.sessions.size, agent?.child?.child]).toEqual([['abort', 'closed'], expect.objectContaining({ value: expect.objectContaining({ reason: 'cancelled by a client' }) }), 0, 'c']);
});

test('who has no session is told nothing, and nothing breaks', () => {
  const w = world();
  w.job.sessions.clear();
  for (const kind of ['PREPARE', 'STOP_CHILD'] as const) w.effects.carryOut(w.job, { kind, worker: A, reason: '' });
  w.effects.carryOut(w.job, { kind: 'ASSIGN', worker: A, rank: 0, generation: 7, members: MEMBERS, atBoundary: true });
  expect([w.said, w.inputs]).toEqual([[], []]);
});
