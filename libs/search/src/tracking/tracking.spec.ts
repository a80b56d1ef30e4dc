import * as fc from 'fast-check';
import { floatParameter, intParameter } from '../space/make-parameter';
import { completeEnded, completeTrial, NO_FINDINGS, type TrialOutcome } from './complete';
import { enqueueValues, extendStudy, growSpace, stopStudy } from './direct';
import { importTrials } from './import-trials';
import { adviseStop, askStop, expireLeases, hear, nextExpiryMs, releaseHolder } from './leases';
import { MAX_MEASUREMENTS, takeMeasurement } from './measure';
import { beginDiscovery, offerTrials, roomFor, takeExhaustion, takeSuggestion } from './offer';
import { FAILURE, foreign, loss, measured, NOTHING_NEW, reasonOf, SPACE, Story, study, suggestion } from './testing/story';
import type { Move, StudyRules, TrackedStudy } from './tracked-study';
import { TrackingError } from './tracking-error';

describe('leases', () => {
  test('a trial whose holder is silent for a lease is offered again, and begins anew', () => {
    const story = new Story(study());
    story.begin('a', 0);
    story.do((s) => takeMeasurement(s, 0, 'a', measured(1, 5), 400));
    expect(nextExpiryMs(story.now)).toBe(1400);
    expect(expireLeases(story.now, 1399).changes).toEqual([]);
    story.do((s) => expireLeases(s, 1400));
    expect(story.now.pending.get(0)?.state).toMatchObject({ kind: 'REQUESTED' });
    const { trials } = story.do((s) => offerTrials(s, 'b', 1, 1500));
    expect(trials).toMatchObject([{ number: 0, attempts: 2, measurements: [], state: { holder: 'b' } }]);
    expect(reasonOf(() => takeMeasurement(story.now, 0, 'a', measured(2, 4), 1500))).toBe('TRIAL_LOST');
  });

  test.each<[string, (s: TrackedStudy) => Move<unknown>]>([
    ['a measurement', (s) => takeMeasurement(s, 0, 'a', measured(1, 1), 900)],
    ['a heartbeat', (s) => hear(s, 'a', 900)],
    ['a question whether to stop', (s) => askStop(s, 0, 'a', 900)],
    ['another question for a trial', (s) => offerTrials(s, 'a', 1, 900)],
  ])('%s keeps the lease', (_what, move) => {
    const story = new Story(study());
    story.begin('a', 0);
    story.do(move);
    expect(nextExpiryMs(story.now)).toBe(1900);
  });

  test('values that bring down everyone who tries them fail, and the search goes on', () => {
    const story = new Story(study());
    story.begin('a', 0);
    for (let i = 0; i < 3; i++) {
      story.do((s) => releaseHolder(s, ['a', 'b', 'c'][i] ?? '', 'its connection ended', 0));
      story.do((s) => offerTrials(s, ['b', 'c', 'd'][i] ?? '', 1, 0));
    }
    expect(story.now.pending.size).toBe(0);
    expect([story.now.ended.failed, story.now.state.kind]).toEqual([1, 'ACTIVE']);
  });

  test('an expired trial of one who asks is not its own any more, but the first that it is offered', () => {
    const story = new Story(study());
    story.begin('a', 0);
    expect(story.do((s) => offerTrials(s, 'a', 1, 5000)).trials).toMatchObject([{ number: 0, attempts: 2 }]);
  });
});

