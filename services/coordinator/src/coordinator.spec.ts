import { create } from '@bufbuild/protobuf';
import { JobErrorSchema, JobState } from '@lockstep/contract';
import { callEnded, CoordinatorWorld, step, type FakeMember } from './testing/coordinator-world';

const [A, B, C] = ['workers/a', 'workers/b', 'workers/c'] as const;

/** The two members of a job that runs on two workers. */
async function pair(w: CoordinatorWorld, spec: Parameters<CoordinatorWorld['run']>[1] = {}): Promise<{ readonly name: string; readonly a: FakeMember; readonly b: FakeMember }> {
  const { name, members: [a, b] } = await w.run([A, B], spec);
  if (!a || !b) throw new Error('two members were asked for');
  return { name, a, b };
}

describe('a job', () => {
  test('waits for its workers, and says for whom', async () => {
    const w = new CoordinatorWorld();
    const { name } = await w.submit(2);
    await w.attach(A);
    expect(await w.state(name)).toBe('QUEUED');
    await w.attach(B);
    expect(await w.state(name)).toBe('RENDEZVOUS');
    expect((await w.events(name)).map((e) => (e.case === 'stateChanged' ? e.value.detail : e.case))).toEqual([
      'created', 'waits for 2 free workers: 0 of 0 are free', 'waits for 2 free workers: 1 of 1 is free', 'starts on rank 0 (workers/a), rank 1 (workers/b)',
    ]);
    expect(w.agents.free()).toEqual([]);
    expect([await w.toldAgent(A), await w.toldAgent(B)]).toEqual([[`startChild ${name}`], [`startChild ${name}`]]);
    expect(w.agents.get(A)?.child?.child).not.toBe(w.agents.get(B)?.child?.child);
  });

  test('assigns its members when all have come, and runs when all are connected', async () => {
    const w = new CoordinatorWorld();
    for (const worker of [A, B]) await w.attach(worker);
    const { name } = await w.submit(2);
    const a = await w.join(name, A);
    expect(a.told).toEqual([]);
    const b = await w.join(name, B);
    for (const [rank, member] of [a, b].entries()) {
      expect(member.assignment).toMatchObject({ number: 1, rank, artifactAddress: 'artifact:1', checkpoint: '', spec: { replicas: 4 } });
      expect(member.assignment.generation?.members.map((m) => [m.worker, m.exchangeAddress, m.replicas?.from, m.replicas?.to])).toEqual([[A, a.session.address, 0, 2], [B, b.session.address, 2, 4]]);
    }
    expect(w.fences).toEqual([`${name}@1`]);
    await w.ready([a]);
    expect(await w.state(name)).toBe('RENDEZVOUS');
    await w.ready([b]);
    expect(await w.state(name)).toBe('RUNNING');
  });

  test('commits one model when all have ended with the same state, and frees its workers', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.finish(b, { computations: 5n });
    expect(a.told).toEqual(['assignment']);
    await w.finish(a, { computations: 7n });
    expect(await w.state(name)).toBe('EXPORTING');
    await w.toldAgent(A);
    expect([a.told.at(-1), a.commands.at(-1)?.generation, b.told]).toEqual(['commitModel', 1n, ['assignment']]);
    await w.commit(a);
    expect(await w.job(name)).toMatchObject({ state: JobState.SUCCEEDED, result: { model: 'artifacts/o/versions/1' } });
    expect((await w.job(name)).reports.map((r) => [r.rank, r.worker, r.replicas?.from, r.replicaComputations])).toEqual([[0, A, 0, 7n], [1, B, 2, 5n]]);
    expect([a.closed, b.closed, a.told.at(-1), b.told.at(-1)]).toEqual([true, true, 'abort', 'abort']);
    expect((await w.events(name)).map((e) => e.case)).toEqual(['created', 'stateChanged', 'generationFormed', 'stateChanged', 'stateChanged', 'stateChanged']);
    expect(w.agents.free()).toEqual([]); // until their processes have ended
    for (const worker of [A, B]) await w.exited(worker, 'its child process was ended with code 0');
    expect(w.agents.free()).toEqual([A, B]);
    expect(w.fences).toEqual([`${name}@1`]);
  });

  test('commits nothing before the artifact service knows the generation, and fails when it cannot be told', async () => {
    const w = new CoordinatorWorld();
    let answer: (failure?: Error) => void = () => undefined;
    w.fenceAnswer = () => new Promise((resolve, reject) => { answer = (failure) => (failure ? reject(failure) : resolve()); });
    const { name, a, b } = await pair(w);
    for (const member of [a, b]) await w.finish(member);
    await w.toldAgent(A);
    expect(a.told).toEqual(['assignment']);
    answer();
    await w.toldAgent(A);
    expect(a.told).toEqual(['assignment', 'commitModel']);
    await w.coordinator.cancel(name);

    for (const worker of [A, B]) await w.exited(worker);
    const { name: next } = await w.submit(1);
    await w.join(next, A);
    answer(new Error('no route'));
    await w.toldAgent(A);
    expect((await w.job(next)).error).toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE', message: 'the artifact service did not take note of generation 1: no route' });
  });

  test('fails by name when members end with other states, and commits nothing', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.finish(a, { digest: 'aaaa' });
    await w.finish(b, { digest: 'bbbb' });
    expect((await w.job(name)).error).toMatchObject({ reason: 'STATE_DIVERGED', worker: B, rank: 1 });
    expect([a, b].flatMap((m) => m.told)).not.toContain('commitModel');
    expect(w.fences.at(-1)).toBe(`${name}@2`); // nobody of generation 1 publishes any more
  });

  test('fails with the stack of the member whose module threw, and stops the others', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    const threw = { reason: 'MODULE_THREW', message: 'the module threw: no such column', fault: 'MODULE', worker: B, rank: 1 } as const;
    await w.coordinator.memberFailed(b.session, create(JobErrorSchema, { stack: 'at column (m.ts:3)' }), threw);
    expect((await w.job(name)).error).toMatchObject({ reason: 'MODULE_THREW', worker: B, rank: 1, stack: 'at column (m.ts:3)' });
    expect([a.told.at(-1), a.closed, await w.toldAgent(A)]).toEqual(['abort', true, [`startChild ${name}`, `stopChild ${name}`]]);
  });

  test('is cancelled whatever it does, once', async () => {
    const w = new CoordinatorWorld();
    const { name, a } = await pair(w);
    expect((await w.coordinator.cancel(name)).state).toBe(JobState.CANCELLED);
    expect((await w.coordinator.cancel(name)).state).toBe(JobState.CANCELLED);
    expect([a.told.at(-1), (await w.events(name)).filter((e) => e.case === 'stateChanged').length]).toEqual(['abort', 3]);
    await expect(w.coordinator.cancel('jobs/none')).rejects.toMatchObject({ reason: 'NO_SUCH_JOB' });
  });

  test('whose rendezvous nobody joins fails by its deadline', async () => {
    const w = new CoordinatorWorld();
    await w.attach(A);
    const { name } = await w.submit(1, { maxRestarts: 0 });
    await w.pass(60_001);
    expect((await w.job(name)).error).toMatchObject({ reason: 'RENDEZVOUS_DEADLINE', worker: A });
  });

  test('of the same request is the same job, also after a restart, and of another spec is refused', async () => {
    const w = new CoordinatorWorld();
    const first = await w.submit(1, {}, 'r1');
    expect((await w.submit(1, {}, 'r1')).name).toBe(first.name);
    await expect(w.submit(1, { seed: 5n }, 'r1')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    expect((await w.submit(1, {}, 'r2')).name).not.toBe(first.name);
    await w.restart();
    expect((await w.submit(1, {}, 'r1')).name).toBe(first.name);
  });
});

