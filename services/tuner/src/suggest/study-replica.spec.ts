import { floatParameter, type TrialRecord, type Values } from '@lockstep/search';
import { createLogger } from '@lockstep/rpc';
import { StudyReplica, type ReplicaSetup, type Suggestions } from './study-replica';
import { SuggestionThreads } from './suggestion-threads';

const SETUP: ReplicaSetup = {
  algorithm: { kind: 'RANDOM_SEARCH' }, stopper: { kind: 'MEDIAN', options: { minTrials: 1, minEpochs: 1 } }, space: [floatParameter('x', { min: 0, max: 1 })],
  objectives: [{ metric: 'loss', direction: 'MIN' }], seed: 42,
};
const recordOf = (number: number, { values, fidelity, memo }: Suggestions['trials'][number], change: Partial<TrialRecord> = {}): TrialRecord =>
  ({ number, values, fidelity, memo, state: { kind: 'RUNNING' }, measurements: [], ...change });
const valuesOf = ({ trials }: Suggestions): readonly Values[] => trials.map(({ values }) => values);

describe('a replica', () => {
  test('suggests the same, one by one or many at once, with or without a restart in between', () => {
    const many = valuesOf(new StudyReplica(SETUP, () => 0).suggest(4));
    const replica = new StudyReplica(SETUP, () => 0);
    const records: TrialRecord[] = [];
    const one: Values[] = [];
    for (let number = 0; number < 4; number++) {
      // Asked twice: what was not taken up is suggested again.
      replica.suggest(1);
      const [next] = replica.suggest(1).trials;
      if (!next) throw new Error('nothing was suggested');
      one.push(next.values);
      records.push(recordOf(number, next));
      replica.put(records.slice(-1));
    }
    expect(one).toEqual(many);
    const restarted = new StudyReplica(SETUP, () => 0);
    restarted.put(records.slice(0, 3));
    expect(valuesOf(restarted.suggest(1))).toEqual(many.slice(3));
  });

  test('a round ends with its time, and gives what there is', () => {
    let nowMs = 0;
    const replica = new StudyReplica(SETUP, () => nowMs += 100);
    expect(replica.suggest(50)).toMatchObject({ trials: [{}, {}], end: undefined });
  });

  test('enqueued values come first, each once', () => {
    const replica = new StudyReplica(SETUP, () => 0);
    replica.enqueue([new Map([['x', 0.25]]), new Map([['x', 0.75]])]);
    expect(replica.suggest(3).trials.map(({ origin, values }) => [origin, values.get('x') === 0.25 || values.get('x') === 0.75])).toEqual([['ENQUEUED', true], ['ENQUEUED', true], ['ALGORITHM', false]]);
  });

  test('stops a trial that is behind', () => {
    const replica = new StudyReplica(SETUP, () => 0);
    const [a, b] = replica.suggest(2).trials;
    if (!a || !b) throw new Error('nothing was suggested');
    const measurement = (epoch: number, value: number) => ({ epoch, metrics: new Map([['loss', value]]) });
    replica.put([recordOf(0, a, { state: { kind: 'SUCCEEDED', scores: [1] }, measurements: [measurement(1, 1)] }), recordOf(1, b)]);
    expect(replica.checkStop(1).kind).toBe('GO_ON');
    replica.measured(1, measurement(1, 2));
    expect(replica.checkStop(1)).toMatchObject({ kind: 'STOP' });
    expect(replica.checkStop(9).kind).toBe('GO_ON');
  });
});

describe('suggestion threads', () => {
  test('answer as the replica does, study by study; what cannot be is said', async () => {
    const threads = new SuggestionThreads(2, createLogger('threads-test', 'silent'));
    try {
      const [a, b] = [threads.open(), threads.open()];
      expect(a).not.toBe(b);
      for (const [place, seed] of [[a, 42], [b, 43]] as const) place.post({ kind: 'OPEN', study: `studies/${seed}`, setup: { ...SETUP, seed } });
      const answers = await Promise.all([a.suggest('studies/42', 2), b.suggest('studies/43', 2)]);
      expect(valuesOf(answers[0]).map((v) => [...v])).toEqual(valuesOf(new StudyReplica(SETUP, () => 0).suggest(2)).map((v) => [...v]));
      expect(valuesOf(answers[1]).map((v) => [...v])).not.toEqual(valuesOf(answers[0]).map((v) => [...v]));
      await expect(a.suggest('studies/nobody', 1)).rejects.toThrow(/studies\/nobody is not open on this thread/);
      b.post({ kind: 'OPEN', study: 'studies/odd', setup: { ...SETUP, algorithm: { kind: 'HYPERBAND', sampler: 'RANDOM', options: { maxEpochs: 0, factor: 3, iterations: 1, earlierSweeps: [] } } } });
      await expect(b.suggest('studies/odd', 1)).rejects.toThrow(/0 epochs/);
      b.close('studies/43');
      await expect(b.suggest('studies/43', 1)).rejects.toThrow(/not open/);
    } finally {
      await threads.close();
    }
  });

  test('a thread that ends fails what it was asked, and another takes its place', async () => {
    const threads = new SuggestionThreads(1, createLogger('threads-test', 'silent'));
    const place = threads.open();
    const asked = place.suggest('studies/a', 1);
    await threads.close();
    await expect(asked).rejects.toThrow(/thread (ended|failed)/);
    expect(place.isOpen).toBe(false);
    const next = threads.open();
    next.post({ kind: 'OPEN', study: 'studies/a', setup: SETUP });
    expect((await next.suggest('studies/a', 1)).trials).toHaveLength(1);
    await threads.close();
  });
});