describe('ends', () => {
  test('failures are retried as often as allowed; the same failure told twice counts once', () => {
    const story = new Story(study());
    story.begin('a');
    expect(story.complete(0, 'a', FAILURE).state.kind).toBe('REQUESTED');
    expect(completeTrial(story.now, 0, 'a', FAILURE, NO_FINDINGS, 0).changes).toEqual([]);
    story.do((s) => offerTrials(s, 'a', 1, 0));
    expect(story.complete(0, 'a', FAILURE).state).toEqual({ kind: 'FAILED', error: 'no memory' });
    expect(story.now.consecutiveFailed).toBe(1);
  });

  test.each<[string, readonly TrialOutcome[], string]>([
    ['three failures in a row', [FAILURE, FAILURE, FAILURE], 'FAILED'],
    ['a success between failures', [FAILURE, FAILURE, loss(1), FAILURE, FAILURE], 'ACTIVE'],
    ['values that cannot be evaluated between failures', [FAILURE, FAILURE, { kind: 'INFEASIBLE', reason: 'too deep' }, FAILURE, FAILURE], 'ACTIVE'],
    ['scores that are not finite', [loss(NaN), loss(Infinity), loss(NaN), loss(NaN)], 'ACTIVE'],
  ])('%s', (_what, outcomes, end) => {
    const story = new Story(study({ retry: { maxRetries: 0, maxLosses: 2 } }));
    for (const outcome of outcomes) story.complete(story.begin('a').number, 'a', outcome);
    expect(story.now.state.kind).toBe(end);
  });

  test('a study is complete when its trials have ended, not before', () => {
    const story = new Story(study({ limits: { maxTrials: 2, maxConsecutiveFailures: 3 } }));
    story.begin('a');
    story.begin('b');
    expect(roomFor(story.now, 0)).toBe(0);
    story.complete(0, 'a', loss(1));
    expect(story.now.state.kind).toBe('ACTIVE');
    story.complete(1, 'b', loss(2));
    expect(story.now.state).toMatchObject({ kind: 'COMPLETED' });
  });

  test.each<[string, Partial<StudyRules['limits']>, number]>([['epochs', { maxEpochs: 2 }, 0], ['time', { maxDurationMs: 50 }, 50]])('%s may be over: nothing new begins, and what runs may end', (_what, limits, nowMs) => {
    const story = new Story(study({ limits: { maxConsecutiveFailures: 3, ...limits } }));
    story.begin('a');
    for (const epoch of [1, 2]) story.do((s) => takeMeasurement(s, 0, 'a', measured(epoch, 1), nowMs));
    expect(roomFor(story.now, nowMs)).toBe(0);
    expect(story.do((s) => offerTrials(s, 'b', 1, nowMs))).toEqual({ trials: [], wanted: 0 });
    story.complete(0, 'a', { kind: 'SUCCESS', metrics: undefined }, nowMs);
    expect(story.now.state.kind).toBe('COMPLETED');
  });

  test('what has ended stays: the same again is fine, other news and other clients are refused', () => {
    const story = new Story(study());
    story.begin('a');
    const done = story.complete(0, 'a', loss(1));
    expect(completeEnded(story.now, done, 'a', loss(1))).toBe(done);
    expect(reasonOf(() => completeEnded(story.now, done, 'a', loss(2)))).toBe('TRIAL_ENDED');
    expect(reasonOf(() => completeEnded(story.now, done, 'a', FAILURE))).toBe('TRIAL_ENDED');
    expect(reasonOf(() => completeEnded(story.now, done, 'b', loss(1)))).toBe('TRIAL_LOST');
  });

  test('the score is the best over the epochs of the mean of the executions', () => {
    const story = new Story(study());
    story.begin('a');
    for (const m of [measured(1, 4), measured(2, 1), measured(2, 5, 1), measured(3, 2.5)]) story.do((s) => takeMeasurement(s, 0, 'a', m, 0));
    expect(story.complete(0, 'a', { kind: 'SUCCESS', metrics: undefined }).state).toEqual({ kind: 'SUCCEEDED', scores: [2.5] });
  });

  test('an objective that was never reported is no success', () => {
    const story = new Story(study());
    story.begin('a');
    expect(reasonOf(() => story.complete(0, 'a', { kind: 'SUCCESS', metrics: undefined }))).toBe('MISSING_METRIC');
    expect(reasonOf(() => story.complete(0, 'a', { kind: 'SUCCESS', metrics: new Map([['accuracy', 1]]) }))).toBe('MISSING_METRIC');
    expect(story.now.pending.size).toBe(1);
  });
});

