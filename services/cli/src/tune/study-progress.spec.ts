import { Origin } from '@lockstep/contract';
import { plannedWork } from './planned-work';
import { StudyProgress } from './study-progress';
import { changed, event, measured, running, study, succeeded, trial } from './testing/study-messages';

const progressOf = (...events: readonly Parameters<StudyProgress['apply']>[0][]): StudyProgress => {
  const progress = new StudyProgress();
  for (const each of events) progress.apply(each);
  return progress;
};

// KerasTuner's own counts of trials and epochs.
test.each([[100, 3, 254, 2672], [81, 3, 211, 1767]])('a Hyperband of %d epochs, factor %d, plans %d trials and %d epochs', (maxEpochs, factor, trials, epochs) => {
  const { spec } = study({ algorithm: { case: 'hyperband', value: { maxEpochs, factor, iterations: 1 } } });
  expect(plannedWork(spec)).toEqual({ trials, epochs });
  const twice = study({ algorithm: { case: 'hyperband', value: { maxEpochs, factor, iterations: 1, earlierSweeps: [{ maxEpochs, factor }] } } });
  expect(plannedWork(twice.spec)).toEqual({ trials: 2 * trials, epochs: 2 * epochs });
});

test.each<[string, Parameters<typeof study>[0], { trials: number | undefined; epochs: number | undefined }]>([
  ['without a limit', {}, { trials: undefined, epochs: undefined }],
  ['with a limit', { maxTrials: 7, maxTotalEpochs: 30n }, { trials: 7, epochs: 30 }],
  ['a grid of a continuous space', { algorithm: { case: 'gridSearch', value: {} } }, { trials: undefined, epochs: undefined }],
  ['a grid of a space that nobody knows yet', { algorithm: { case: 'gridSearch', value: {} }, space: { case: 'discovery', value: {} } }, { trials: undefined, epochs: undefined }],
  ['a grid of 3 by 2 points, of which 4 are allowed', {
    algorithm: { case: 'gridSearch', value: {} }, maxTrials: 4,
    space: { case: 'searchSpace', value: { parameters: [{ name: 'n', kind: { case: 'intRange', value: { min: 1n, max: 3n } } }, { name: 'b', kind: { case: 'flag', value: {} } }] } },
  }, { trials: 4, epochs: undefined }],
])('the plan of a search %s', (_title, spec, plan) => {
  expect(plannedWork(study(spec).spec)).toEqual(plan);
});

