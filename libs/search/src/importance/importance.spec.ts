import { Mt19937 } from '../random/mt19937';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter } from '../space/make-parameter';
import { valueAt } from '../space/probability';
import { chooseValues, type SearchSpace } from '../space/search-space';
import type { StudyHistory } from '../study/study-history';
import { WHOLE, type Fidelity } from '../study/trial-record';
import { newHistory, succeeded } from '../testing/study-simulation';
import { golden } from '../testing/keras-tuner-golden';
import { parameterImportance } from './importance';
import { varianceShares } from './marginal-variance';
import { growTree, sortedRows } from './regression-tree';

/** A history of random trials of a known function. */
function sampled(space: SearchSpace, count: number, scoreOf: (get: (name: string) => number) => number, fidelity: Fidelity = WHOLE): StudyHistory {
  const random = new Mt19937(5);
  const trials = Array.from({ length: count }, (_, number) => {
    const values = chooseValues(space, (parameter) => valueAt(parameter, random.random()));
    return { number, values, fidelity, memo: {}, measurements: [], state: succeeded(scoreOf((name) => Number(values.get(name) ?? 0))) };
  });
  return { ...newHistory(space), trials };
}

const unit = (name: string) => floatParameter(name, { min: 0, max: 1 });

function sharesOf(history: StudyHistory): Readonly<Record<string, number>> {
  const importance = parameterImportance(history);
  if (importance.kind === 'UNKNOWN') throw new Error(importance.why);
  return Object.fromEntries(importance.shares.map(({ parameter, share }) => [parameter.name, share]));
}

describe('a tree', () => {
  test('has the leaves of scikit-learn\'s, and the shares that a sum over the grid of its thresholds has', () => {
    const { rows, targets, leaves: leafCount, shares } = golden.tree;
    const columns = [0, 1, 2].map((feature) => Float64Array.from(rows, (row) => row[feature] ?? NaN));
    const leaves = growTree(columns, Float64Array.from(targets), sortedRows(columns), new Uint32Array(rows.length).fill(1));
    expect(leaves).toHaveLength(leafCount);
    varianceShares(leaves, 3)?.forEach((share, i) => { expect(share).toBeCloseTo(shares[i] ?? NaN, 6); });
    expect(leaves.reduce((sum, { low, high }) => sum + low.reduce((volume, from, i) => volume * ((high[i] ?? NaN) - from), 1), 0)).toBeCloseTo(1, 12);
  });
});

describe('importance of parameters', () => {
  test('a sum: the shares are those of the variances (3^2 : 2^2 : 1 : 0)', () => {
    const shares = sharesOf(sampled(['a', 'b', 'c', 'd'].map(unit), 600, (get) => 3 * get('a') + 2 * get('b') + get('c')));
    expect(shares['a']).toBeCloseTo(9 / 14, 1);
    expect(shares['b']).toBeCloseTo(4 / 14, 1);
    expect(shares['c']).toBeCloseTo(1 / 14, 1);
    expect(shares['d']).toBeLessThan(0.02);
  });

  test('Ishigami\'s function, first-order Sobol indices .314, .442, 0: near them, what the forest has not resolved counts as interaction', () => {
    const angle = (name: string) => floatParameter(name, { min: -Math.PI, max: Math.PI });
    const shares = sharesOf(sampled(['x', 'y', 'z'].map(angle), 1000, (get) => Math.sin(get('x')) + 7 * Math.sin(get('y')) ** 2 + 0.1 * get('z') ** 4 * Math.sin(get('x'))));
    expect(Math.abs((shares['x'] ?? 0) - 0.314)).toBeLessThan(0.05);
    expect(Math.abs((shares['y'] ?? 0) - 0.442)).toBeLessThan(0.15);
    expect(shares['z']).toBeLessThan(0.03);
  });

  test('a pure interaction belongs to neither alone', () => {
    const shares = sharesOf(sampled(['a', 'b'].map(unit), 600, (get) => (get('a') - 0.5) * (get('b') - 0.5)));
    expect((shares['a'] ?? 1) + (shares['b'] ?? 1)).toBeLessThan(0.25);
  });

  test('choices, booleans, logarithms and inactive parameters; the first is the most important', () => {
    const space = [
      fixedParameter('f', 1), booleanParameter('noise'), choiceParameter('kind', ['x', 'y', 'z']), floatParameter('rate', { min: 1e-5, max: 1, sampling: 'LOG' }),
      floatParameter('child', { min: 0, max: 1, conditions: [{ parent: 'kind', values: ['x'] }] }),
    ];
    const history = sampled(space, 400, (get) => -Math.log(get('rate')));
    const importance = parameterImportance({ ...history, trials: history.trials.map((trial) => ({ ...trial, state: succeeded(-Math.log(Number(trial.values.get('rate'))) + (trial.values.get('kind') === 'y' ? 4 : 0)) })) });
    if (importance.kind === 'UNKNOWN') throw new Error(importance.why);
    expect(importance.shares.slice(0, 2).map(({ parameter }) => parameter.name)).toEqual(['rate', 'kind']);
    expect(importance.shares.slice(2).every(({ share }) => share < 0.05)).toBe(true);
    // Variances: (ln 1e5)^2 / 12 against 16 * 2/9.
    const rate = Math.log(1e5) ** 2 / 12;
    expect(importance.shares[0]?.share).toBeCloseTo(rate / (rate + 32 / 9), 1);
  });

  test('is the same for the same history', () => {
    const history = sampled(['a', 'b'].map(unit), 50, (get) => get('a'));
    expect(parameterImportance(history)).toEqual(parameterImportance(history));
  });

  test('trials of another length, and those that failed, do not count', () => {
    const rung: Fidelity = { kind: 'RUNG', iteration: 0, bracket: 1, round: 0, epochs: 3, initialEpoch: 0 };
    const history = sampled([unit('a')], 30, (get) => get('a'), rung);
    const [first] = history.trials;
    if (!first) throw new Error('no trials');
    const whole = history.trials.slice(0, 5).map((trial) => ({ ...trial, fidelity: WHOLE, state: succeeded(1000) }));
    const importance = parameterImportance({ ...history, trials: [...history.trials, ...whole, { ...first, state: { kind: 'FAILED', error: 'x' } }] });
    expect(importance).toMatchObject({ kind: 'KNOWN', trialCount: 30 });
  });

  test.each([[3, 'it takes 4'], [20, 'the same score']])('%d trials of one score: %s', (count, words) => {
    expect(parameterImportance(sampled([unit('a')], count, () => 1))).toEqual({ kind: 'UNKNOWN', why: expect.stringContaining(words) });
  });
});
