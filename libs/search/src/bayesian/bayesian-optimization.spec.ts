import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from '../space/make-parameter';
import { checkValues } from '../space/check-values';
import { defaultValues } from '../space/search-space';
import { valuesKey, type Values } from '../space/value';
import type { StudyHistory } from '../study/study-history';
import type { Memo, TrialRecord, TrialState } from '../study/trial-record';
import { newHistory, simulate, succeeded, withTrial } from '../testing/study-simulation';
import { RandomSearch } from '../random/random-search';
import { randomOf } from '../numeric/random';
import { BayesianOptimization } from './bayesian-optimization';
import { hypervolume } from './hypervolume';
import { recommendTrial } from './recommend';

const search = new BayesianOptimization();
const square = [floatParameter('x', { min: -5, max: 5 }), floatParameter('y', { min: -5, max: 5 })];
const number = (values: Values, name: string): number => Number(values.get(name));
/** A bent valley, least at (1, 2). */
const valley = (values: Values): number => (number(values, 'x') - 1) ** 2 + 3 * (number(values, 'y') - 1 - number(values, 'x') ** 2) ** 2;
const bowl = (values: Values): number => (number(values, 'x') - 1) ** 2 + 3 * (number(values, 'y') - 2) ** 2;
const scored = (f: (values: Values) => number) => ({ values }: TrialRecord): TrialState => succeeded(f(values));
const bestOf = (history: StudyHistory): number => Math.min(...history.trials.map(({ state }) => (state.kind === 'SUCCEEDED' ? state.scores[0] ?? Infinity : Infinity)));
const keysOf = ({ trials }: StudyHistory) => trials.map(({ values }) => valuesKey(values));

/** What a database gives back: the same content, no object the same. */
const reread = (history: StudyHistory): StudyHistory => ({
  ...history, space: structuredClone(history.space),
  trials: history.trials.map((trial) => ({ ...trial, values: new Map(trial.values), memo: JSON.parse(JSON.stringify(trial.memo)) as Memo })),
});

