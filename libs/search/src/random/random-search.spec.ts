import { golden, goldenSpace, searched } from '../testing/keras-tuner-golden';
import { newHistory, simulate, succeeded, withState, withTrial } from '../testing/study-simulation';
import { EnqueuedFirst } from '../study/enqueued';
import { choiceParameter } from '../space/make-parameter';
import { valuesKey } from '../space/value';
import { Mt19937 } from './mt19937';
import { RandomSearch } from './random-search';

describe('Mersenne Twister', () => {
  test.each(golden.mt19937)('seed %d draws what CPython draws', (seed, draws) => {
    const generator = new Mt19937(seed);
    const all = Array.from({ length: 700 }, () => generator.random());
    expect(all.filter((_, i) => i % 233 === 0)).toEqual(draws);
  });

  test('a seed that is no safe integer is refused', () => {
    expect(() => new Mt19937(0.5)).toThrow('a seed is an integer');
  });
});

describe('random search', () => {
  test.each(golden.random_search)('$space with seed $seed: the same trials as KerasTuner, to the last bit', ({ space, seed, trials }) => {
    const { history, end } = simulate(new RandomSearch(), newHistory(goldenSpace(space), seed), () => succeeded(1), { maxTrials: 60 });
    expect(history.trials.map(({ values }) => values)).toEqual(trials.map(searched));
    expect(end?.kind).toBe(trials.length < 60 ? 'EXHAUSTED' : undefined);
  });

  test('the example of the facts', () => {
    const [first] = golden.random_search[0]?.trials ?? [];
    expect(first).toEqual({ lr: 0.008284768840933801, u: 32, a: 'y', b: false });
  });

  test('a history replayed gives the same suggestion, whatever has become of the trials', () => {
    const search = new RandomSearch();
    const { history } = simulate(search, newHistory(goldenSpace('mixed'), 3), () => succeeded(1), { maxTrials: 10 });
    const failed = history.trials.reduce((h, { number }) => withState(h, number, { kind: 'FAILED', error: 'x' }), history);
    expect(new RandomSearch().suggest(failed)).toEqual(search.suggest(history));
  });

  test('200 workers get 200 different points', () => {
    const { history } = simulate(new RandomSearch(), newHistory(goldenSpace('plain'), 3), () => succeeded(1), { workers: 200, maxTrials: 200 });
    expect(new Set(history.trials.map(({ values }) => valuesKey(values))).size).toBe(200);
  });

  test('what is tried follows the history: other values, fewer trials, more', () => {
    const search = new RandomSearch();
    const { history } = simulate(search, newHistory(goldenSpace('tiny'), 5), () => succeeded(1), { maxTrials: 5 });
    for (const other of [{ ...history, trials: history.trials.slice(0, 2) }, history, { ...history, trials: history.trials.map((trial) => ({ ...trial, values: new Map([['a', 1]]) })) }]) {
      expect(search.suggest(other)).toEqual(new RandomSearch().suggest(other));
    }
  });

  test('with all points tried it waits for those that run, for they may show new parameters', () => {
    const { history } = simulate(new RandomSearch(), newHistory([]), () => succeeded(1), { maxTrials: 1 });
    expect(new RandomSearch().suggest(withState(history, 0, { kind: 'RUNNING' }))).toMatchObject({ kind: 'WAIT' });
  });

  test('a space without parameters has one point', () => {
    const { history, end } = simulate(new RandomSearch(), newHistory([], 3), () => succeeded(1));
    expect(history.trials.map(({ values }) => values)).toEqual([new Map()]);
    expect(end).toEqual({ kind: 'EXHAUSTED', why: 'all 1 points of the space have been tried' });
  });

  test.each([[3, /^all 3 points of the space have been tried$/], [40, /^\d+ of 40 points of the space have been tried, among them 21 random ones in a row$/]])('at the end of %d points it says how many there are', (count, words) => {
    const space = [choiceParameter('c', Array.from({ length: count }, (_, i) => i))];
    const { end } = simulate(new RandomSearch(), newHistory(space, 1), () => succeeded(1));
    expect(end).toEqual({ kind: 'EXHAUSTED', why: expect.stringMatching(words) });
  });

  test('what is enqueued comes first, completed, and does not shift what follows', () => {
    const start = newHistory(goldenSpace('plain'), 42);
    const search = new EnqueuedFirst(new RandomSearch());
    const first = search.suggest({ ...start, enqueued: [new Map([['u', 64]])] });
    expect(first).toMatchObject({ kind: 'TRIAL', origin: 'ENQUEUED', values: new Map<string, unknown>([['lr', 1e-4], ['u', 64], ['a', 'x'], ['b', false]]) });
    if (first.kind !== 'TRIAL') throw new Error(first.kind);
    const after = withTrial({ ...start, enqueued: [new Map([['u', 64]])] }, first);
    expect(after.enqueued).toEqual([]);
    expect(search.suggest(after)).toEqual(search.suggest(start));
  });
});
