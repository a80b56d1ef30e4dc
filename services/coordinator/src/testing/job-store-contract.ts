import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JobState, JobStateChangedSchema, ShardTableSchema, TrainJobSchema } from '@lockstep/contract';
import type { Lease } from '@lockstep/storage';
import type { JobRecord, NewEvent } from '../job-record';
import type { Checkpoint, JobChange, JobStore } from '../job-store';
import type { SqlJobStore } from '../sql-job-store';

const record = (name: string, requestId = ''): JobRecord => ({
  job: create(TrainJobSchema, { name, state: JobState.QUEUED, spec: { seed: 5n, replicas: 3 } }), requestId, token: new Uint8Array([1, 2, 3]),
  shardTables: [create(ShardTableSchema, { split: 'train', shards: [{ version: 'v', path: 'p', firstRecord: 0n, recordCount: 9n }] })],
});
const changed = (state: JobState): NewEvent => ({ case: 'stateChanged', value: create(JobStateChangedSchema, { state }) });
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const checkpoint = (step: number, change: Partial<Checkpoint> = {}): Checkpoint =>
  ({ step, position: bytes(`at ${step}`), version: `artifacts/c/versions/${step}`, stateDigest: `s${step}`, generation: 1, ...change });
const A = 'jobs/a';
const jobA = record(A).job;

