/** Members come, go, stall and return: what the coordinator makes of it, with sessions and a clock in memory. */
import { create } from '@bufbuild/protobuf';
import { JobErrorSchema, JobState, WorkerCountSchema } from '@lockstep/contract';
import { callEnded, CoordinatorWorld, step, type FakeMember } from './testing/coordinator-world';

const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;

interface Running {
  readonly name: string;
  readonly a: FakeMember;
  readonly b: FakeMember;
}

async function pair(w: CoordinatorWorld, spec: Parameters<CoordinatorWorld['run']>[1] = {}): Promise<Running> {
  const { name, members: [a, b] } = await w.run([A, B], spec);
  if (!a || !b) throw new Error('two members were asked for');
  return { name, a, b };
}

/** Who was lost, joined, or was not taken in, in order. */
async function notices(w: CoordinatorWorld, name: string): Promise<readonly string[]> {
  return (await w.events(name)).flatMap((e) => {
    if (e.case === 'memberLost') return [`${e.value.left ? 'left' : 'lost'} ${e.value.worker} (rank ${e.value.rank})${e.value.detail === '' ? '' : `: ${e.value.detail}`}`];
    if (e.case === 'memberJoined') return [`joined ${e.value.worker} (rank ${e.value.rank})`];
    return e.case === 'joinerDropped' ? [`dropped ${e.value.worker}: ${e.value.detail}`] : [];
  });
}

const membersIn = ({ assignment }: FakeMember): readonly string[] => (assignment.generation?.members ?? []).map((m) => `${m.worker} ${m.replicas?.from}-${m.replicas?.to}`);

describe('a job that runs', () => {
  test('takes in a worker that comes, between two steps: it is told what has ended, prepares, and gets a generation', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 3 }) });
    await w.coordinator.memberProgress(a.session, [callEnded(0), step(0, 1)]);
    await w.attach(C);
    expect(await w.toldAgent(C)).toEqual([`startChild ${name}`]);
    const c = await w.join(name, C);
    expect(c.assignment).toMatchObject({ number: 0, finishedCalls: [{ number: 0, resultJson: '1' }], spec: { replicas: 4 } });
    expect([c.assignment.generation, a.told]).toEqual([undefined, ['assignment', 'committed']]); // nobody waits for one that prepares

    await w.coordinator.memberPrepared(c.session);
    for (const member of [a, b, c]) expect([member.assignment.number, membersIn(member)]).toEqual([2, [`${A} 0-1`, `${B} 1-2`, `${C} 2-4`]]);
    expect(c.assignment.committed).toMatchObject({ call: 1, step: 0 });
    expect(w.fences).toEqual([`${name}@1`, `${name}@2`]);
    await w.coordinator.memberPrepared(c.session); // said again in a new session
    await w.ready([a, b, c]);
    expect([await w.state(name), await notices(w, name)]).toEqual(['RUNNING', [`joined ${C} (rank 2)`]]);
  });

  test('grows no further than it asked for, and not while another job waits', async () => {
    const w = new CoordinatorWorld();
    await pair(w);
    await w.attach(C);
    expect(w.agents.free()).toEqual([C]);

    const other = new CoordinatorWorld();
    await other.run([A], { workers: create(WorkerCountSchema, { min: 1, max: 2 }) });
    const { name: waits } = await other.submit(2);
    await other.attach(B);
    expect(other.agents.free()).toEqual([B]);
    await other.attach(C);
    expect(await other.toldAgent(B)).toEqual([`startChild ${waits}`]);
  });

  test('drops a joiner whose numerics differ, by name, and does not ask it again', async () => {
    const w = new CoordinatorWorld();
    const { name } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 3 }) });
    await w.attach(C);
    const c = await w.join(name, C, { fingerprint: 'wasm' });
    expect(c.told).toEqual(['abort']);
    await w.exited(C);
    await w.pass(1000);
    expect([await w.toldAgent(C), await w.state(name)]).toEqual([[`startChild ${name}`, `stopChild ${name}`], 'RUNNING']);
    expect((await notices(w, name))[0]).toMatch(/^dropped workers\/c: workers\/c computes other bits than the group: its numerics are "wasm"/);
  });
});