describe('measurements', () => {
  test('are bounded', () => {
    const story = new Story(study());
    const trial = story.begin('a');
    const full = { ...trial, measurements: Array.from({ length: MAX_MEASUREMENTS }, (_, i) => measured(i + 1, 1)) };
    story.now = { ...story.now, pending: new Map([[0, full]]) };
    expect(reasonOf(() => takeMeasurement(story.now, 0, 'a', measured(MAX_MEASUREMENTS + 1, 1), 0))).toBe('TOO_MANY_MEASUREMENTS');
    expect(takeMeasurement(story.now, 0, 'a', measured(7, 1), 0).changes).toEqual([]);
  });

  test('NaN told twice is the same', () => {
    const story = new Story(study());
    story.begin('a');
    story.do((s) => takeMeasurement(s, 0, 'a', measured(1, NaN), 0));
    expect(takeMeasurement(story.now, 0, 'a', measured(1, NaN), 0).changes).toEqual([]);
    expect(reasonOf(() => takeMeasurement(story.now, 0, 'a', measured(1, 0), 0))).toBe('MEASUREMENT_DIVERGED');
  });

  test('a trial that is asked to stop is told with its next report, and still completes', () => {
    const story = new Story(study());
    story.begin('a');
    story.do((s) => adviseStop(s, 0, 'it is behind'));
    expect(adviseStop(story.now, 0, 'again').changes).toEqual([]);
    expect(story.do((s) => takeMeasurement(s, 0, 'a', measured(1, 1), 0))).toBe('it is behind');
    expect(story.complete(0, 'a', { kind: 'SUCCESS', metrics: undefined }).state.kind).toBe('SUCCEEDED');
  });
});

describe('spaces', () => {
  test('a discovery gives one trial without values; its run tells the space', () => {
    const story = new Story({ ...study(), space: { kind: 'DISCOVERING' } });
    expect(roomFor(story.now, 0)).toBe(1);
    story.do((s) => beginDiscovery(s, 'a', 0));
    expect(roomFor(story.now, 0)).toBe(0);
    expect(reasonOf(() => enqueueValues(story.now, new Map()))).toBe('SPACE_UNKNOWN');
    const trial = story.do((s) => completeTrial(s, 0, 'a', loss(1), { parameters: [intParameter('n', { min: 1, max: 9, default: 4 })], values: new Map() }, 0));
    expect([...trial.values]).toEqual([['n', 4]]);
    expect(story.now.space).toMatchObject({ kind: 'KNOWN', space: [{ name: 'n' }] });
  });

  test('a discovery that fails for good fails the study, by name', () => {
    const story = new Story({ ...study({ retry: { maxRetries: 0, maxLosses: 0 } }), space: { kind: 'DISCOVERING' } });
    story.do((s) => beginDiscovery(s, 'a', 0));
    story.complete(0, 'a', FAILURE);
    expect(story.now.state).toMatchObject({ kind: 'FAILED', error: expect.stringContaining('no memory') as string });
  });

  test('known parameters stay as they are; new ones come after them; another type is refused and changes nothing', () => {
    const story = new Story(study());
    story.do((s) => growSpace(s, [floatParameter('x', { min: 0, max: 99 }), floatParameter('y', { min: 0, max: 1 })]));
    expect(story.now.space).toMatchObject({ space: [{ name: 'x', max: 1 }, { name: 'y' }] });
    expect(() => growSpace(story.now, [intParameter('x', { min: 0, max: 1 })])).toThrow(/"x" is of type INT/);
    expect(growSpace(story.now, SPACE).changes).toEqual([]);
  });

  test('imported trials count towards no limit; those that do not fit say why', () => {
    const story = new Story(study({ limits: { maxTrials: 1, maxConsecutiveFailures: 3 } }));
    const { numbers, skipped } = story.do((s) => importTrials(s, { ...NOTHING_NEW, trials: [foreign(0.5, 1), foreign(7, 1), foreign(0.1, NaN), foreign(0.2, 1, 2)] }, []));
    expect(numbers).toEqual([0]);
    expect(skipped).toEqual([expect.stringMatching(/x = 7.*ranges from 0 to 1/), expect.stringMatching(/not finite/), expect.stringMatching(/2 scores for 1 objectives/)]);
    expect([roomFor(story.now, 0), story.now.nextNumber]).toEqual([1, 1]);
  });
});

