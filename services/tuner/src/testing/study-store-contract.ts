import { create } from '@bufbuild/protobuf';
import { StudySpecSchema } from '@lockstep/contract';
import {
  completeTrial, enqueueValues, expireLeases, floatParameter, importTrials, newStudy, NO_FINDINGS, offerTrials, takeMeasurement, takeSuggestion, WHOLE,
  type Move, type StudyChange, type TrackedStudy,
} from '@lockstep/search';
import type { Lease } from '@lockstep/storage';
import type { SqlStudyStore } from '../store/sql-study-store';
import type { StudyStore, StudyWrite } from '../store/study-store';
import { studyEvents } from '../study/study-events';

const NAME = 'studies/a';
const SPACE = [floatParameter('x', { min: 0, max: 1 }), floatParameter('__proto__/ü', { min: 0, max: 1 })];
const spec = create(StudySpecSchema, { seed: 7n, algorithm: { case: 'randomSearch', value: {} } });
const study = (name = NAME): TrackedStudy => newStudy(name, { kind: 'KNOWN', space: SPACE }, [{ metric: 'loss', direction: 'MIN' }], {
  limits: { maxTrials: 9, maxConsecutiveFailures: 3 }, maxParallelTrials: undefined, retry: { maxRetries: 1, maxLosses: 5 }, leaseMs: 1000,
}, 5);
const writeOf = (now: TrackedStudy, changes: readonly StudyChange[], nowMs = 10): StudyWrite => ({ study: now, spec, changes, requests: [], events: studyEvents({ study: now, spec }, changes), nowMs });
const suggestion = (x: number) => ({ kind: 'TRIAL', values: new Map([['x', x], ['__proto__/ü', -0]]), fidelity: WHOLE, memo: { seedState: x }, origin: 'ALGORITHM' } as const);
const measurement = (epoch: number, value: number) => ({ epoch, execution: 0, metrics: new Map([['loss', value]]) });