describe('BayesianOptimization', () => {
  it('tries the defaults first', () => {
    expect(search.suggest(newHistory(square))).toMatchObject({ kind: 'TRIAL', values: defaultValues(square), fidelity: { kind: 'WHOLE' } });
  });

  it.each([['a bowl', bowl, 100], ['a bent valley', valley, 2]])('comes nearer to the least value of %s than random search', (_name, f, times) => {
    const regrets = [1, 2, 3].map((seed) => bestOf(simulate(search, newHistory(square, seed), scored(f), { maxTrials: 30 }).history));
    const atRandom = [1, 2, 3].map((seed) => bestOf(simulate(new RandomSearch(), newHistory(square, seed), scored(f), { maxTrials: 30 }).history));
    expect(Math.max(...regrets)).toBeLessThan(Math.min(...atRandom) / times);
  });

  it('suggests the same after a restart at any moment, with trials running', () => {
    const { history } = simulate(search, newHistory(square, 7), scored(valley), { maxTrials: 20, workers: 3 });
    for (let count = 0; count < 20; count++) {
      const then = { ...history, trials: history.trials.slice(0, count).map((trial) => (trial.number > count - 3 ? { ...trial, state: { kind: 'RUNNING' } as const } : trial)) };
      const suggestion = new BayesianOptimization().suggest(reread(then));
      expect(suggestion).toEqual(search.suggest(then));
      expect(suggestion).toMatchObject({ values: history.trials[count]?.values, memo: history.trials[count]?.memo });
    }
  });

  it('maximises f as it minimises -f', () => {
    const least = simulate(search, newHistory(square, 3), scored(valley), { maxTrials: 12 }).history;
    const most = simulate(search, { ...newHistory(square, 3), objectives: [{ metric: 'score', direction: 'MAX' }] }, scored((values) => -valley(values)), { maxTrials: 12 }).history;
    expect(keysOf(most)).toEqual(keysOf(least));
  });

  it.each([
    ['booleans and choices', [booleanParameter('a'), choiceParameter('b', ['x', 'y', 'z']), intParameter('c', { min: 1, max: 4 })], 24],
    ['conditions', [choiceParameter('a', ['x', 'y']), intParameter('b', { min: 1, max: 5, conditions: [{ parent: 'a', values: ['y'] }] })], 6],
    ['a constant', [fixedParameter('a', 1), floatParameter('b', { min: 2, max: 2 })], 1],
    ['no parameters', [], 1],
  ])('tries each point of a finite space once, and says when there are no more: %s', (_name, space, points) => {
    const { history, end } = simulate(search, newHistory(space), scored((values) => [...values.values()].filter((value) => value === 'x' || value === true).length), { workers: 3 });
    expect(new Set(keysOf(history)).size).toBe(points);
    expect(history.trials).toHaveLength(points);
    expect(end).toEqual({ kind: 'EXHAUSTED', why: `all ${points} points of the space have been tried` });
  });

  it('waits, in a space with no point left, for trials that run', () => {
    const first = search.suggest(newHistory([]));
    if (first.kind !== 'TRIAL') throw new Error('no trial');
    expect(search.suggest(withTrial(newHistory([]), first)).kind).toBe('WAIT');
  });

  it('never repeats a point in a space with flat directions', () => {
    const space = [floatParameter('x', { min: 0, max: 1 }), intParameter('n', { min: 1, max: 3 })];
    const { history } = simulate(search, newHistory(space, 2), scored((values) => (number(values, 'x') > 0.2 ? 1 : 0)), { maxTrials: 40 });
    expect(new Set(keysOf(history)).size).toBe(40);
  });

  it('gives 200 workers points apart, of which none has a score yet, or a few have', () => {
    const closest = (history: StudyHistory) => Math.min(...history.trials.flatMap((a, i) => history.trials.slice(i + 1).map((b) => (
      Math.hypot(number(a.values, 'x') - number(b.values, 'x'), number(a.values, 'y') - number(b.values, 'y'))))));
    let started = newHistory(square, 5);
    for (let i = 0; i < 200; i++) {
      const suggestion = search.suggest(started);
      if (suggestion.kind === 'TRIAL') started = withTrial(started, suggestion);
    }
    expect(closest(started)).toBeGreaterThan(0.01);
    let running = simulate(search, newHistory(square, 5), scored(valley), { maxTrials: 15 }).history;
    for (let i = 0; i < 30; i++) {
      const suggestion = search.suggest(running);
      if (suggestion.kind === 'TRIAL') running = withTrial(running, suggestion);
    }
    expect(closest({ ...running, trials: running.trials.slice(15) })).toBeGreaterThan(0.01);
  });

  it('keeps away from where trials fail', () => {
    const state = ({ values }: TrialRecord): TrialState => (number(values, 'x') > 0 ? { kind: 'INFEASIBLE', reason: 'x > 0' } : succeeded(bowl(values)));
    const { history } = simulate(search, newHistory(square, 4), state, { maxTrials: 40 });
    expect(history.trials.slice(20).filter((trial) => trial.state.kind === 'INFEASIBLE').length).toBeLessThan(8);
    expect(bestOf(history)).toBeLessThan(1.5); // 1 at (0, 2) is the least with x <= 0.
  });

  it('goes on with the initial design while nothing succeeds', () => {
    const { history } = simulate(search, newHistory(square), () => ({ kind: 'FAILED', error: 'out of memory' }), { maxTrials: 20 });
    expect(new Set(keysOf(history)).size).toBe(20);
  });

  it.each([['equal', () => 1], ['huge', (v: Values) => 1e300 * valley(v)], ['tiny', (v: Values) => 1e-300 * valley(v)]])('bears scores that are %s', (_name, f) => {
    expect(new Set(keysOf(simulate(search, newHistory(square), scored(f), { maxTrials: 15 }).history)).size).toBe(15);
  });

  it('finds the branch and the child of a conditional space', () => {
    const space = [
      choiceParameter('optimizer', ['adam', 'sgd', 'rmsprop', 'ftrl']), floatParameter('lr', { min: 1e-5, max: 0.1, sampling: 'LOG' }),
      floatParameter('momentum', { min: 0, max: 1, conditions: [{ parent: 'optimizer', values: ['sgd'] }] }),
    ];
    const f = (values: Values) => (Math.log10(number(values, 'lr')) + 3) ** 2 + (values.get('optimizer') === 'sgd' ? 4 * (number(values, 'momentum') - 0.85) ** 2 : 0.3);
    const { history } = simulate(search, newHistory(space, 6), scored(f), { maxTrials: 35 });
    for (const { values } of history.trials) expect(checkValues(space, values)).toEqual([]);
    expect(bestOf(history)).toBeLessThan(0.01);
  });

  it('takes a choice of 10,000', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `v${i}`);
    const space = [choiceParameter('name', names), floatParameter('x', { min: 0, max: 1 })];
    const { history } = simulate(search, newHistory(space), scored((values) => (number(values, 'x') - 0.5) ** 2), { maxTrials: 15 });
    expect(bestOf(history)).toBeLessThan(0.01);
  });

  it('goes on when the space has grown', () => {
    const { history } = simulate(search, newHistory(square), scored(valley), { maxTrials: 15 });
    const grown = { ...history, space: [...square, booleanParameter('grown/neu')] };
    const suggestion = search.suggest(grown);
    expect(suggestion).toMatchObject({ kind: 'TRIAL' });
    if (suggestion.kind === 'TRIAL') expect(checkValues(grown.space, suggestion.values)).toEqual([]);
  });

  it('does not read memos of other algorithms', () => {
    const { history } = simulate(search, newHistory(square), scored(valley), { maxTrials: 12 });
    const memos: readonly Memo[] = [{ gaussian: { model: 'ARD' } }, { gaussian: [1] }, { gaussian: { model: 'ARD', evidence: 1, parameters: [['x']] } }, { seedState: 4 }];
    for (const memo of memos) {
      expect(search.suggest({ ...history, trials: history.trials.map((trial) => ({ ...trial, memo })) }).kind).toBe('TRIAL');
    }
  });

  it('honours numInitialPoints: so many points do not depend on scores', () => {
    const early = new BayesianOptimization({ numInitialPoints: 15 });
    const one = simulate(early, newHistory(square), scored(valley), { maxTrials: 16 }).history;
    const other = simulate(early, newHistory(square), scored((values) => number(values, 'x')), { maxTrials: 16 }).history;
    expect(keysOf(other).slice(0, 15)).toEqual(keysOf(one).slice(0, 15));
    expect(keysOf(other)[15]).not.toBe(keysOf(one)[15]);
  });

  it('explores more with a larger beta', () => {
    const spread = (beta: number) => {
      const { trials } = simulate(new BayesianOptimization({ beta }), newHistory(square, 9), scored(valley), { maxTrials: 25 }).history;
      return trials.slice(10).reduce((sum, { values }) => sum + Math.hypot(number(values, 'x') - 1, number(values, 'y') - 2), 0);
    };
    expect(spread(20)).toBeGreaterThan(2 * spread(0.5));
  });

  it.each([
    [{ numInitialPoints: 0 }, 'options.numInitialPoints: 0 points: it must be an integer of at least 1'],
    [{ alpha: 2 }, 'options.alpha: 2: it must be above 0 and at most 1'],
    [{ beta: NaN }, 'options.beta: NaN: it must be a finite number of at least 0'],
  ])('refuses %p', (options, message) => {
    expect(() => new BayesianOptimization(options)).toThrow(message);
  });

  it.each([2, 3])('covers the front of %p objectives better than random search', (count) => {
    const objectives = Array.from({ length: count }, (_, i) => ({ metric: `f${i}`, direction: i === 1 ? 'MAX' as const : 'MIN' as const }));
    const corners = [[-2, 0], [2, 0], [0, 3]];
    const costs = (values: Values) => corners.slice(0, count).map(([x = 0, y = 0]) => (number(values, 'x') - x) ** 2 + (number(values, 'y') - y) ** 2);
    const volume = (algorithm: BayesianOptimization | RandomSearch) => {
      const { history } = simulate(algorithm, { ...newHistory(square, 8), objectives }, ({ values }) => succeeded(...costs(values).map((cost, i) => (i === 1 ? -cost : cost))), { maxTrials: 30 });
      return hypervolume(history.trials.map(({ values }) => costs(values)), objectives.map(() => 20));
    };
    expect(volume(search)).toBeGreaterThan(volume(new RandomSearch()));
  });
});

