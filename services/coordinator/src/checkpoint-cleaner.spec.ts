import { JobState } from '@lockstep/contract';
import { isSuperseded } from './checkpoint-cleaner';
import { CoordinatorWorld, type FakeMember } from './testing/coordinator-world';

const A = 'workers/a';
const names = (...numbers: readonly number[]): string => numbers.map((n) => `artifacts/c/versions/${n}`).join(' ');
const settled = async (): Promise<void> => { for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve)); };

async function running(keep = 2): Promise<{ readonly w: CoordinatorWorld; readonly name: string; readonly a: FakeMember }> {
  const w = new CoordinatorWorld();
  const { name, members: [a] } = await w.run([A], { checkpoint: { everySteps: 1, keep } });
  if (!a) throw new Error('no member');
  return { w, name, a };
}

async function finish(w: CoordinatorWorld, a: FakeMember): Promise<void> {
  await w.finish(a);
  await w.commit(a);
}

test.each<readonly [string, readonly number[], boolean]>([
  ['artifacts/c/versions/5', [], false], ['artifacts/c/versions/5', [4, 3], false], ['artifacts/c/versions/5', [5], false], ['artifacts/c/versions/5', [6, 4], true], ['artifacts/c/versions/9', [10], true],
])('%s is superseded by %j: %p', (version, listed, expected) => {
  expect(isSuperseded(version, listed.map((n) => `artifacts/c/versions/${n}`))).toBe(expected);
});

test('each checkpoint makes the artifact service keep those in the list, and no others', async () => {
  const { w, name, a } = await running();
  for (const steps of [1, 2, 3]) {
    await w.checkpoint(a, steps);
    await settled();
  }
  expect(w.retained).toEqual([`${name}: ${names(1)}`, `${name}: ${names(2, 1)}`, `${name}: ${names(3, 2)}`]);
});

test('the list is stored before anything is deleted, and no decision waits for the artifact service', async () => {
  const { w, name, a } = await running(1);
  const listed: (readonly string[])[] = [];
  let answer: () => void = () => undefined;
  w.retainAnswer = async () => {
    listed.push((await w.store.listCheckpoints(name)).map((c) => c.version));
    await new Promise<void>((resolve) => { answer = resolve; });
  };
  await w.checkpoint(a, 1);
  await settled();
  for (const steps of [2, 3, 4]) await w.checkpoint(a, steps);
  // While it is slow only the newest wish waits.
  expect(w.retained).toEqual([`${name}: ${names(1)}`]);
  answer();
  await settled();
  expect(w.retained).toEqual([`${name}: ${names(1)}`, `${name}: ${names(4)}`]);
  expect(listed).toEqual([[names(1)], [names(4)]]);
});

test('a checkpoint that was committed before one in the list is not taken, whatever its step: it may be deleted', async () => {
  const { w, name, a } = await running();
  await w.checkpoint(a, 90, 'artifacts/c/versions/6');
  await w.checkpoint(a, 100, 'artifacts/c/versions/5');
  expect((await w.store.listCheckpoints(name)).map((c) => c.version)).toEqual(['artifacts/c/versions/6']);
  await w.checkpoint(a, 110, 'artifacts/c/versions/7');
  expect((await w.store.listCheckpoints(name)).map((c) => c.version)).toEqual(['artifacts/c/versions/7', 'artifacts/c/versions/6']);
});

test('a job that succeeded keeps none; its list is empty when they are deleted', async () => {
  const { w, name, a } = await running();
  for (const steps of [1, 2]) await w.checkpoint(a, steps);
  await finish(w, a);
  await settled();
  expect(await w.state(name)).toBe('SUCCEEDED');
  expect(w.retained.at(-1)).toBe(`${name}: `);
  expect(await w.store.listCheckpoints(name)).toEqual([]);
});

test('what could not be deleted when a job succeeded is deleted by the next process', async () => {
  const { w, name, a } = await running();
  await w.checkpoint(a, 1);
  await settled();
  w.retainAnswer = () => Promise.reject(new Error('the artifact service is away'));
  await finish(w, a);
  await settled();
  expect(await w.store.listCheckpoints(name)).toHaveLength(1);
  w.retainAnswer = () => Promise.resolve();
  w.retained.length = 0;
  await w.restart();
  await settled();
  expect(w.retained).toEqual([`${name}: `]);
  expect(await w.store.listCheckpoints(name)).toEqual([]);
  await w.restart();
  await settled();
  expect(w.retained).toHaveLength(1);
  expect((await w.job(name)).state).toBe(JobState.SUCCEEDED);
});

test('a cancelled job keeps its newest ones; what its members committed and never told of goes once they are fenced off', async () => {
  const { w, name, a } = await running();
  for (const steps of [1, 2, 3]) await w.checkpoint(a, steps);
  await settled();
  const before = w.retained.length;
  let fence: () => void = () => undefined;
  w.fenceAnswer = () => new Promise((resolve) => { fence = resolve; });
  await w.coordinator.cancel(name);
  await settled();
  expect(w.retained).toHaveLength(before);
  fence();
  await settled();
  expect(w.retained.slice(before)).toEqual([`${name}: ${names(3, 2)}`]);
  expect((await w.store.listCheckpoints(name)).map((c) => c.step)).toEqual([3, 2]);
});

test('a job that never ran keeps none', async () => {
  const w = new CoordinatorWorld();
  const { name } = await w.submit(1);
  await w.coordinator.cancel(name);
  await settled();
  expect(w.retained).toEqual([`${name}: `]);
});
