/** One contract for every JobStore. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { JobState, JobStateChangedSchema, ShardTableSchema, TrainJobSchema } from '@lockstep/contract';
import type { JobRecord, NewEvent } from './job-record';
import type { JobStore } from './job-store';
import { SqliteJobStore } from './sqlite-job-store';
import { MemoryJobStore } from './testing/memory-job-store';

const record = (name: string, requestId = ''): JobRecord => ({
  job: create(TrainJobSchema, { name, state: JobState.QUEUED, spec: { seed: 5n, replicas: 3 } }), requestId, token: new Uint8Array([1, 2, 3]),
  shardTables: [create(ShardTableSchema, { split: 'train', shards: [{ version: 'v', path: 'p', firstRecord: 0n, recordCount: 9n }] })],
});
const changed = (state: JobState): NewEvent => ({ case: 'stateChanged', value: create(JobStateChangedSchema, { state }) });

const folders: string[] = [];
afterAll(() => folders.forEach((f) => rmSync(f, { recursive: true })));
const folder = (): string => {
  folders.push(mkdtempSync(join(tmpdir(), 'job-store-')));
  return folders.at(-1) ?? '';
};

describe.each<[string, () => Promise<JobStore>]>([
  ['in memory', () => Promise.resolve(new MemoryJobStore())],
  ['in SQLite', () => SqliteJobStore.open(folder(), '0')],
])('a job store %s', (_name, open) => {
  let store: JobStore;
  beforeEach(async () => { store = await open(); });
  afterEach(() => store.close());

  test('gives back what was stored, whole', async () => {
    await store.insert(record('jobs/a', 'r'), [changed(JobState.QUEUED)], 10);
    const found = await store.get('jobs/a');
    expect(found?.job.spec).toMatchObject({ seed: 5n, replicas: 3 });
    expect([...(found?.token ?? [])]).toEqual([1, 2, 3]);
    expect(found?.shardTables[0]?.shards[0]).toMatchObject({ path: 'p', recordCount: 9n });
    expect((await store.findByRequestId('r'))?.job.name).toBe('jobs/a');
    expect(await store.get('jobs/b')).toBeUndefined();
    expect(await store.findByRequestId('x')).toBeUndefined();
  });

  test('keeps events in order, by job, and reads on after a sequence number', async () => {
    await store.insert(record('jobs/a'), [changed(JobState.QUEUED)], 10);
    await store.insert(record('jobs/b'), [changed(JobState.QUEUED)], 11);
    await store.update({ ...record('jobs/a').job, state: JobState.RUNNING }, [changed(JobState.RENDEZVOUS), changed(JobState.RUNNING)], 12);
    const all = await store.readEvents('jobs/a', 0n, 10);
    expect(all.map((e) => e.event.case === 'stateChanged' && e.event.value.state)).toEqual([JobState.QUEUED, JobState.RENDEZVOUS, JobState.RUNNING]);
    expect(all.every((e, i) => i === 0 || e.sequence > (all[i - 1]?.sequence ?? 0n))).toBe(true);
    expect(await store.readEvents('jobs/a', all[0]?.sequence ?? 0n, 1)).toEqual([all[1]]);
  });

  test('lists newest first, by pages and states', async () => {
    for (const name of ['jobs/1', 'jobs/2', 'jobs/3']) await store.insert(record(name), [], 0);
    await store.update({ ...record('jobs/2').job, state: JobState.FAILED }, [], 1);
    const first = await store.list({ limit: 2, states: [] });
    expect(first.map((r) => r.job.name)).toEqual(['jobs/3', 'jobs/2']);
    expect((await store.list({ limit: 2, before: first[1]?.order ?? 0, states: [] })).map((r) => r.job.name)).toEqual(['jobs/1']);
    expect((await store.list({ limit: 9, states: [JobState.FAILED] })).map((r) => r.job.name)).toEqual(['jobs/2']);
    expect((await store.unfinished()).map((r) => r.job.name)).toEqual(['jobs/1', 'jobs/3']);
  });

  test('wakes a watcher, and lets it go', async () => {
    await store.insert(record('jobs/a'), [changed(JobState.QUEUED)], 0);
    const leave = new AbortController();
    const events = store.watchEvents('jobs/a', 0n, leave.signal)[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ job: 'jobs/a' });
    const next = events.next();
    await store.update({ ...record('jobs/a').job, state: JobState.RUNNING }, [changed(JobState.RUNNING)], 1);
    expect((await next).value).toMatchObject({ event: { case: 'stateChanged', value: { state: JobState.RUNNING } } });
    const last = events.next();
    leave.abort();
    expect((await last).done).toBe(true);
  });

  test('never gives the same generation twice', async () => {
    const numbers = [await store.nextGeneration(), await store.nextGeneration(), await store.nextGeneration()];
    expect(new Set(numbers).size).toBe(3);
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
  });

  test('refuses to update what it does not have', async () => {
    await expect(store.update(record('jobs/none').job, [], 0)).rejects.toThrow('jobs/none was never stored');
  });
});

test('a folder keeps its jobs and its generations across processes', async () => {
  const where = folder();
  const first = await SqliteJobStore.open(where, '0');
  await first.insert(record('jobs/a'), [changed(JobState.QUEUED)], 1);
  const generation = await first.nextGeneration();
  await first.close();
  const second = await SqliteJobStore.open(where, '0');
  expect((await second.unfinished()).map((r) => r.job.name)).toEqual(['jobs/a']);
  expect(await second.nextGeneration()).toBeGreaterThan(generation);
  await second.close();
});
