import { WorkerCountSchema } from '@lockstep/contract';
import { create } from '@bufbuild/protobuf';
import type { JobUpdate } from './job-store';
import { callEnded, CoordinatorWorld, RefusingJobStore, step, type FakeMember } from './testing/coordinator-world';

/** A store that notes what is stored together, and is as slow as it is told. */
class NotedStore extends RefusingJobStore {
  readonly together: (readonly string[])[] = [];
  /** What a transaction waits for. */
  gate: Promise<void> = Promise.resolve();

  override async updateAll(updates: readonly JobUpdate[], nowMs: number): Promise<void> {
    await this.gate;
    await super.updateAll(updates, nowMs);
    this.together.push(updates.map(({ job, events }) => `${job.name} ${events.length}`));
  }
}

async function world(jobs: number) {
  const store = new NotedStore();
  const w = new CoordinatorWorld(store);
  const running: { readonly name: string; readonly member: FakeMember }[] = [];
  for (let i = 0; i < jobs; i++) {
    const { name, members: [member] } = await w.run([`workers/w${i}`], { workers: create(WorkerCountSchema, { min: 1, max: 1 }) });
    if (!member) throw new Error('a member was asked for');
    running.push({ name, member });
  }
  store.together.length = 0;
  return { w, store, running };
}

/** Closes a store's door until the returned function is called. */
function close(store: NotedStore): () => void {
  let open: () => void = () => undefined;
  store.gate = new Promise((resolve) => { open = resolve; });
  return open;
}

test('what comes while a transaction is under way is stored together, and each is told so', async () => {
  const { w, store, running } = await world(4);
  const [first, ...others] = running;
  if (!first) throw new Error('there are four');
  const open = close(store);
  const told = [w.coordinator.memberProgress(first.member.session, [step(0)])];
  await new Promise((resolve) => setImmediate(resolve));
  for (const { member } of others) told.push(w.coordinator.memberProgress(member.session, [step(0), step(1)]));
  open();
  await Promise.all(told);
  expect(store.together).toEqual([[`${first.name} 1`], others.map(({ name }) => `${name} 1`)]);
  expect(await Promise.all(running.map(async ({ name }) => Number((await w.job(name)).committedSteps)))).toEqual([1, 2, 2, 2]);
  expect(running.map(({ member }) => member.told.at(-1))).toEqual(['committed', 'committed', 'committed', 'committed']);
});

test('reports of one job build on one another', async () => {
  const { w, store, running: [one] } = await world(1);
  if (!one) throw new Error('there is one');
  const reports = [[step(0)], [step(0), step(1)], [step(1)], [step(2), callEnded(0)]];
  await Promise.all(reports.map((entries) => w.coordinator.memberProgress(one.member.session, entries)));
  expect(store.together).toHaveLength(1);
  expect([(await w.job(one.name)).committedSteps, (await store.listCalls(one.name)).length]).toEqual([3n, 1]);
  expect((await w.events(one.name)).filter((event) => event.case === 'stepsCommitted')).toHaveLength(3);
});

test('a report that the store refuses refuses no other', async () => {
  const { w, store, running: [good, bad] } = await world(2);
  if (!good || !bad) throw new Error('there are two');
  await store.update(await w.job(bad.name), [], 0, { calls: [{ number: 0, record: new Uint8Array([9]) }] });
  const told = await Promise.allSettled([w.coordinator.memberProgress(bad.member.session, [callEnded(0)]), w.coordinator.memberProgress(good.member.session, [step(0)])]);
  expect(told).toMatchObject([{ status: 'rejected', reason: { reason: 'CALL_DIVERGED' } }, { status: 'fulfilled' }]);
  expect([(await w.job(good.name)).committedSteps, (await w.job(bad.name)).committedSteps]).toEqual([1n, 0n]);
});

test('who is no member any more is fenced, and the others are stored', async () => {
  const { w, running: [one, other] } = await world(2);
  if (!one || !other) throw new Error('there are two');
  await w.coordinator.cancel(other.name);
  const again = one.member.again();
  const told = await Promise.allSettled([w.coordinator.memberProgress(again.session, [step(0)]), w.coordinator.memberProgress(other.member.session, [step(0)]), w.coordinator.memberProgress(one.member.session, [step(0)])]);
  // A job that has ended has no use for reports.
  expect(told).toMatchObject([{ status: 'rejected', reason: { reason: 'FENCED' } }, { status: 'fulfilled' }, { status: 'fulfilled' }]);
  expect((await w.job(one.name)).committedSteps).toBe(1n);
});