/** What every job store must do; runs as tests of the file that calls it. */
export function jobStoreContract(kind: string, open: () => Promise<JobStore>): void {
  describe(`a job store ${kind}`, () => {
    let store: JobStore;
    beforeEach(async () => { store = await open(); });
    afterEach(() => store.close());
    const tell = (change: JobChange, events: readonly NewEvent[] = []): Promise<void> => store.update(jobA, events, 1, change);
    const eventCount = async (): Promise<number> => (await store.readEvents(A, 0n, 100)).length;

    test('gives back what was stored, whole', async () => {
      await store.insert({ ...record(A, 'r'), machine: bytes('m') }, [changed(JobState.QUEUED)], 10);
      const found = await store.get(A);
      expect(found?.job.spec).toMatchObject({ seed: 5n, replicas: 3 });
      expect([...(found?.token ?? [])]).toEqual([1, 2, 3]);
      expect(found?.shardTables[0]?.shards[0]).toMatchObject({ path: 'p', recordCount: 9n });
      expect(found?.machine).toEqual(bytes('m'));
      expect((await store.findByRequestId('r'))?.job.name).toBe(A);
      expect(await store.get('jobs/b')).toBeUndefined();
      expect(await store.findByRequestId('x')).toBeUndefined();
    });

    test('stores decisions about several jobs together, or none of them', async () => {
      for (const name of [A, 'jobs/b']) await store.insert(record(name), [], 1);
      const about = (name: string, call: string) => ({ job: { ...record(name).job, committedSteps: 7n }, events: [changed(JobState.RUNNING)], change: { calls: [{ number: 0, record: bytes(call) }] } });
      await store.updateAll([about(A, 'c'), about('jobs/b', 'c')], 2);
      await expect(store.updateAll([{ ...about(A, 'c'), job: { ...jobA, committedSteps: 9n } }, about('jobs/b', 'other')], 3)).rejects.toMatchObject({ reason: 'CALL_DIVERGED' });
      await expect(store.updateAll([about(A, 'c'), about('jobs/never', 'c')], 3)).rejects.toMatchObject({ reason: 'NO_SUCH_JOB' });
      for (const name of [A, 'jobs/b']) expect([(await store.get(name))?.job.committedSteps, (await store.readEvents(name, 0n, 10)).length]).toEqual([7n, 1]);
    });

    test('deletes what ended before a time, oldest first, with all that is stored of it', async () => {
      const ends = [[A, 300], ['jobs/b', 100], ['jobs/c', 200], ['jobs/d', undefined]] as const;
      for (const [name, endMs] of ends) {
        await store.insert(record(name), [changed(JobState.QUEUED)], 1);
        const job = { ...record(name).job, state: endMs === undefined ? JobState.RUNNING : JobState.FAILED, ...(endMs !== undefined && { endTime: timestampFromMs(endMs) }) };
        await store.update(job, [changed(job.state)], 2, { calls: [{ number: 0, record: bytes('c') }], checkpoints: [checkpoint(1)] });
      }
      expect(await store.deleteEnded(300, 1)).toEqual(['jobs/b']);
      expect(await store.deleteEnded(300, 10)).toEqual(['jobs/c']);
      expect(await store.deleteEnded(300, 10)).toEqual([]);
      for (const name of ['jobs/b', 'jobs/c']) expect([await store.get(name), await store.listCalls(name), await store.listCheckpoints(name), await store.readEvents(name, 0n, 10)]).toEqual([undefined, [], [], []]);
      for (const name of [A, 'jobs/d']) expect([(await store.get(name))?.job.name, (await store.listCalls(name)).length, (await store.readEvents(name, 0n, 10)).length]).toEqual([name, 1, 2]);
      // Numbers are not used again: who watches goes on after the last that it has seen.
      const [last] = (await store.readEvents('jobs/d', 0n, 10)).slice(-1);
      await store.update(record('jobs/d').job, [changed(JobState.QUEUED)], 3);
      expect(await store.readEvents('jobs/d', last?.sequence ?? 0n, 10)).toHaveLength(1);
    });

    test('stores a request id once, and jobs without one side by side', async () => {
      await store.insert(record(A, 'r'), [], 0);
      await expect(store.insert(record('jobs/b', 'r'), [changed(JobState.QUEUED)], 0)).rejects.toThrow();
      expect(await store.get('jobs/b')).toBeUndefined();
      expect(await store.readEvents('jobs/b', 0n, 9)).toEqual([]);
      await expect(store.insert(record(A), [], 0)).rejects.toThrow();
      await store.insert(record('jobs/c'), [], 0);
      await store.insert(record('jobs/d'), [], 0);
      expect((await store.findByRequestId('r'))?.job.name).toBe(A);
    });

    test('keeps events in order, by job, and reads on after a sequence number', async () => {
      await store.insert(record(A), [changed(JobState.QUEUED)], 10);
      await store.insert(record('jobs/b'), [changed(JobState.QUEUED)], 11);
      await store.update({ ...jobA, state: JobState.RUNNING }, [changed(JobState.RENDEZVOUS), changed(JobState.RUNNING)], 12);
      const all = await store.readEvents(A, 0n, 10);
      expect(all.map((e) => e.event.case === 'stateChanged' && e.event.value.state)).toEqual([JobState.QUEUED, JobState.RENDEZVOUS, JobState.RUNNING]);
      expect(all.map((e) => Number(e.time?.nanos))).toEqual([10e6, 12e6, 12e6]);
      expect(all.every((e, i) => i === 0 || e.sequence > (all[i - 1]?.sequence ?? 0n))).toBe(true);
      expect(await store.readEvents(A, all[0]?.sequence ?? 0n, 1)).toEqual([all[1]]);
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
      await store.insert(record(A), [changed(JobState.QUEUED)], 0);
      const leave = new AbortController();
      const events = store.watchEvents(A, 0n, leave.signal)[Symbol.asyncIterator]();
      expect((await events.next()).value).toMatchObject({ job: A });
      const next = events.next();
      await store.update({ ...jobA, state: JobState.RUNNING }, [changed(JobState.RUNNING)], 1);
      expect((await next).value).toMatchObject({ event: { case: 'stateChanged', value: { state: JobState.RUNNING } } });
      const last = events.next();
      leave.abort();
      expect((await last).done).toBe(true);
    });

    test('never gives the same generation twice, whoever asks at once', async () => {
      const one = await store.nextGeneration();
      const many = await Promise.all(Array.from({ length: 10 }, () => store.nextGeneration()));
      expect(new Set([one, ...many]).size).toBe(11);
      expect(Math.min(...many)).toBeGreaterThan(one);
      expect(await store.nextGeneration()).toBeGreaterThan(Math.max(...many));
    });

    test('refuses to update what it does not have', async () => {
      await expect(store.update(record('jobs/none').job, [changed(JobState.RUNNING)], 0, { calls: [{ number: 0, record: bytes('r') }] }))
        .rejects.toMatchObject({ reason: 'NO_SUCH_JOB', message: 'jobs/none was never stored' });
      expect(await store.readEvents('jobs/none', 0n, 9)).toEqual([]);
      expect(await store.listCalls('jobs/none')).toEqual([]);
    });

    test('keeps the machine until another comes, an empty one too', async () => {
      await store.insert(record(A), [], 0);
      expect((await store.get(A))?.machine).toBeUndefined();
      await tell({ machine: bytes('one') });
      await tell({});
      expect((await store.get(A))?.machine).toEqual(bytes('one'));
      await tell({ machine: new Uint8Array() });
      expect((await store.unfinished())[0]?.machine).toEqual(new Uint8Array());
    });

    test('stores a finished call once, in order of its number', async () => {
      await store.insert(record(A), [], 0);
      await store.insert(record('jobs/b'), [], 0);
      await tell({ calls: [{ number: 2, record: bytes('two') }, { number: 0, record: bytes('zero') }] });
      await tell({ calls: [{ number: 0, record: bytes('zero') }, { number: 1, record: new Uint8Array() }] });
      await store.update(record('jobs/b').job, [], 1, { calls: [{ number: 0, record: bytes('of b') }] });
      expect(await store.listCalls(A)).toEqual([{ number: 0, record: bytes('zero') }, { number: 1, record: new Uint8Array() }, { number: 2, record: bytes('two') }]);
      expect(await store.listCalls('jobs/b')).toEqual([{ number: 0, record: bytes('of b') }]);
    });

    test('refuses a call that ended with other bytes, and all that came with it', async () => {
      await store.insert(record(A), [], 0);
      await tell({ calls: [{ number: 0, record: bytes('zero') }], machine: bytes('before') });
      const error = store.update({ ...jobA, state: JobState.FAILED }, [changed(JobState.FAILED)], 1, {
        machine: bytes('after'), checkpoints: [checkpoint(1)], calls: [{ number: 1, record: bytes('one') }, { number: 0, record: bytes('Zero') }],
      });
      await expect(error).rejects.toMatchObject({ reason: 'CALL_DIVERGED', message: expect.stringMatching(/call 0 of jobs\/a.*7a65726f.*5a65726f/) as string });
      expect((await store.get(A))?.machine).toEqual(bytes('before'));
      expect((await store.get(A))?.job.state).toBe(JobState.QUEUED);
      expect((await store.listCalls(A)).map((c) => c.number)).toEqual([0]);
      expect(await store.listCheckpoints(A)).toEqual([]);
      expect(await eventCount()).toBe(0);
    });

    test('lists checkpoints newest first, adds one once, drops those that are gone', async () => {
      await store.insert(record(A), [], 0);
      const again = checkpoint(20, { version: 'artifacts/c/versions/21', generation: 2 });
      await tell({ checkpoints: [checkpoint(10), checkpoint(30), checkpoint(20)] });
      await tell({ checkpoints: [checkpoint(30), again] });
      expect(await store.listCheckpoints(A)).toEqual([checkpoint(30), again, checkpoint(20), checkpoint(10)]);
      await tell({ droppedCheckpoints: [checkpoint(30).version, 'artifacts/c/versions/unknown'], checkpoints: [checkpoint(40)] });
      await tell({ droppedCheckpoints: [checkpoint(30).version] });
      expect((await store.listCheckpoints(A)).map((c) => c.step)).toEqual([40, 20, 20, 10]);
      expect(await store.listCheckpoints('jobs/b')).toEqual([]);
    });

    test('knows which jobs succeeded and still have checkpoints', async () => {
      for (const [i, state] of [JobState.RUNNING, JobState.FAILED, JobState.SUCCEEDED, JobState.SUCCEEDED].entries()) {
        const name = `jobs/with-${i}`;
        await store.insert(record(name), [], 0);
        await store.update({ ...record(name).job, state }, [], 0, i === 3 ? {} : { checkpoints: [checkpoint(10), checkpoint(20)] });
      }
      expect((await store.succeededWithCheckpoints()).map((job) => [job.name, job.state])).toEqual([['jobs/with-2', JobState.SUCCEEDED]]);
      await store.update({ ...record('jobs/with-2').job, state: JobState.SUCCEEDED }, [], 0, { droppedCheckpoints: [10, 20].map((step) => checkpoint(step).version) });
      expect(await store.succeededWithCheckpoints()).toEqual([]);
    });

    test.each<[string, Partial<Checkpoint>]>([['step', { step: 11 }], ['position', { position: bytes('elsewhere') }], ['digest', { stateDigest: 'other' }], ['generation', { generation: 2 }]])(
      'refuses a checkpoint\'s version with another %s', async (_what, change) => {
        await store.insert(record(A), [], 0);
        await tell({ checkpoints: [checkpoint(10)] });
        await expect(tell({ checkpoints: [checkpoint(10, { ...change, version: checkpoint(10).version })] })).rejects.toMatchObject({ reason: 'CHECKPOINT_DIVERGED', message: expect.stringContaining('artifacts/c/versions/10') as string });
        expect(await store.listCheckpoints(A)).toEqual([checkpoint(10)]);
      });
  });
}

