import { golden } from '../testing/keras-tuner-golden';
import { directionOf, objectiveOf } from './direction';
import type { Objective } from './objective';
import { dominates, paretoFront } from './pareto-front';
import { scoresOf } from './scores';
import { ranked, standingOf } from './standing';
import { WHOLE, type Measurement, type TrialRecord } from './trial-record';

const measured = (epoch: number, metrics: Readonly<Record<string, number>>): Measurement => ({ epoch, metrics: new Map(Object.entries(metrics)) });
const trial = (number: number, ...scores: readonly number[]): TrialRecord =>
  ({ number, values: new Map(), fidelity: WHOLE, memo: {}, measurements: [], state: { kind: 'SUCCEEDED', scores } });

describe('scores', () => {
  test.each(golden.scores)('$direction of $observations is KerasTuner\'s', ({ direction, observations, score, step }) => {
    const objective: Objective = { metric: 'm', direction: direction === 'min' ? 'MIN' : 'MAX' };
    const scoring = scoresOf(observations.map(([epoch, m]) => measured(epoch, { m: m ?? NaN })), [objective]);
    // KerasTuner takes the first of equal steps in order of arrival, we the lowest one.
    const first = scoring.kind === 'SCORED' && observations.filter(([, value]) => value === score).length > 1 ? Math.min(...observations.filter(([, value]) => value === score).map(([epoch]) => epoch)) : step;
    expect(scoring).toEqual({ kind: 'SCORED', scores: [score], epoch: first });
  });

  test('several objectives are taken from one epoch, the best of KerasTuner\'s multi_objective', () => {
    const objectives: readonly Objective[] = [{ metric: 'loss', direction: 'MIN' }, { metric: 'acc', direction: 'MAX' }];
    const measurements = [measured(1, { loss: 0.1, acc: 0.2 }), measured(2, { loss: 0.3, acc: 0.9 }), measured(3, { loss: 0.9, acc: 0.95 }), measured(4, { loss: -9 })];
    expect(scoresOf(measurements, objectives)).toEqual({ kind: 'SCORED', scores: [0.3, 0.9], epoch: 2 });
  });

  test('NaN and infinity never score', () => {
    const objective: Objective = { metric: 'm', direction: 'MAX' };
    expect(scoresOf([measured(1, { m: NaN }), measured(2, { m: Infinity })], [objective])).toEqual({ kind: 'UNSCORED', why: 'the objective m was never finite in 2 epochs' });
    expect(scoresOf([measured(1, { m: Infinity }), measured(2, { m: 0.5 })], [objective])).toMatchObject({ scores: [0.5] });
  });

  test('an objective that is never reported is named, with what was', () => {
    expect(scoresOf([measured(1, { loss: 1, acc: 2 })], [{ metric: 'val_loss', direction: 'MIN' }])).toEqual({ kind: 'UNSCORED', why: 'the objective val_loss was never reported; what was: loss, acc' });
    expect(scoresOf([], [{ metric: 'val_loss', direction: 'MIN' }])).toEqual({ kind: 'UNSCORED', why: 'the objective val_loss was never reported; nothing was' });
  });
});

describe('direction of a metric', () => {
  test.each(golden.directions)('%s: %s', (metric, direction) => {
    if (direction === null) expect(() => directionOf(metric)).toThrow('say the direction, MIN or MAX');
    else expect(directionOf(metric)).toBe(direction === 'min' ? 'MIN' : 'MAX');
  });

  test.each([['categoricalAccuracy', 'MAX'], ['meanSquaredError', 'MIN'], ['auc_1', 'MAX'], ['val_error', 'MIN'], ['rmse', 'MIN']])('%s, as TensorFlow.js or older Keras call it: %s', (metric, direction) => {
    expect(objectiveOf(metric)).toEqual({ metric, direction });
  });

  test.each(['F1Score', 'r2_score', 'MeanIoU', 'cosineSimilarity', ''])('%s is refused: nobody should minimise it by mistake', (metric) => {
    expect(() => directionOf(metric)).toThrow('is not known');
  });
});

describe('order of trials', () => {
  const objectives: readonly Objective[] = [{ metric: 'loss', direction: 'MIN' }, { metric: 'acc', direction: 'MAX' }];

  test('several objectives add up, maxima negative; those without scores come nowhere', () => {
    const failed: TrialRecord = { ...trial(2), state: { kind: 'FAILED', error: 'x' } };
    expect(standingOf(trial(0, 0.5, 0.9), objectives)).toBeCloseTo(-0.4, 15);
    expect(standingOf(failed, objectives)).toBe(Infinity);
    expect(ranked([trial(0, 3, 1), trial(1, 1, 1), failed, trial(3, 2, 2)], objectives).map(({ number }) => number)).toEqual([1, 3, 0]);
  });

  test('the Pareto front keeps what nothing dominates, twins included', () => {
    const trials = [trial(0, 1, 1), trial(1, 2, 2), trial(2, 2, 1), trial(3, 3, 3), trial(4, 3, 2.5), trial(5, 1, 1), trial(6, 0.5, 0.5)];
    expect(paretoFront(trials, objectives).map(({ number }) => number)).toEqual([0, 1, 3, 5, 6]);
    expect(paretoFront(trials, objectives.slice(0, 1)).map(({ number }) => number)).toEqual([6]);
    expect(dominates([1, 1], [1, 1], objectives)).toBe(false);
    expect(dominates([1, 2], [1, 1], objectives)).toBe(true);
    expect(dominates([NaN, 2], [1, 1], objectives)).toBe(false);
  });

  test('the front is what comparing every pair finds', () => {
    const trials = Array.from({ length: 60 }, (_, i) => trial(i, (i * 37) % 17, (i * 61) % 23));
    const scores = ({ state }: TrialRecord) => (state.kind === 'SUCCEEDED' ? state.scores : []);
    const expected = trials.filter((a) => !trials.some((b) => dominates(scores(b), scores(a), objectives)));
    expect(paretoFront(trials, objectives)).toEqual(expected);
  });
});