describe('a member that is lost costs its job that member:', () => {
  test('its child exits; the worker takes part again, by another process', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.exited(B, 'its child process was ended by SIGKILL');
    expect([a.assignment.number, membersIn(a), b.closed]).toEqual([2, [`${A} 0-4`], true]);
    expect(w.fences).toEqual([`${name}@1`, `${name}@2`]);
    expect(await notices(w, name)).toEqual([`lost ${B} (rank 1): its child process was ended by SIGKILL`]);
    await w.ready([a]);
    await w.pass(250);
    const again = await w.join(name, B);
    expect(again.child).not.toBe(b.child);
    await w.coordinator.memberPrepared(again.session);
    await w.ready([a, again]);
    expect([membersIn(a), a.assignment.number, await w.state(name)]).toEqual([[`${A} 0-2`, `${B} 2-4`], 3, 'RUNNING']);
  });

  test('it falls silent, as one that was paused does; when it goes on it is fenced', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.ended(b, "no heartbeat of workers/b's child for 3001 ms", true);
    await w.pass(0);
    expect([a.assignment.number, await notices(w, name)]).toEqual([2, [`lost ${B} (rank 1): no heartbeat of workers/b's child for 3001 ms`]]);
    expect(await w.toldAgent(B)).toEqual([`startChild ${name}`, `stopChild ${name}`]);
    await expect(w.rejoin(b, 1)).rejects.toMatchObject({ reason: 'FENCED' });
    await expect(w.finish(b)).rejects.toMatchObject({ reason: 'FENCED' });
    expect([await w.state(name), a.assignment.number]).toEqual(['RENDEZVOUS', 2]);
  });

  test('its agent comes back and runs nothing', async () => {
    const w = new CoordinatorWorld();
    const { name, a } = await pair(w);
    await w.detached(B);
    await w.attach(B);
    expect([a.assignment.number, await notices(w, name)]).toEqual([2, [`lost ${B} (rank 1): its agent came back without its child process`]]);
  });

  test('its agent falls silent', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.detached(B, 'no heartbeat of workers/b for 3001 ms', true);
    expect([a.assignment.number, b.told.at(-1), await notices(w, name)]).toEqual([2, 'abort', [`lost ${B} (rank 1): no heartbeat of workers/b for 3001 ms`]]);
  });

  test('it wants to leave, and gets no other job', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.coordinator.agentLeaving(B);
    expect([a.assignment.number, a.assignment.atBoundary, b.told.at(-1), await notices(w, name)]).toEqual([2, true, 'release', [`left ${B} (rank 1)`]]);
    // Up to the boundary it works with the others.
    await w.coordinator.memberProgress(b.session, [step(0)]);
    expect((await w.job(name)).committedSteps).toBe(1n);
    await w.ready([a]);
    expect([b.told.at(-1), b.closed]).toEqual(['abort', true]);
    await w.exited(B);
    await w.pass(250);
    expect([w.agents.free(), await w.state(name)]).toEqual([[], 'RUNNING']);
  });

  test('it fails by a fault of its own', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.coordinator.memberFailed(b.session, create(JobErrorSchema), { reason: 'OUT_OF_MEMORY', message: 'no memory is left', fault: 'WORKER', worker: B, rank: 1 });
    expect([a.assignment.number, await notices(w, name), (await w.job(name)).error]).toEqual([2, [`lost ${B} (rank 1): no memory is left`], undefined]);
  });

  test('it is the one that was to commit the model: another member does', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    for (const member of [a, b]) await w.finish(member);
    await w.exited(A);
    await w.toldAgent(B);
    expect([await w.state(name), b.told, b.commands.at(-1)?.generation]).toEqual(['EXPORTING', ['assignment', 'commitModel'], 2n]);
    await expect(w.commit(a)).rejects.toMatchObject({ reason: 'FENCED' });
    await w.commit(b);
    expect((await w.job(name)).state).toBe(JobState.SUCCEEDED);
    expect((await w.job(name)).reports.map((r) => [r.rank, r.worker])).toEqual([[0, B]]);
  });
});

describe('members that cannot exchange', () => {
  const suspect = (w: CoordinatorWorld, member: FakeMember, rank: number): Promise<void> => w.coordinator.memberSuspended(member.session, 1, `rank ${rank} is gone`, [rank], false);

  test.each([[['a']], [['b', 'a']]] as const)('of two, the one goes that has no session, whoever complains (%p); its worker is welcome again', async (complain) => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    if (complain.some((who) => who === 'b')) await suspect(w, b, 0);
    await w.ended(b);
    await suspect(w, a, 1);
    await w.pass(749, new Map([[A, 400]]));
    expect(await notices(w, name)).toEqual([]); // its agent may still say more
    await w.pass(1, new Map([[A, 400]]));
    expect([await notices(w, name), a.closed, a.assignment.number]).toEqual([[`lost ${B} (rank 1): the session of its child process ended, and ${A} cannot exchange with it: rank 1 is gone`], false, 2]);
    await w.exited(B);
    await w.ready([a]);
    await w.pass(250);
    expect(await w.toldAgent(B)).toEqual([`startChild ${name}`, `stopChild ${name}`, `startChild ${name}`]);
  });

  test('nobody waits for one whose agent is gone too', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await suspect(w, a, 1);
    await w.detached(B);
    await w.ended(b);
    await w.pass(0);
    expect(await notices(w, name)).toEqual([`lost ${B} (rank 1): the session of its child process ended, and ${A} cannot exchange with it: rank 1 is gone`]);
  });

  test('of two, the one goes that has been silent for longer', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await suspect(w, b, 0);
    await w.pass(1499, new Map([[A, 1400], [B, 10]]));
    expect(await notices(w, name)).toEqual([]);
    await w.pass(1, new Map([[A, 1401], [B, 10]]));
    expect([await notices(w, name), a.told.at(-1), b.assignment.number]).toEqual([[expect.stringContaining(`lost ${A} (rank 0)`)], 'abort', 2]);
  });
});

