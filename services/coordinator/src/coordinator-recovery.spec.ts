/** What outlives the coordinator's process and a job's workers, and what a store that refuses must not lead to. */
import { create } from '@bufbuild/protobuf';
import { JobErrorSchema, JobState, WorkerCountSchema } from '@lockstep/contract';
import { callEnded, CoordinatorWorld, step, type FakeMember } from './testing/coordinator-world';

const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;

async function pair(w: CoordinatorWorld, spec: Parameters<CoordinatorWorld['run']>[1] = {}): Promise<{ readonly name: string; readonly a: FakeMember; readonly b: FakeMember }> {
  const { name, members: [a, b] } = await w.run([A, B], spec);
  if (!a || !b) throw new Error('two members were asked for');
  return { name, a, b };
}

const lostWorkers = async (w: CoordinatorWorld, name: string): Promise<readonly string[]> =>
  (await w.events(name)).flatMap((e) => (e.case === 'memberLost' ? [`${e.value.worker}: ${e.value.detail}`] : []));

describe('a coordinator that is started again', () => {
  test('goes on with the members that come back, as if nothing had been', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.coordinator.memberProgress(a.session, [step(0), step(1)]);
    await w.restart();
    expect([await w.state(name), w.fences.at(-1)]).toEqual(['RUNNING', `${name}@1`]);
    for (const { worker, child } of [a, b]) await w.attach(worker, { job: name, child });
    const [a2, b2] = [await w.rejoin(a, 1), await w.rejoin(b, 1)];
    await w.coordinator.memberProgress(a2.session, [step(0), step(1), step(2)]);
    await w.pass(10_000);
    expect([a2.told, b2.told]).toEqual([['committed', 'committed'], ['committed']]);
    expect([await w.state(name), (await w.job(name)).committedSteps, await lostWorkers(w, name)]).toEqual(['RUNNING', 3n, []]);
    expect((await w.job(name)).ledger).toMatchObject({ records: 24n, sum: 3n * 2n ** 62n + 3n });
  });

  test('loses those who do not come back, after a grace, by name', async () => {
    const w = new CoordinatorWorld();
    const { name, a } = await pair(w);
    await w.restart();
    await w.attach(A, { job: name, child: a.child });
    const back = await w.rejoin(a, 1);
    await w.pass(3000);
    expect(back.told).toEqual([]);
    await w.pass(1);
    expect([back.assignment.number, await lostWorkers(w, name)]).toEqual([2, [`${B}: it has not come back since the coordinator did`]]);
  });

  test('waits for processes that were being started as long as for any others, and loses none that has joined', async () => {
    const w = new CoordinatorWorld();
    for (const worker of [A, B]) await w.attach(worker);
    const { name } = await w.submit(2);
    const children = new Map([A, B].map((worker) => [worker, w.agents.get(worker)?.child]));
    await w.restart();
    // One child is there before its agent is; the other takes its time.
    const a = await w.join(name, A, { child: children.get(A)?.child ?? '' });
    for (const worker of [A, B]) await w.attach(worker, children.get(worker));
    await w.pass(3001);
    const b = await w.join(name, B);
    await w.ready([a, b]);
    await w.pass(10_000);
    expect([await w.state(name), await lostWorkers(w, name), a.assignment.number]).toEqual(['RUNNING', [], 1]);
  });

  test('waits likewise for one that was to join a job', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 3 }) });
    await w.attach(C);
    const child = w.agents.get(C)?.child;
    await w.restart();
    for (const member of [a, b]) await w.attach(member.worker, { job: name, child: member.child });
    for (const member of [a, b]) await w.rejoin(member, 1);
    await w.attach(C, child);
    await w.pass(3001);
    const c = await w.join(name, C);
    await w.pass(3001);
    expect([c.closed, c.told, await lostWorkers(w, name)]).toEqual([false, ['assignment'], []]);
  });

  test('says again what may not have arrived: a generation, and the word to commit', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.exited(B);
    await w.restart();
    await w.attach(A, { job: name, child: a.child });
    const back = await w.rejoin(a, 1);
    expect([back.told, back.assignment.number]).toEqual([['assignment'], 2]);
    await w.ready([back]);
    await w.finish(back);
    expect(await w.state(name)).toBe('EXPORTING');
    await w.restart();
    const third = await w.rejoin(back, 2);
    await w.toldAgent(A);
    expect(third.told).toEqual(['commitModel']);
    await w.commit(third);
    expect([(await w.job(name)).state, b.closed]).toEqual([JobState.SUCCEEDED, true]);
  });

  test('still has the finished calls, for those who join, and the books of those who had finished', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w, { workers: create(WorkerCountSchema, { min: 2, max: 3 }) });
    await w.coordinator.memberProgress(a.session, [callEnded(0, '{"loss":[1]}')]);
    await w.restart();
    for (const { worker, child } of [a, b]) await w.attach(worker, { job: name, child });
    const [a2, b2] = [await w.rejoin(a, 1), await w.rejoin(b, 1)];
    await w.attach(C);
    expect((await w.join(name, C)).assignment.finishedCalls).toMatchObject([{ number: 0, kind: 'fit', digest: 'd0', resultJson: '{"loss":[1]}' }]);
    await w.finish(a2, { computations: 7n });
    await w.restart();
    const [a3, b3] = [await w.rejoin(a2, 1), await w.rejoin(b2, 1)];
    await w.finish(a3, { computations: 7n });
    await w.finish(b3, { computations: 5n });
    expect((await w.job(name)).reports.map((r) => [r.worker, r.replicaComputations])).toEqual([[A, 7n], [B, 5n]]);
  });

  test('starts the jobs that waited, the oldest first', async () => {
    const w = new CoordinatorWorld();
    const [first, second] = [await w.submit(1), await w.submit(1)];
    await w.restart();
    await w.attach(A);
    expect(await w.toldAgent(A)).toEqual([`startChild ${first.name}`]);
    expect((await w.coordinator.cancel(second.name)).state).toBe(JobState.CANCELLED);
  });

  test('that leaves declares nobody lost', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    const before = await w.events(name);
    w.coordinator.leave();
    for (const { session } of [a, b]) w.coordinator.sessionEnded(session, 'the coordinator leaves', true);
    for (const worker of [A, B]) await w.coordinator.agentGone(worker, 'the coordinator leaves', true);
    for (let i = 0; i < 3; i++) await w.pass(60_000);
    expect([await w.state(name), await w.events(name)]).toEqual(['RUNNING', before]);
  });
});