describe('a message', () => {
  test.each([['an older', 0, 'RENDEZVOUS'], ['a newer', 2, 'FENCED']] as const)('of %s generation changes nothing', async (_what, generation, expected) => {
    const w = new CoordinatorWorld();
    await w.attach(A);
    const { name } = await w.submit(1);
    const a = await w.join(name, A);
    const ready = w.coordinator.memberReady(a.session, generation);
    if (expected === 'FENCED') await expect(ready).rejects.toMatchObject({ reason: 'FENCED' });
    else await ready;
    expect(await w.state(name)).toBe('RENDEZVOUS');
  });

  test('in a session that another has replaced is fenced', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    const again = await w.rejoin(a, 1);
    expect(a.closed).toBe(true);
    await expect(w.finish(a, { digest: 'other' })).rejects.toMatchObject({ reason: 'FENCED' });
    await expect(w.checkpoint(a, 5)).rejects.toMatchObject({ reason: 'FENCED' });
    for (const member of [again, b]) await w.finish(member);
    expect(await w.state(name)).toBe('EXPORTING');
  });

  test.each([
    ['without the token', (w: CoordinatorWorld, job: string) => w.join(job, A, { token: new Uint8Array(32) }), 'BAD_TOKEN'],
    ['of a second process, by its name', (w: CoordinatorWorld, job: string) => w.join(job, A, { child: 'stranger' }), 'FENCED'],
    ['of a worker that does not take part', (w: CoordinatorWorld, job: string) => w.join(job, C), 'FENCED'],
    ['for a job that is unknown', (w: CoordinatorWorld) => w.join('jobs/none', A, { token: new Uint8Array(32) }), 'FENCED'],
    ['twice', async (w: CoordinatorWorld, job: string) => { await w.join(job, A); await w.join(job, A); }, 'FENCED'],
  ] as const)('of hello %s is refused', async (_what, hello, reason) => {
    const w = new CoordinatorWorld();
    await w.attach(A);
    const { name } = await w.submit(1);
    await expect(hello(w, name)).rejects.toMatchObject({ reason });
  });
});