describe('owners', () => {
  test('a stopped study cancels what runs; extended, it goes on with new trials', () => {
    const story = new Story(study());
    story.begin('a');
    story.do((s) => stopStudy(s, 0));
    expect([story.now.state.kind, story.now.ended.cancelled, roomFor(story.now, 0)]).toEqual(['STOPPED', 1, 0]);
    expect(stopStudy(story.now, 0).changes).toEqual([]);
    story.do((s) => extendStudy(s, { limits: {}, parameters: [], algorithmGrew: false }, 0));
    expect(story.begin('a').number).toBe(1);
  });

  test('limits only grow', () => {
    const story = new Story(study({ limits: { maxTrials: 1, maxConsecutiveFailures: 3 } }));
    story.complete(story.begin('a').number, 'a', loss(1));
    const extend = (maxTrials: number) => (s: TrackedStudy) => extendStudy(s, { limits: { maxTrials }, parameters: [], algorithmGrew: false }, 0);
    expect(reasonOf(() => extend(0)(story.now))).toBe('SHRINKS');
    expect(extend(1)(story.now).changes).toEqual([]);
    story.do(extend(2));
    expect([story.now.state.kind, roomFor(story.now, 0)]).toEqual(['ACTIVE', 1]);
  });

  test.each<[string, Partial<StudyRules['limits']>, Parameters<typeof extendStudy>[1]['limits'], RegExp]>([
    ['trials of a study without a limit', {}, { maxTrials: 1 }, /^max_trials of studies\/s is not limited and cannot become 1: 2 trials are behind it/],
    ['epochs of a study without a limit', {}, { maxEpochs: 2 }, /^max_total_epochs of studies\/s is not limited and cannot become 2: 3 epochs/],
    ['time that is over', {}, { maxDurationMs: 400 }, /^max_duration of studies\/s .*: 500 ms are behind it/],
    ['more time, which is over too', { maxDurationMs: 100 }, { maxDurationMs: 499 }, /^max_duration of studies\/s is 100 ms and cannot become 499: 500 ms/],
    ['fewer epochs', { maxEpochs: 9 }, { maxEpochs: 8 }, /^max_total_epochs of studies\/s is 9 epochs and cannot become 8/],
  ])('no limit falls below what has been done: %s', (_what, before, limits, words) => {
    const story = new Story(study({ limits: { maxConsecutiveFailures: 3, ...before } }));
    story.do((s) => importTrials(s, { ...NOTHING_NEW, trials: [foreign(0.5, 1)] }, []));
    story.begin('a');
    story.begin('b');
    for (const epoch of [1, 2, 3]) story.do((s) => takeMeasurement(s, 1, 'a', measured(epoch, 1), 0));
    const extend = (): unknown => extendStudy(story.now, { limits, parameters: [], algorithmGrew: false }, 500);
    expect(extend).toThrow(words);
    expect(reasonOf(extend)).toBe('SHRINKS');
  });

  test('a limit at what has been done is one; the same limit again changes nothing, also when it is passed', () => {
    const story = new Story(study({ limits: { maxDurationMs: 100, maxConsecutiveFailures: 3 } }));
    story.complete(story.begin('a').number, 'a', loss(1));
    const extend = (limits: StudyRules['limits'] | object) => (s: TrackedStudy) => extendStudy(s, { limits, parameters: [], algorithmGrew: false }, 500);
    expect(extend({ maxDurationMs: 100 })(story.now).changes).toEqual([]);
    expect(extend({ maxTrials: 1, maxDurationMs: 900 })(story.now).study.state).toMatchObject({ kind: 'COMPLETED', detail: expect.stringContaining('1 of 1 trials') as string });
  });

  test('what one limit gives another may take back: the study says which', () => {
    const story = new Story(study({ limits: { maxTrials: 1, maxEpochs: 1, maxConsecutiveFailures: 3 } }));
    story.begin('a');
    story.do((s) => takeMeasurement(s, 0, 'a', measured(1, 1), 0));
    story.complete(0, 'a', loss(1));
    story.do((s) => extendStudy(s, { limits: { maxTrials: 8 }, parameters: [], algorithmGrew: false }, 0));
    expect(story.now).toMatchObject({ state: { kind: 'COMPLETED', detail: '1 of 1 epochs have been trained' }, rules: { limits: { maxTrials: 8 } } });
  });

  test('values that are enqueued on a study that is over are the first when it goes on', () => {
    const story = new Story(study({ limits: { maxTrials: 1, maxConsecutiveFailures: 3 } }));
    story.complete(story.begin('a').number, 'a', loss(1));
    story.do((s) => enqueueValues(s, new Map([['x', 0.125]])));
    expect(story.now.state.kind).toBe('COMPLETED');
    story.do((s) => extendStudy(s, { limits: { maxTrials: 2 }, parameters: [], algorithmGrew: false }, 0));
    expect([story.now.state.kind, story.now.enqueued.map((values) => [...values])]).toEqual(['ACTIVE', [[['x', 0.125]]]]);
  });

  test('a study whose algorithm was exhausted goes on with what is enqueued since; one without a place for it ends again, and says so', () => {
    const story = new Story(study());
    story.complete(story.begin('a').number, 'a', loss(1));
    story.do((s) => takeExhaustion(s, 'empty'));
    const extend = (s: TrackedStudy): Move<void> => extendStudy(s, { limits: {}, parameters: [], algorithmGrew: false }, 0);
    expect(extend(story.now).changes).toEqual([]);
    story.do((s) => enqueueValues(s, new Map([['x', 0.125]])));
    story.do(extend);
    expect(story.now.state.kind).toBe('ACTIVE');
    story.do((s) => takeExhaustion(s, 'every bracket has run'));
    expect(story.now.state).toEqual({ kind: 'COMPLETED', detail: 'every bracket has run, without a place for the 1 that is enqueued: extend the algorithm' });
  });

  test('exhaustion completes a study only when nothing runs', () => {
    const story = new Story(study());
    story.begin('a');
    expect(takeExhaustion(story.now, 'empty').changes).toEqual([]);
    story.complete(0, 'a', loss(1));
    story.do((s) => takeExhaustion(s, 'empty'));
    expect(story.now.state).toEqual({ kind: 'COMPLETED', detail: 'empty' });
  });
});