describe('a job that lost all its workers', () => {
  test('waits, and starts again from its last checkpoint; nothing is counted twice', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.coordinator.memberProgress(a.session, [step(0), step(1)]);
    await w.checkpoint(a, 2);
    for (const worker of [A, B]) await w.detached(worker, 'the machine is gone', true);
    expect([await w.state(name), a.closed, b.closed]).toEqual(['QUEUED', true, true]);
    expect(w.fences).toEqual([`${name}@1`, `${name}@2`, `${name}@3`]);
    await w.attach(C);
    const c = await w.join(name, C);
    expect(c.assignment).toMatchObject({ number: 4, checkpoint: 'artifacts/c/versions/2', committed: { step: 1 } });
    await w.ready([c]);
    await w.coordinator.memberProgress(c.session, [step(1), step(2)]);
    expect(await w.job(name)).toMatchObject({ state: JobState.RUNNING, committedSteps: 3n, ledger: { records: 24n, sum: 3n * 2n ** 62n + 3n }, reports: [] });
  });

  test('tells who joins of no call that it goes through anew, and has not finished yet', async () => {
    const w = new CoordinatorWorld();
    const { name, members: [a] } = await w.run([A], { workers: create(WorkerCountSchema, { min: 1, max: 3 }) });
    if (!a) throw new Error('a member was asked for');
    await w.coordinator.memberProgress(a.session, [callEnded(0)]);
    await w.checkpoint(a, 5, undefined, 1);
    await w.coordinator.memberProgress(a.session, [callEnded(1)]);
    await w.restart(); // which has to be known to the next coordinator too
    await w.pass(3001);
    expect(await w.state(name)).toBe('QUEUED');
    await w.attach(A);
    const again = await w.join(name, A);
    expect(again.assignment.checkpoint).toBe('artifacts/c/versions/5');
    await w.ready([again]);
    await w.attach(B);
    expect((await w.join(name, B)).assignment.finishedCalls.map((c) => c.number)).toEqual([0]);
    await w.coordinator.memberProgress(again.session, [callEnded(1), callEnded(2)]);
    await w.attach(C);
    expect((await w.join(name, C)).assignment.finishedCalls.map((c) => c.number)).toEqual([0, 1, 2]);
  });

  test('has no books of theirs: what they did since the checkpoint is done again', async () => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    await w.finish(b);
    expect((await w.job(name)).reports).toHaveLength(1);
    for (const worker of [A, B]) await w.detached(worker, 'the machine is gone', true);
    expect(await w.job(name)).toMatchObject({ state: JobState.QUEUED, reports: [] });
    await w.attach(B);
    await w.join(name, B);
    expect((await w.job(name)).reports).toEqual([]);
  });

  test('goes on from the checkpoint before when the last one cannot be read, then from its beginning; no restart is spent and nobody is kept out', async () => {
    const w = new CoordinatorWorld();
    const { name, members: [first] } = await w.run([A], { maxRestarts: 1 });
    if (!first) throw new Error('a member was asked for');
    for (const steps of [2, 4]) await w.checkpoint(first, steps);
    await w.exited(A);
    const from: string[] = [];
    for (let i = 0; i < 3; i++) {
      const member = await w.join(name, A);
      from.push(member.assignment.checkpoint);
      if (i === 2) break;
      const lost = { reason: 'CHECKPOINT_LOST', message: 'it is damaged' };
      await w.coordinator.memberFailed(member.session, create(JobErrorSchema, lost), { ...lost, fault: 'CLUSTER' });
      expect([await w.state(name), member.told.at(-1)]).toEqual(['QUEUED', 'abort']);
      await w.exited(A);
    }
    expect(from).toEqual(['artifacts/c/versions/4', 'artifacts/c/versions/2', '']);
    expect((await w.store.listCheckpoints(name)).map((one) => one.version)).toEqual([]);
  });

  test('from a checkpoint that an earlier coordinator took note of', async () => {
    const w = new CoordinatorWorld();
    const { name, a } = await pair(w);
    await w.checkpoint(a, 2);
    await w.restart();
    await w.pass(3001);
    await w.pass(250); // one is lost a tick
    expect(await w.state(name)).toBe('QUEUED');
    await w.attach(C);
    expect((await w.join(name, C)).assignment.checkpoint).toBe('artifacts/c/versions/2');
  });

  test('starts again on another worker than the one where it was lost, when there is one', async () => {
    const w = new CoordinatorWorld();
    const { name } = await w.run([A]);
    await w.attach(B);
    await w.exited(A);
    expect([await w.toldAgent(A), await w.toldAgent(B)]).toEqual([[`startChild ${name}`], [`startChild ${name}`]]);
    await w.join(name, B);
    // Both have lost it by now: it takes what there is.
    await w.exited(B);
    expect(await w.toldAgent(A)).toEqual([`startChild ${name}`, `startChild ${name}`]);
  });

  test.each([[0, 0], [2, 2]])('more often than the %i times that it may start again fails, by name', async (maxRestarts, restarts) => {
    const w = new CoordinatorWorld();
    const { name } = await w.run([A], { maxRestarts });
    for (let i = 0; i < restarts; i++) {
      await w.exited(A);
      await w.join(name, A);
    }
    await w.exited(A, 'its child process was ended by SIGKILL');
    expect((await w.job(name)).error).toMatchObject({ reason: 'WORKER_LOST', worker: A, message: expect.stringMatching(new RegExp(`SIGKILL.*${restarts} of ${maxRestarts} times`)) as string });
  });
});

