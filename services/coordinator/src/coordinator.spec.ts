import { create } from '@bufbuild/protobuf';
import { AgentRegisterSchema, JobState, MemberFinishedSchema, MemberHelloSchema, TrainJobSpecSchema, type JobEvent, type MemberCommand } from '@lockstep/contract';
import { createLogger } from '@lockstep/rpc';
import { AgentRegistry } from './agent-registry';
import { Coordinator, type MemberSession } from './coordinator';
import { resolveSpec } from './resolve-spec';
import { MemoryJobStore } from './testing/memory-job-store';

const SETTINGS = { artifactAddress: 'artifact:1', rendezvousTimeoutMs: 1000, exportTimeoutMs: 1000, causeGraceMs: 1 };

function world() {
  const store = new MemoryJobStore();
  const fences: string[] = [];
  let ids = 0;
  const clock = { nowMs: 1_000_000 };
  const agents = new AgentRegistry();
  const coordinator = new Coordinator(store, agents, { advance: (job, generation) => { fences.push(`${job}@${generation}`); return Promise.resolve(); } },
    SETTINGS, { nowMs: () => clock.nowMs, newId: () => `j${++ids}` }, createLogger('test', 'silent'));
  const attach = (worker: string) => {
    const agent = agents.attach(create(AgentRegisterSchema, { worker, host: 'h', pid: 1 }), clock.nowMs);
    if (!agent) throw new Error(`${worker} is taken`);
    return agent;
  };
  const submit = (workers: number, requestId = '', seed = 0n) => {
    const resolution = resolveSpec(create(TrainJobSpecSchema, { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/1'], output: 'artifacts/o', workers: { min: workers }, seed }));
    if (resolution.kind !== 'RESOLVED') throw new Error('bad spec');
    return coordinator.submit({ spec: resolution.spec, shardTables: [] }, requestId);
  };
  const join = async (job: string, worker: string, token?: Uint8Array) => {
    const commands: MemberCommand['command'][] = [];
    const session: MemberSession & { closed: boolean } = { job, worker, closed: false, send: (c) => void commands.push(c), close: () => { session.closed = true; } };
    const shown = token ?? (await store.get(job))?.token ?? new Uint8Array();
    await coordinator.join(create(MemberHelloSchema, { job, worker, token: shown, exchangeAddress: `${worker}:1`, fingerprint: { canonical: 'f' } }), session);
    return { session, commands };
  };
  const events = async (job: string): Promise<JobEvent['event'][]> => (await store.readEvents(job, 0n, 100)).map((e) => e.event);
  return { store, coordinator, agents, attach, submit, join, events, fences, clock };
}

async function running(w: ReturnType<typeof world>) {
  w.attach('workers/a');
  w.attach('workers/b');
  const { name } = await w.submit(2);
  const a = await w.join(name, 'workers/a');
  const b = await w.join(name, 'workers/b');
  const generation = Number((await w.store.get(name))?.job.generation?.number);
  await w.coordinator.memberReady(a.session, generation);
  await w.coordinator.memberReady(b.session, generation);
  return { name, a, b, generation };
}

test('a job waits for its workers, runs, and frees them at its end', async () => {
  const w = world();
  const { name } = await w.submit(2);
  expect((await w.store.get(name))?.job.state).toBe(JobState.QUEUED);
  w.attach('workers/a');
  await w.coordinator.workersChanged();
  expect((await w.store.get(name))?.job.state).toBe(JobState.QUEUED);
  w.attach('workers/b');
  await w.coordinator.workersChanged();
  expect((await w.store.get(name))?.job.state).toBe(JobState.RENDEZVOUS);
  expect(w.agents.free()).toEqual([]);
  expect(w.fences).toEqual([`${name}@1`]);
});

test('members get their assignment together, then may proceed; the same state lets the chief commit', async () => {
  const w = world();
  const { name, a, b, generation } = await running(w);
  expect(a.commands.map((c) => c.case)).toEqual(['assignment', 'proceed']);
  const assignment = b.commands[0];
  expect(assignment?.case === 'assignment' && [assignment.value.rank, assignment.value.generation?.members.map((m) => m.exchangeAddress)]).toEqual([1, ['workers/a:1', 'workers/b:1']]);
  for (const { session } of [a, b]) await w.coordinator.memberFinished(session, generation, create(MemberFinishedSchema, { stateDigest: 'd', steps: 3n }));
  expect(a.commands.at(-1)?.case).toBe('commitModel');
  await w.coordinator.modelCommitted(a.session, generation, { $typeName: 'lockstep.coordinator.v1.JobResult', model: 'artifacts/o/versions/1', modelDigest: 'm', stateDigest: 'd', steps: 3n, execution: '', notes: [] });
  const done = await w.store.get(name);
  expect(done?.job).toMatchObject({ state: JobState.SUCCEEDED, result: { model: 'artifacts/o/versions/1' } });
  expect((await w.events(name)).map((e) => e.case)).toEqual(['created', 'stateChanged', 'generationFormed', 'stateChanged', 'stateChanged', 'stateChanged']);
  expect(w.fences).toEqual([`${name}@1`]);
  expect(a.session.closed && b.session.closed).toBe(true);
});

test('a message of an older generation is fenced and changes nothing', async () => {
  const w = world();
  const { a, generation } = await running(w);
  await expect(w.coordinator.memberFinished(a.session, generation - 1, create(MemberFinishedSchema, {}))).rejects.toMatchObject({ reason: 'FENCED' });
  await expect(w.coordinator.memberProgress(a.session, generation + 1, [])).rejects.toMatchObject({ reason: 'FENCED' });
});

test('the token of the job is needed to join', async () => {
  const w = world();
  w.attach('workers/a');
  const { name } = await w.submit(1);
  await expect(w.join(name, 'workers/a', new Uint8Array(32))).rejects.toMatchObject({ reason: 'BAD_TOKEN' });
});

test('a lost worker fails the job by name, with what its agent knew', async () => {
  const w = world();
  const { name, b } = await running(w);
  w.coordinator.sessionEnded(b.session, 'the session of its child process ended');
  const token = (await w.store.get(name))?.token ?? new Uint8Array();
  await w.coordinator.childExited('workers/b', name, token, 'its child process was ended by SIGKILL');
  const job = (await w.store.get(name))?.job;
  expect(job).toMatchObject({ state: JobState.FAILED, error: { reason: 'WORKER_LOST', worker: 'workers/b', rank: 1 } });
  expect(job?.error?.message).toContain('SIGKILL');
});

test('a consequence waits for its cause', async () => {
  const w = world();
  const { name, a, b, generation } = await running(w);
  const peerLost = { reason: 'PEER_LOST', message: 'rank 1 is gone', fault: 'WORKER', worker: 'workers/a', rank: 0 } as const;
  const threw = { reason: 'MODULE_THREW', message: 'the module threw: no such column', fault: 'MODULE', worker: 'workers/b', rank: 1 } as const;
  const reported = { $typeName: 'lockstep.coordinator.v1.JobError', reason: '', message: '', fault: 0, worker: '', rank: 0, stack: 'at column (m.ts:3)' } as const;
  await w.coordinator.memberFailed(a.session, generation, { ...reported }, peerLost);
  await w.coordinator.memberFailed(b.session, generation, { ...reported }, threw);
  expect((await w.store.get(name))?.job.error).toMatchObject({ reason: 'MODULE_THREW', rank: 1, stack: 'at column (m.ts:3)' });
});

test('the same request id answers with the same job, and is refused for another spec', async () => {
  const w = world();
  const first = await w.submit(1, 'r1');
  expect((await w.submit(1, 'r1')).name).toBe(first.name);
  await expect(w.submit(1, 'r1', 5n)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
});

test('after a restart queued jobs wait again, and those that ran have failed with a reason', async () => {
  const w = world();
  const { name } = await running(w);
  const queued = await w.submit(2);
  const again = new Coordinator(w.store, new AgentRegistry(), { advance: () => Promise.resolve() }, SETTINGS, { nowMs: () => 2e6, newId: () => 'x' }, createLogger('test', 'silent'));
  await again.recover();
  expect((await w.store.get(name))?.job.error?.reason).toBe('COORDINATOR_RESTARTED');
  expect((await again.cancel(queued.name)).state).toBe(JobState.CANCELLED);
});

test('time passes: a rendezvous that nobody joins fails by its deadline', async () => {
  const w = world();
  w.attach('workers/a');
  const { name } = await w.submit(1);
  w.clock.nowMs += 1001;
  await w.coordinator.tick();
  expect((await w.store.get(name))?.job.error).toMatchObject({ reason: 'RENDEZVOUS_DEADLINE', worker: 'workers/a' });
});