describe('a session that ends', () => {
  test('is nobody\'s loss when its process comes back in time, with what it missed', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 3 }) });
    await w.ended(b);
    await w.pass(2999);
    const back = await w.rejoin(b, 1);
    expect(back.told).toEqual([]); // it knows its generation
    await w.pass(3000);
    expect([await w.state(name), await notices(w, name)]).toEqual(['RUNNING', []]);

    await w.ended(back);
    await w.attach(C);
    const c = await w.join(name, C);
    await w.coordinator.memberPrepared(c.session);
    expect([a.assignment.number, back.told]).toEqual([2, []]);
    const third = await w.rejoin(back, 1);
    expect([third.told, third.assignment.number, third.assignment.rank]).toEqual([['assignment'], 2, 1]);
    await w.ready([a, third, c]);
    expect(await w.state(name)).toBe('RUNNING');
  });

  test('is a loss when nobody comes back, and who comes too late is fenced', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.ended(b);
    await w.pass(3000);
    expect(a.assignment.number).toBe(1);
    await w.pass(1);
    expect([a.assignment.number, await notices(w, name)]).toEqual([2, [`lost ${B} (rank 1): the session of its child process ended`]]);
    await expect(w.rejoin(b, 1)).rejects.toMatchObject({ reason: 'FENCED' });
  });

  test('a joiner is told again to prepare when it may not have heard of it', async () => {
    const w = new CoordinatorWorld();
    const { name } = await w.run([A], { workers: create(WorkerCountSchema, { min: 1, max: 2 }) });
    await w.attach(B);
    const b = await w.join(name, B);
    await w.ended(b);
    const back = await w.rejoin(b, 0);
    expect([back.told, back.assignment.number]).toEqual([['assignment'], 0]);
  });

  test.each([
    ['by its name', (w: CoordinatorWorld, b: FakeMember) => w.join(b.job, B, { child: 'stranger' })],
    ['by where it listens', (w: CoordinatorWorld, b: FakeMember) => w.join(b.job, B, { child: b.child })],
  ])('another process of the same worker is told apart %s', async (_what, stranger) => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    await w.ended(b);
    await expect(stranger(w, b)).rejects.toMatchObject({ reason: 'FENCED', message: expect.stringContaining('by another process') as string });
    await w.rejoin(b, 1);
    expect([await w.state(name), await notices(w, name)]).toEqual(['RUNNING', []]);
  });

  test('of an agent costs nothing while its child is heard of', async () => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    await w.detached(B);
    await w.pass(60_000);
    await w.attach(B, { job: name, child: b.child });
    expect([await w.state(name), await notices(w, name), w.agents.free()]).toEqual(['RUNNING', [], []]);
  });

  test('of an agent that comes back with a child of another time: that is stopped', async () => {
    const w = new CoordinatorWorld();
    await w.attach(A, { job: 'jobs/old', child: 'c' });
    expect([await w.toldAgent(A), w.agents.free()]).toEqual([['stopChild jobs/old'], []]);
    await w.exited(A);
    expect(w.agents.free()).toEqual([A]);
  });
});

test('a job that starts again keeps out who failed it, says so, and takes it after a minute', async () => {
  const w = new CoordinatorWorld();
  const { name, b } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 2 }), maxRestarts: 1 });
  await w.coordinator.memberFailed(b.session, create(JobErrorSchema), { reason: 'OUT_OF_MEMORY', message: 'no memory is left', fault: 'WORKER', worker: B, rank: 1 });
  await w.exited(B);
  await w.exited(A);
  const details = (await w.events(name)).flatMap((e) => (e.case === 'stateChanged' ? [e.value.detail] : []));
  expect([await w.state(name), w.agents.free(), details.at(-1)])
    .toEqual(['QUEUED', [A, B], 'waits for 2 free workers: 2 of 2 are free, and for a while 1 of them is not taken: the job has lost it before']);
  await w.pass(30_000);
  expect(await w.state(name)).toBe('QUEUED');
  await w.pass(31_000);
  expect([await w.state(name), w.agents.free()]).toEqual(['RENDEZVOUS', []]);
});