describe('recommendTrial', () => {
  it('is the best trial when scores are exact', () => {
    const { history } = simulate(search, newHistory(square, 2), scored(valley), { maxTrials: 20 });
    expect(recommendTrial(history)?.state).toEqual(succeeded(bestOf(history)));
  });

  it('is not the luckiest one when they are noisy', () => {
    const noisy = (seed: number) => simulate(search, newHistory(square, seed), ({ values, number: index }) => (
      succeeded(0.05 * number(values, 'x') ** 2 + 0.05 * number(values, 'y') ** 2 + 0.3 * randomOf(seed, index).normal())), { maxTrials: 30 }).history;
    const truth = (trial: TrialRecord | undefined) => (trial === undefined ? NaN : 0.05 * number(trial.values, 'x') ** 2 + 0.05 * number(trial.values, 'y') ** 2);
    const histories = [1, 2, 3, 4].map(noisy);
    const luckiest = (history: StudyHistory) => history.trials.find(({ state }) => state.kind === 'SUCCEEDED' && state.scores[0] === bestOf(history));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect(sum(histories.map((history) => truth(recommendTrial(history))))).toBeLessThan(sum(histories.map((history) => truth(luckiest(history)))));
  });

  it('is none when no trial has succeeded', () => {
    expect(recommendTrial(newHistory(square))).toBeUndefined();
  });
});