describe('events', () => {
  test('a trial that is tried again begins without measurements, and with a time of its own', () => {
    const progress = progressOf(
      event(0, { case: 'created', value: study() }), changed(1, trial(0, running)), measured(2, 0, 1, { val_loss: 3 }),
      changed(5, trial(0, { case: 'requested', value: { detail: 'its try 1 failed' } })),
    );
    expect(progress.openTrials).toMatchObject([{ startedMs: undefined, epoch: 0, values: [] }]);
    progress.apply(changed(9, trial(0, running)));
    progress.apply(changed(12, trial(0, succeeded(0.5))));
    expect(progress.best).toMatchObject([{ scores: [0.5], durationMs: 3000 }]);
  });

  test('measurements that come late do not take an epoch back; other metrics than the objective\'s are no score', () => {
    const progress = progressOf(event(0, { case: 'created', value: study() }), changed(1, trial(0, running)), measured(2, 0, 3, { val_loss: 0.3, acc: 1 }), measured(3, 0, 2, { val_loss: 0.9 }), measured(4, 7, 1, { val_loss: 1 }));
    expect(progress.openTrials).toMatchObject([{ epoch: 3, values: [0.3] }]);
    progress.apply(measured(5, 0, 4, { acc: 1 }));
    expect(progress.openTrials[0]?.values).toEqual([NaN]);
  });

  test('each trial is counted once, as what it ended as; what was evaluated elsewhere counts towards no limit', () => {
    const progress = progressOf(
      event(0, { case: 'created', value: study({ maxTrials: 5 }) }),
      changed(1, trial(0, succeeded(1), { origin: Origin.IMPORTED })), changed(2, trial(1, running)), changed(3, trial(1, succeeded(2))), changed(4, trial(1, succeeded(2))),
      changed(5, trial(2, { case: 'failed', value: { error: 'e' } })), changed(6, trial(3, { case: 'infeasible', value: { reason: 'r' } })), changed(7, trial(4, { case: 'cancelled', value: {} })),
    );
    expect(progress.ended).toEqual({ succeeded: 2, failed: 1, infeasible: 1, cancelled: 1 });
    expect(progress.outlook).toMatchObject({ countedTrials: 4, plannedTrials: 5 });
  });

  test('the best of 10,000 trials are kept, in their order, and no more', () => {
    const progress = progressOf(event(0, { case: 'created', value: study() }));
    for (let i = 0; i < 10_000; i++) progress.apply(changed(i, trial(i, succeeded((i * 7919) % 10_000))));
    expect(progress.best).toHaveLength(50);
    expect(progress.best.slice(0, 3).map(({ scores }) => scores[0])).toEqual([0, 1, 2]);
    expect(progress.ended.succeeded).toBe(10_000);
  });

  test('the past of a study that was extended has an end that is none', () => {
    const progress = progressOf(event(0, { case: 'created', value: study() }), event(1, { case: 'updated', value: study({}, 'completed') }));
    expect(progress.isOver).toBe(true);
    progress.apply(event(2, { case: 'updated', value: study() }));
    expect(progress.isOver).toBe(false);
    progress.apply(changed(3, trial(0, running)));
    progress.apply(event(4, { case: 'updated', value: study({}, 'stopped') }));
    expect(progress.isOver).toBe(false);
    progress.apply(changed(5, trial(0, { case: 'cancelled', value: {} })));
    expect(progress.isOver).toBe(true);
  });
});

describe('what is left', () => {
  test('nobody knows before a trial has ended, nor without a limit', () => {
    expect(progressOf(event(0, { case: 'created', value: study({ maxTrials: 3 }) }), changed(1, trial(0, running))).outlook.remainingSeconds).toBeUndefined();
    expect(progressOf(event(0, { case: 'created', value: study() }), changed(1, trial(0, running)), changed(2, trial(0, succeeded(1)))).outlook.remainingSeconds).toBeUndefined();
  });

  test('by trials: 10 s each, two at once, 4 of 8 ended, and those that run are half done', () => {
    const progress = progressOf(event(0, { case: 'created', value: study({ maxTrials: 8 }) }));
    for (let i = 0; i < 4; i++) progress.apply(changed(0, trial(i, running)));
    for (let i = 0; i < 4; i++) progress.apply(changed(10, trial(i, succeeded(i))));
    for (const i of [4, 5]) progress.apply(changed(10, trial(i, running)));
    progress.apply(measured(15, 4, 1, { val_loss: 1 }));
    expect(progress.outlook.remainingSeconds).toBeCloseTo((8 - 4 - 2 * 0.5) * 10 / 2);
  });

  test('by epochs where they are planned: the trials of a Hyperband differ in length', () => {
    const rung = { iteration: 0, bracket: 1, round: 0, initialEpoch: 0, epochs: 1, parent: '' };
    const progress = progressOf(event(0, { case: 'created', value: study({ algorithm: { case: 'hyperband', value: { maxEpochs: 3, factor: 3, iterations: 1 } } }) }));
    progress.apply(changed(0, trial(0, running, { rung })));
    progress.apply(measured(4, 0, 1, { val_loss: 1 }));
    progress.apply(changed(4, trial(0, succeeded(1), { rung })));
    const { epochs = 0 } = plannedWork(progress.spec);
    expect(progress.outlook.remainingSeconds).toBeCloseTo((epochs - 1) * 4);
  });
});
