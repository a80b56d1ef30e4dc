import { newHistory } from '../testing/study-simulation';
import { golden } from '../testing/keras-tuner-golden';
import { Mt19937 } from '../random/mt19937';
import type { StudyHistory } from '../study/study-history';
import { WHOLE, type TrialRecord, type TrialState } from '../study/trial-record';
import { CURVE_DEFAULTS, CurveStopper } from './curve-stopper';
import { MEDIAN_DEFAULTS, MedianStopper } from './median-stopper';
import { probabilityBelow, studentBelow } from './power-law';
import { RungStopper } from './rung-stopper';

/** A trial that has measured these values after the epochs 1, 2, ... */
function trial(number: number, curve: readonly number[], isRunning = false): TrialRecord {
  const state: TrialState = isRunning ? { kind: 'RUNNING' } : { kind: 'SUCCEEDED', scores: [Math.min(...curve)] };
  return { number, values: new Map(), fidelity: WHOLE, memo: {}, state, measurements: curve.map((score, i) => ({ epoch: i + 1, metrics: new Map([['score', score]]) })) };
}

const history = (...trials: readonly TrialRecord[]): StudyHistory => ({ ...newHistory([]), trials });
const last = (h: StudyHistory): TrialRecord => {
  const trial = h.trials.at(-1);
  if (!trial) throw new Error('a history without trials');
  return trial;
};

describe('median stopper', () => {
  const stopper = new MedianStopper({ ...MEDIAN_DEFAULTS, minTrials: 3 });
  const finished = [trial(0, [9, 5, 1]), trial(1, [9, 6, 3]), trial(2, [9, 9, 9])];
  // After epoch 2 their running means are 7, 7.5 and 9.
  test.each([[[8, 7.4], 'GO_ON'], [[8, 7.5], 'GO_ON'], [[8, 7.6], 'STOP'], [[7, 30], 'GO_ON'], [[8, NaN], 'STOP']])('%j: %s', (curve, expected) => {
    const h = history(...finished, trial(3, curve, true));
    expect(stopper.check(h, last(h)).kind).toBe(expected);
  });

  test('compares with as many as it was told, and with those that got as far', () => {
    const few = history(...finished.slice(0, 2), trial(2, [50], true));
    expect(stopper.check(few, last(few)).kind).toBe('GO_ON');
    const short = history(...finished, trial(3, [9, 9, 9, 9, 99], true));
    expect(stopper.check(short, last(short)).kind).toBe('GO_ON');
  });

  test('the direction is respected', () => {
    const h: StudyHistory = { ...history(...finished, trial(3, [8, 7.4], true)), objectives: [{ metric: 'score', direction: 'MAX' }] };
    expect(stopper.check({ ...h, trials: h.trials.map((t) => t) }, last(h)).kind).toBe('GO_ON');
    const low: StudyHistory = { ...h, trials: [...finished, trial(3, [1, 1], true)] };
    expect(stopper.check(low, last(low)).kind).toBe('STOP');
  });

  test('settings are checked', () => { expect(() => new MedianStopper({ minTrials: 0, minEpochs: 0 })).toThrow('options.minTrials'); });
});

describe('rung stopper', () => {
  const stopper = new RungStopper({ maxEpochs: 9, factor: 3, minEpochs: 1 });
  test('who reaches a rung goes on among the best third', () => {
    const others = [trial(0, [5]), trial(1, [4]), trial(2, [6]), trial(3, [7]), trial(4, [8])];
    for (const [value, expected] of [[3, 'GO_ON'], [4.5, 'GO_ON'], [5.5, 'STOP']] as const) {
      const h = history(...others, trial(5, [value], true));
      expect(stopper.check(h, last(h)).kind).toBe(expected);
    }
  });

  test('the first one goes on, between rungs nobody is judged, and at the last one neither', () => {
    for (const curve of [[9], [9, 9], [9, 9, 9, 9], Array.from({ length: 9 }, () => 9)]) {
      const h = history(...(curve.length === 1 ? [] : [trial(0, Array.from({ length: 9 }, () => 1))]), trial(1, curve, true));
      expect(stopper.check(h, last(h)).kind).toBe('GO_ON');
    }
    const h = history(trial(0, [1, 1, 1]), trial(1, [1, 9, 9], true));
    expect(stopper.check(h, last(h)).kind).toBe('GO_ON');
    const worse = history(trial(0, [1, 1, 0.5]), trial(1, [1, 9, 9], true));
    expect(stopper.check(worse, last(worse)).kind).toBe('STOP');
  });

  test('a measurement every other epoch is judged at the first one beyond the rung', () => {
    const sparse: TrialRecord = { ...trial(1, [], true), measurements: [2, 4].map((epoch) => ({ epoch, metrics: new Map([['score', 9]]) })) };
    expect(stopper.check(history(trial(0, [1, 1, 1, 1]), sparse), sparse)).toMatchObject({ kind: 'STOP', why: expect.stringContaining('epoch 3') });
  });
});