/** What every study store must do; runs as tests of the file that calls it. */
export function studyStoreContract(kind: string, open: () => Promise<StudyStore>): void {
  describe(`a study store ${kind}`, () => {
    let store: StudyStore;
    let now: TrackedStudy;
    beforeEach(async () => {
      store = await open();
      now = study();
    });
    afterEach(() => store.close());

    const insert = (name = NAME, id?: string, digest = 'd'): Promise<boolean> => store.insert({ ...writeOf(study(name), [{ kind: 'STUDY', told: true }]), events: [] }, { id, digest });
    const make = async <T>(move: (study: TrackedStudy) => Move<T>, nowMs = 10): Promise<T> => {
      const { study: next, changes, result } = move(now);
      await store.write(writeOf(next, changes, nowMs));
      now = next;
      return result;
    };
    const eventsOf = async (name: string, count: number, after = 0n): Promise<readonly (string | undefined)[]> => {
      const stop = new AbortController();
      const seen: (string | undefined)[] = [];
      for await (const { event } of store.watchEvents(name, after, stop.signal)) if (seen.push(event.case) === count) stop.abort();
      return seen;
    };

    test('gives back what was stored: pending trials with the measurements of their try, odd numbers and names too', async () => {
      await insert();
      await make((s) => takeSuggestion(s, suggestion(0.25), 'c/ü', 10));
      await make((s) => takeMeasurement(s, 0, 'c/ü', measurement(1, NaN), 10));
      await make((s) => takeMeasurement(s, 0, 'c/ü', measurement(2, -Infinity), 10));
      const found = await store.get(NAME, 77);
      const trial = found?.study.pending.get(0);
      expect([...(trial?.values ?? [])]).toEqual([['x', 0.25], ['__proto__/ü', -0]]);
      expect(trial?.measurements).toEqual([measurement(1, NaN), measurement(2, -Infinity)]);
      expect(trial?.state).toEqual({ kind: 'RUNNING', holder: 'c/ü', heardMs: 77 });
      expect(found?.study).toEqual({ ...now, pending: new Map([[0, { ...now.pending.get(0), state: { kind: 'RUNNING', holder: 'c/ü', heardMs: 77 } }]]) });
      expect(found?.spec.seed).toBe(7n);
      expect(await store.get('studies/b', 0)).toBeUndefined();
    });

    test('a new try begins without measurements; those before are not its own', async () => {
      await insert();
      await make((s) => takeSuggestion(s, suggestion(0.5), 'a', 10));
      await make((s) => takeMeasurement(s, 0, 'a', measurement(1, 1), 10));
      await make((s) => expireLeases(s, 5000));
      await make((s) => offerTrials(s, 'b', 1, 5000));
      expect((await store.getTrial(NAME, 0))?.trial).toMatchObject({ attempts: 2, measurements: [], state: { holder: 'b' } });
      await make((s) => takeMeasurement(s, 0, 'b', measurement(1, 2), 5000));
      expect((await store.getTrial(NAME, 0))?.trial.measurements).toEqual([measurement(1, 2)]);
    });

    test('lists ended trials with their times, and the best first', async () => {
      await insert();
      for (const [i, loss] of [3, 1, 2].entries()) {
        await make((s) => takeSuggestion(s, suggestion(i / 10), 'a', 10), 100 + i);
        await make((s) => completeTrial(s, i, 'a', { kind: 'SUCCESS', metrics: new Map([['loss', loss]]) }, NO_FINDINGS, 10), 200 + i);
      }
      await make((s) => takeSuggestion(s, suggestion(0.9), 'a', 10));
      await make((s) => completeTrial(s, 3, 'a', { kind: 'INFEASIBLE', reason: 'no' }, NO_FINDINGS, 10));
      expect((await store.bestTrials(NAME, 2)).map(({ trial }) => trial.number)).toEqual([1, 2]);
      const all = await store.listTrials(NAME, { from: 1, limit: 2, measurements: false });
      expect(all.map(({ trial, createMs, endMs }) => [trial.number, createMs, endMs])).toEqual([[1, 101, 201], [2, 102, 202]]);
      expect((await store.get(NAME, 0))?.study).toMatchObject({ pending: new Map(), ended: { succeeded: 3, infeasible: 1 } });
      expect(await store.getTrial(NAME, 9)).toBeUndefined();
    });

    test('names and request ids are unique', async () => {
      expect(await insert(NAME, 'r', 'd1')).toBe(true);
      expect(await insert(NAME, 'other')).toBe(false);
      expect(await insert('studies/b', 'r', 'd2')).toBe(false);
      expect(await insert('studies/c')).toBe(true);
      expect(await insert('studies/d')).toBe(true);
      expect(await store.findByRequestId('r')).toEqual({ name: NAME, digest: 'd1' });
      expect(await store.findByRequestId('other')).toBeUndefined();
      expect((await store.list({ limit: 9 })).map((row) => row.study.name)).toEqual(['studies/d', 'studies/c', NAME]);
    });

    test('lists newest first, by pages, with who is pending', async () => {
      for (const name of ['studies/1', 'studies/2', 'studies/3']) await insert(name);
      now = study('studies/2');
      await make((s) => takeSuggestion(s, suggestion(0), 'a', 10));
      const page = await store.list({ limit: 2 });
      expect(page.map((row) => [row.study.name, row.study.pending.size])).toEqual([['studies/3', 0], ['studies/2', 1]]);
      expect((await store.list({ limit: 2, before: page[1]?.order ?? 0 })).map((row) => row.study.name)).toEqual(['studies/1']);
      expect(await store.held()).toEqual(['studies/2']);
    });

    test('keeps events in order, wakes a watcher, and remembers requests', async () => {
      await insert();
      await make((s) => enqueueValues(s, new Map([['x', 0.5]])));
      await make((s) => takeSuggestion(s, suggestion(0), 'a', 10));
      const watched = eventsOf(NAME, 3);
      await make((s) => takeMeasurement(s, 0, 'a', measurement(1, 1), 10));
      expect(await watched).toEqual(['trialEnqueued', 'trialChanged', 'trialMeasured']);
      await store.write({ ...writeOf(now, []), requests: [{ id: 'q', digest: 'd', answer: '3' }] });
      expect(await store.findRequest(NAME, 'q')).toEqual({ id: 'q', digest: 'd', answer: '3' });
      expect(await store.findRequest('studies/b', 'q')).toBeUndefined();
    });

    test('a move that cannot be stored leaves nothing of itself, and takes no other with it', async () => {
      await insert();
      const { study: next, changes } = takeSuggestion(now, suggestion(0), 'a', 10);
      const good = store.write(writeOf(next, changes));
      const gone = store.write({ ...writeOf(study('studies/gone'), [{ kind: 'STUDY', told: true }]) });
      await expect(gone).rejects.toMatchObject({ reason: 'STUDY_DELETED' });
      await good;
      expect((await store.get(NAME, 0))?.study.pending.size).toBe(1);
      await insert('studies/gone');
      now = study('studies/gone');
      await make((s) => enqueueValues(s, new Map([['x', 0.5]])));
      expect(await eventsOf('studies/gone', 1)).toEqual(['trialEnqueued']);
    });

    test('many moves at once are all stored', async () => {
      const names = Array.from({ length: 150 }, (_, i) => `studies/n${i}`);
      for (const name of names) await insert(name);
      await Promise.all(names.map((name) => {
        const { study: next, changes } = takeSuggestion(study(name), suggestion(0.5), 'a', 10);
        return store.write(writeOf(next, changes));
      }));
      expect((await store.held()).length).toBe(150);
    });

    test('imported trials are there at once, thousands of them', async () => {
      await insert();
      await make((s) => importTrials(s, { trials: Array.from({ length: 1200 }, (_, i) => ({ values: new Map([['x', i / 1200]]), scores: [i], source: String(i) })), parameters: [], field: '' }, []));
      expect((await store.bestTrials(NAME, 3)).map(({ trial }) => trial.number)).toEqual([0, 1, 2]);
      expect((await store.listTrials(NAME, { from: 1195, limit: 100, measurements: true })).length).toBe(5);
    });

    test('a deleted study is gone with everything of it but one event; its name is free', async () => {
      await insert();
      await make((s) => takeSuggestion(s, suggestion(0), 'a', 10));
      await make((s) => takeMeasurement(s, 0, 'a', measurement(1, 1), 10));
      const deleted = { case: 'deleted', value: { $typeName: 'lockstep.tuner.v1.StudyDeleted' } } as const;
      expect(await store.delete(NAME, deleted, 20)).toBe(true);
      expect(await store.delete(NAME, deleted, 20)).toBe(false);
      expect(await store.get(NAME, 0)).toBeUndefined();
      expect(await store.listTrials(NAME, { from: 0, limit: 9, measurements: true })).toEqual([]);
      expect(await eventsOf(NAME, 1)).toEqual(['deleted']);
      expect(await insert()).toBe(true);
      expect(await store.getTrial(NAME, 0)).toBeUndefined();
    });

    test('a study that has the name of a deleted one is told from its own first event on', async () => {
      const deleted = { case: 'deleted', value: { $typeName: 'lockstep.tuner.v1.StudyDeleted' } } as const;
      await insert();
      expect(await store.lastDeletion(NAME)).toBeUndefined();
      await make((s) => enqueueValues(s, new Map([['x', 0.25]])));
      expect(await store.lastDeletion(NAME)).toBeUndefined();
      await store.delete(NAME, deleted, 20);
      const first = await store.lastDeletion(NAME) ?? 0n;
      expect(first > 0n).toBe(true);
      await insert();
      now = study();
      await make((s) => takeSuggestion(s, suggestion(0), 'a', 10));
      expect(await store.lastDeletion(NAME)).toBe(first);
      expect(await eventsOf(NAME, 1, first)).toEqual(['trialChanged']);
      // Who has followed the former one up to here learns of its end.
      expect(await eventsOf(NAME, 2, first - 1n)).toEqual(['deleted', 'trialChanged']);
      await store.delete(NAME, deleted, 30);
      expect((await store.lastDeletion(NAME) ?? 0n) > first).toBe(true);
    });
  });
}