/** What a job store that survives its process must do. @param make gives something that opens the same store again and again */
export function durableJobStoreContract(kind: string, make: () => Promise<() => Promise<SqlJobStore>>): void {
  test(`a job store ${kind} under a lease that is another's now refuses every change whole`, async () => {
    const store = await (await make())();
    const acquire = async (holder: string): Promise<Lease> => {
      const answer = await store.leases.acquire('leader', holder, 600_000);
      if (answer.kind !== 'ACQUIRED') throw new Error(`${holder} did not get the lease`);
      return answer.lease;
    };
    try {
      const old = await acquire('first');
      const fenced = store.underLease(old);
      await fenced.insert(record(A), [changed(JobState.QUEUED)], 1);
      await store.leases.release(old);
      const current = store.underLease(await acquire('second'));
      const lost = { failure: 'LEASE_LOST', facts: { holder: 'first', epoch: '1', currentEpoch: '2' } };
      await expect(fenced.update({ ...jobA, state: JobState.FAILED }, [changed(JobState.FAILED)], 2, { machine: bytes('m'), calls: [{ number: 0, record: bytes('r') }] })).rejects.toMatchObject(lost);
      await expect(fenced.insert(record('jobs/b'), [], 2)).rejects.toMatchObject(lost);
      await expect(fenced.nextGeneration()).rejects.toMatchObject(lost);
      expect((await fenced.get(A))?.job.state).toBe(JobState.QUEUED);
      expect([await store.listCalls(A), await store.get('jobs/b'), (await store.readEvents(A, 0n, 9)).length]).toEqual([[], undefined, 1]);
      await current.update({ ...jobA, state: JobState.RUNNING }, [changed(JobState.RUNNING)], 3);
      expect((await current.get(A))?.job.state).toBe(JobState.RUNNING);
    } finally {
      await store.close();
    }
  });

  test(`a job store ${kind} keeps all of a job, and its generations, across processes`, async () => {
    const open = await make();
    const first = await open();
    await first.insert(record(A, 'r'), [changed(JobState.QUEUED)], 1);
    await first.update(jobA, [changed(JobState.RUNNING)], 2, { machine: bytes('m'), calls: [{ number: 0, record: bytes('zero') }], checkpoints: [checkpoint(3)] });
    const generation = await first.nextGeneration();
    await first.close();
    const second = await open();
    try {
      expect((await second.unfinished()).map((r) => [r.job.name, r.machine])).toEqual([[A, bytes('m')]]);
      expect(await second.listCalls(A)).toEqual([{ number: 0, record: bytes('zero') }]);
      expect(await second.listCheckpoints(A)).toEqual([checkpoint(3)]);
      expect(await second.readEvents(A, 0n, 9)).toHaveLength(2);
      expect(await second.nextGeneration()).toBeGreaterThan(generation);
    } finally {
      await second.close();
    }
  });
}