describe('Student\'s t', () => {
  test.each(golden.student)('P(T < %d) with %d degrees is SciPy\'s %d', (t, freedom, below) => { expect(studentBelow(t, freedom)).toBeCloseTo(below, 12); });
});

describe('curve extrapolation', () => {
  const law = (limit: number, size: number, alpha: number, noise: number, seed = 1) => {
    const random = new Mt19937(seed);
    return Array.from({ length: 100 }, (_, i) => limit + size * (i + 1) ** -alpha + noise * (random.random() - 0.5));
  };
  const points = (curve: readonly number[], count: number) => curve.slice(0, count).map((value, i) => ({ epoch: i + 1, value }));

  test.each([[0.3, 1, 0.5], [0.1, 0.7, 1], [0, 2, 0.25], [0.5, 0.5, 2]])('%d + %d t^-%d: the end is foreseen, and doubt shrinks', (limit, size, alpha) => {
    const curve = law(limit, size, alpha, 0.01);
    const end = curve[99] ?? NaN;
    const spreadAfter = (count: number) => {
      const at = (p: number) => {
        let [low, high] = [end - 5, end + 5];
        for (let i = 0; i < 60; i++) [low, high] = probabilityBelow(points(curve, count), 100, (low + high) / 2) < p ? [(low + high) / 2, high] : [low, (low + high) / 2];
        return low;
      };
      expect(at(0.01)).toBeLessThan(end);
      expect(at(0.99)).toBeGreaterThan(end);
      return at(0.95) - at(0.05);
    };
    const [early, late] = [spreadAfter(10), spreadAfter(60)];
    expect(late).toBeLessThan(early);
  });

  test('a probability of a bound grows from 0 to 1', () => {
    const curve = points(law(0.3, 1, 0.5, 0.02), 12);
    const probabilities = [-100, 0, 0.3, 0.4, 0.5, 1, 100].map((bound) => probabilityBelow(curve, 100, bound));
    expect([...probabilities].sort((a, b) => a - b)).toEqual(probabilities);
    expect(probabilities[0]).toBeLessThan(0.001);
    expect(probabilities.at(-1)).toBeGreaterThan(0.999);
  });

  const stopper = new CurveStopper({ ...CURVE_DEFAULTS, maxEpochs: 100 });
  test('stops what levels off above the best, lets on what still falls towards it', () => {
    const best = trial(0, [0.5]);
    for (const [curve, expected] of [[law(1, 1, 1, 0.01), 'STOP'], [law(0.1, 1, 0.5, 0.01), 'GO_ON'], [law(0.4, 1, 1, 0.01), 'GO_ON']] as const) {
      const h = history(best, trial(1, curve.slice(0, 12), true));
      expect(stopper.check(h, last(h)).kind).toBe(expected);
    }
  });

  test('a flat curve, one of few points, and one with gaps are nothing to fail on', () => {
    for (const curve of [[1, 1, 1, 1, 1, 1], [1, 1], [1, NaN, 1, Infinity, 0.9, 1, 0.95, 1]]) {
      const h = history(trial(0, [0.999999]), trial(1, curve, true));
      expect(['GO_ON', 'STOP']).toContain(stopper.check(h, last(h)).kind);
    }
    const alone = history(trial(0, law(1, 1, 1, 0.01).slice(0, 12), true));
    expect(stopper.check(alone, last(alone))).toEqual({ kind: 'GO_ON' });
  });

  test('settings are checked', () => { expect(() => new CurveStopper({ ...CURVE_DEFAULTS, maxEpochs: 100, minEpochs: 2 })).toThrow('options.minEpochs'); });
});