describe('a change that the store refuses', () => {
  type Act = (w: CoordinatorWorld, running: { readonly name: string; readonly a: FakeMember; readonly b: FakeMember }) => Promise<unknown>;
  const comesBack: Act = async (w) => {
    await w.detached(B);
    await w.attach(B);
  };
  const told = (what: string, act: Act, after: string): [string, Act, string, Act] => [what, act, after, act];
  const cases: readonly [string, Act, string, Act][] = [
    ['the end of a child', (w) => w.exited(B), 'RENDEZVOUS', comesBack],
    told('a member that leaves', (w) => w.coordinator.agentLeaving(B), 'RENDEZVOUS'),
    told('an agent that is lost', (w) => w.coordinator.agentGone(B, 'gone', true), 'RENDEZVOUS'),
    told('a member that ends', (w, { a }) => w.finish(a), 'RUNNING'),
    told('a failure', (w, { a }) => w.coordinator.memberFailed(a.session, create(JobErrorSchema), { reason: 'MODULE_THREW', message: 'm', fault: 'MODULE' }), 'FAILED'),
    told('progress', (w, { a }) => w.coordinator.memberProgress(a.session, [step(0), callEnded(0)]), 'RUNNING'),
    told('a checkpoint', (w, { a }) => w.checkpoint(a, 1), 'RUNNING'),
    told('a cancellation', (w, { name }) => w.coordinator.cancel(name), 'CANCELLED'),
  ];

  test.each(cases)('leads to nothing, and may be told again: %s', async (_what, act, after, again) => {
    const w = new CoordinatorWorld();
    const running = await pair(w);
    const { name, a, b } = running;
    const seen = async (): Promise<unknown> => [
      await w.job(name), await w.events(name), await w.store.listCalls(name), await w.store.listCheckpoints(name), [...w.fences], [...a.told], [...b.told], a.closed, b.closed, await w.toldAgent(A), await w.toldAgent(B),
    ];
    const before = await seen();
    w.store.refuses = true;
    await expect(act(w, running)).rejects.toThrow('the disk is full');
    expect(await seen()).toEqual(before);
    w.store.refuses = false;
    await again(w, running);
    await w.toldAgent(A);
    expect(await w.state(name)).toBe(after);
    expect(await seen()).not.toEqual(before);
  });

  test('a start that is refused starts nobody, and is tried again', async () => {
    const w = new CoordinatorWorld();
    await w.attach(A);
    w.store.refuses = true;
    await expect(w.submit(1, {}, 'r')).rejects.toThrow('the disk is full');
    expect(await w.toldAgent(A)).toEqual([]);
    w.store.refuses = false;
    const { name } = await w.submit(1, {}, 'r');
    await w.pass(250);
    expect([await w.toldAgent(A), await w.state(name)]).toEqual([[`startChild ${name}`], 'RENDEZVOUS']);
  });

  test('a return that is refused leaves no session behind, and may be tried again', async () => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    await w.ended(b);
    w.store.refuses = true;
    await expect(w.rejoin(b, 1)).rejects.toThrow('the disk is full');
    w.store.refuses = false;
    await w.rejoin(b, 1);
    await w.pass(3001);
    expect([await w.state(name), await lostWorkers(w, name)]).toEqual(['RUNNING', []]);
  });

  test('so does one that takes the place of an open session: then the worker is away', async () => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    w.store.refuses = true;
    await expect(w.rejoin(b, 1)).rejects.toThrow('the disk is full');
    w.store.refuses = false;
    await w.pass(250);
    await w.pass(3001);
    expect([b.closed, await lostWorkers(w, name)]).toEqual([true, [`${B}: its child process has no session`]]);
  });

  test('an absence that was not stored is found later', async () => {
    const w = new CoordinatorWorld();
    const { name, b } = await pair(w);
    w.store.refuses = true;
    await w.ended(b);
    await expect(w.pass(250)).rejects.toThrow('the disk is full');
    w.store.refuses = false;
    await w.pass(250);
    await w.pass(3001);
    expect(await lostWorkers(w, name)).toEqual([`${B}: its child process has no session`]);
  });
});