type Act = readonly ['begin' | 'offer' | 'succeed' | 'fail' | 'measure' | 'hear' | 'expire' | 'stop' | 'extend', number, number];

test('whatever happens in whatever order: a trial has one holder, is counted once, ends once, and no limit is passed', () => {
  const act = fc.tuple(fc.constantFrom<Act[0][]>('begin', 'offer', 'succeed', 'fail', 'measure', 'hear', 'expire', 'stop', 'extend'), fc.nat(3), fc.nat(9));
  fc.assert(fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
    const limits = { maxTrials: 6, maxConsecutiveFailures: 3 };
    const story = new Story(study({ limits, maxParallelTrials: 3 }));
    const endings = new Map<number, string>();
    let nowMs = 0;
    for (const [kind, who, which] of acts) {
      const client = `client ${who}`;
      const number = [...story.now.pending.keys()][which % Math.max(1, story.now.pending.size)] ?? which;
      const move = (s: TrackedStudy): Move<unknown> => {
        switch (kind) {
          case 'begin': return roomFor(s, nowMs) > 0 ? takeSuggestion(s, suggestion(s.nextNumber / 100), client, nowMs) : { study: s, changes: [], result: undefined };
          case 'offer': return offerTrials(s, client, 2, nowMs);
          case 'succeed': return completeTrial(s, number, client, loss(which), NO_FINDINGS, nowMs);
          case 'fail': return completeTrial(s, number, client, FAILURE, NO_FINDINGS, nowMs);
          case 'measure': return takeMeasurement(s, number, client, measured(which, which), nowMs);
          case 'hear': return hear(s, client, nowMs);
          case 'expire': return expireLeases(s, nowMs += 400);
          case 'stop': return which === 0 ? stopStudy(s, nowMs) : { study: s, changes: [], result: undefined };
          case 'extend': return extendStudy(s, { limits: {}, parameters: [], algorithmGrew: false }, nowMs);
        }
      };
      const before = story.now;
      let changes: Move<unknown>['changes'] = [];
      try {
        const made = move(before);
        ({ changes } = made);
        story.now = made.study;
      } catch (e) {
        if (!(e instanceof TrackingError)) throw e;
        expect(story.now).toBe(before);
      }
      for (const change of changes) {
        if (change.kind !== 'TRIAL') continue;
        const { state, number: changed } = change.trial;
        expect(endings.has(changed)).toBe(false);
        if (state.kind !== 'REQUESTED' && state.kind !== 'RUNNING' && state.kind !== 'STOPPING') endings.set(changed, state.kind);
      }
      const { pending, ended, nextNumber } = story.now;
      const running = [...pending.values()].filter(({ state }) => state.kind !== 'REQUESTED').length;
      expect(running).toBeLessThanOrEqual(3);
      expect(nextNumber).toBeLessThanOrEqual(limits.maxTrials);
      expect(pending.size + ended.succeeded + ended.infeasible + ended.failed + ended.cancelled).toBe(nextNumber);
      expect(endings.size).toBe(nextNumber - pending.size);
    }
  }), { numRuns: 300 });
});