describe('progress', () => {
  test('counts each point once, whoever tells of it and however often', async () => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w);
    await w.coordinator.memberProgress(a.session, [step(0), step(1)]);
    await w.coordinator.memberProgress(a.session, [step(0), step(1)]);
    await w.coordinator.memberProgress(b.session, [step(0), step(1), step(2), step(3)]); // the next chief, who was never told what is stored
    await w.coordinator.memberProgress(b.session, [step(3), callEnded(0)]);
    await w.coordinator.memberProgress(a.session, [step(2), callEnded(0, 'another result')]);
    expect(await w.job(name)).toMatchObject({ committedSteps: 4n, position: { step: 3 }, ledger: { records: 32n, sum: 6n } });
    const events = (await w.events(name)).filter((e) => e.case === 'stepsCommitted' || e.case === 'callEnded');
    expect(events.map((e) => (e.case === 'stepsCommitted' ? `${e.value.steps} steps, ${e.value.rows} rows, up to ${e.value.position?.step}` : e.case))).toEqual(['2 steps, 16 rows, up to 1', '2 steps, 16 rows, up to 3', 'callEnded']);
    expect(await w.store.listCalls(name)).toHaveLength(1);
  });

  test('tells all members up to where it is stored, once', async () => {
    const w = new CoordinatorWorld();
    const { a, b } = await pair(w);
    await w.coordinator.memberProgress(a.session, [step(0), step(1)]);
    const committed = { generation: 1n, command: { case: 'committed', value: { point: { call: 0, step: 1 } } } };
    // Who told it hears so at once, and then with all others.
    expect([a, b].map(({ commands }) => commands.slice(1))).toMatchObject([[committed], []]);
    for (let i = 0; i < 3; i++) await w.pass(250);
    expect([a, b].map(({ commands }) => commands.slice(1))).toMatchObject([[committed, committed], [committed]]);
  });

  test('of one who is no member is fenced', async () => {
    const w = new CoordinatorWorld();
    const { name, members: [a] } = await w.run([A], { workers: { min: 1, max: 2 } });
    await w.attach(B);
    const joiner = await w.join(name, B);
    await expect(w.coordinator.memberProgress(joiner.session, [step(0)])).rejects.toMatchObject({ reason: 'FENCED' });
    expect([(await w.job(name)).committedSteps, a?.told]).toEqual([0n, ['assignment']]);
  });
});

describe('checkpoints', () => {
  test('are kept as many as the job asks for, the newest ones', async () => {
    const w = new CoordinatorWorld();
    const { name, a } = await pair(w, { checkpoint: { everySteps: 1, keep: 2 } });
    for (const steps of [5, 10, 15]) await w.checkpoint(a, steps);
    expect((await w.store.listCheckpoints(name)).map((c) => [c.step, c.version, c.generation])).toEqual([[15, 'artifacts/c/versions/15', 1], [10, 'artifacts/c/versions/10', 1]]);
    expect((await w.events(name)).filter((e) => e.case === 'checkpointCommitted')).toHaveLength(3);
  });

  test.each([['the same again', 15], ['one that was overtaken', 10]])('%s changes nothing', async (_what, late) => {
    const w = new CoordinatorWorld();
    const { name, a, b } = await pair(w, { checkpoint: { everySteps: 1, keep: 1 } });
    for (const steps of [10, 15]) await w.checkpoint(a, steps);
    const before = await w.events(name);
    await w.checkpoint(b, late);
    expect((await w.store.listCheckpoints(name)).map((c) => c.step)).toEqual([15]);
    expect(await w.events(name)).toEqual(before);
  });
});
