import { booleanParameter, choiceParameter, floatParameter, intParameter } from '../space/make-parameter';
import { valuesKey } from '../space/value';
import { golden, goldenSpace, searched } from '../testing/keras-tuner-golden';
import { newHistory, simulate, succeeded } from '../testing/study-simulation';
import { GridSearch } from './grid-search';
import { pythonSetOrder } from './python-set-order';

describe('order of a Python set', () => {
  test.each(golden.set_orders)('%j', (values, order) => {
    expect(pythonSetOrder(values)).toEqual(order);
  });
});

describe('grid search', () => {
  test.each(golden.grid_search)('$space: KerasTuner\'s trials in KerasTuner\'s order', ({ space, trials }) => {
    const { history, end } = simulate(new GridSearch(), newHistory(goldenSpace(space)), () => succeeded(1), { maxTrials: 400 });
    expect(history.trials.map(({ values }) => values)).toEqual(trials.map(searched));
    expect(end?.kind).toBe(trials.length < 400 ? 'EXHAUSTED' : undefined);
  });

  test('many workers get the same trials in the same order', () => {
    const run = (workers: number) => simulate(new GridSearch(), newHistory(goldenSpace('mixed')), () => succeeded(1), { workers }).history.trials.map(({ values }) => values);
    expect(run(20)).toEqual(run(1));
  });

  test('a parameter that a trial shows later is varied for what was tried before, and nothing runs twice', () => {
    const grid = new GridSearch();
    const small = [choiceParameter('a', [1, 2, 3])];
    const { history } = simulate(grid, newHistory(small), () => succeeded(1), { maxTrials: 2 });
    const found = booleanParameter('b');
    const grown = { ...history, space: [...small, found], trials: history.trials.map((trial) => ({ ...trial, values: new Map([...trial.values, ['b', false]]) })) };
    const { history: all, end } = simulate(grid, grown, () => succeeded(1));
    expect(all.trials.slice(2).map(({ values }) => [values.get('a'), values.get('b')])).toEqual([[1, true], [2, true], [3, false], [3, true]]);
    expect(new Set(all.trials.map(({ values }) => valuesKey(values))).size).toBe(6);
    expect(end).toMatchObject({ kind: 'EXHAUSTED' });
  });

  test('who was begun before a parameter was known has its default: no combination runs twice, though one was under way', () => {
    const grid = new GridSearch();
    const known = [booleanParameter('a')];
    const { history } = simulate(grid, newHistory(known), () => succeeded(1), { maxTrials: 2 });
    // The first told of the parameter and has its value; the second ran without it.
    const space = [...known, booleanParameter('b')];
    const trials = history.trials.map((trial, i) => (i === 0 ? { ...trial, values: new Map([...trial.values, ['b', false]]) } : trial));
    const { history: all } = simulate(grid, { ...history, space, trials }, () => succeeded(1));
    expect(all.trials.slice(2).map(({ values }) => Object.fromEntries(values))).toEqual([{ a: false, b: true }, { a: true, b: true }]);
  });

  test('at the end it waits for those that run, for they may show new parameters', () => {
    const { history } = simulate(new GridSearch(), newHistory([booleanParameter('b')]), () => succeeded(1), { maxTrials: 2 });
    expect(new GridSearch().suggest({ ...history, trials: history.trials.map((trial) => ({ ...trial, state: { kind: 'RUNNING' } as const })) })).toMatchObject({ kind: 'WAIT' });
  });

  test('10,000 choices, of which it takes the next one', () => {
    const space = [choiceParameter('c', Array.from({ length: 10_000 }, (_, i) => `c${i}`)), intParameter('i', { min: 4, max: 4 }), floatParameter('f', { min: 1, max: 1 })];
    const { history } = simulate(new GridSearch(), newHistory(space), () => succeeded(1), { maxTrials: 50 });
    expect(history.trials.map(({ values }) => values.get('c'))).toEqual(Array.from({ length: 50 }, (_, i) => `c${i}`));
  });
});