/** What a store on disk must do beside: survive its process, and obey one tuner. */
export function durableStudyStoreContract(kind: string, make: () => Promise<() => Promise<SqlStudyStore>>): void {
  describe(`a durable study store ${kind}`, () => {
    test('has after opening again what it had', async () => {
      const open = await make();
      const before = await open();
      const { study: next, changes } = takeSuggestion(study(), suggestion(0.5), 'a', 10);
      await before.insert({ ...writeOf(study(), [{ kind: 'STUDY', told: true }]), events: [] }, { id: 'r', digest: 'd' });
      await before.write(writeOf(next, changes));
      await before.close();
      const after = await open();
      expect((await after.get(NAME, 10))?.study).toEqual(next);
      expect(await after.findByRequestId('r')).toEqual({ name: NAME, digest: 'd' });
      await after.close();
    });

    test('a tuner whose lease another has taken writes nothing more', async () => {
      const open = await make();
      const store = await open();
      const lease = await acquire(store, 'first');
      const mine = store.underLease(lease);
      expect(await mine.insert({ ...writeOf(study(), [{ kind: 'STUDY', told: true }]), events: [] }, { id: undefined, digest: 'd' })).toBe(true);
      await store.leases.release(lease);
      await acquire(store, 'second');
      const { study: next, changes } = takeSuggestion(study(), suggestion(0), 'a', 10);
      await expect(mine.write(writeOf(next, changes))).rejects.toMatchObject({ failure: 'LEASE_LOST' });
      expect((await store.get(NAME, 0))?.study.pending.size).toBe(0);
      await store.close();
    });
  });
}

async function acquire(store: SqlStudyStore, holder: string): Promise<Lease> {
  const answer = await store.leases.acquire('tuner', holder, 60_000);
  if (answer.kind !== 'ACQUIRED') throw new Error('the lease is taken');
  return answer.lease;
}
