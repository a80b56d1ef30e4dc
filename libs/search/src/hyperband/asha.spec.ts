import { booleanParameter, floatParameter } from '../space/make-parameter';
import { RandomSampler } from '../random/random-sampler';
import type { TrialRecord } from '../study/trial-record';
import { newHistory, simulate, succeeded } from '../testing/study-simulation';
import { Asha, ASHA_DEFAULTS, rungEpochs, type AshaOptions } from './asha';

const space = [floatParameter('x', { min: 0, max: 1 })];
const asha = (options: Partial<AshaOptions> = {}) => new Asha(new RandomSampler(), { ...ASHA_DEFAULTS, maxEpochs: 9, ...options });
const byX = ({ values }: TrialRecord) => succeeded(Number(values.get('x')));
const rungOf = ({ fidelity }: TrialRecord) => {
  if (fidelity.kind !== 'RUNG') throw new Error('ASHA has made a trial without a rung');
  return fidelity;
};

describe('ASHA', () => {
  test.each([
    [{ maxEpochs: 9, factor: 3, minEpochs: 1 }, [1, 3, 9]], [{ maxEpochs: 100, factor: 3, minEpochs: 1 }, [2, 4, 12, 34, 100]],
    [{ maxEpochs: 81, factor: 3, minEpochs: 5 }, [9, 27, 81]], [{ maxEpochs: 7, factor: 4, minEpochs: 7 }, [7]],
  ])('%j has rungs %j', (options, rungs) => { expect(rungEpochs(options)).toEqual(rungs); });

  test.each([[{ minEpochs: 0 }, 'options.minEpochs'], [{ minEpochs: 10 }, 'options.minEpochs'], [{ factor: 1 }, 'options.factor']])('%j is refused, named', (options, field) => {
    expect(() => asha(options)).toThrow(field);
  });

  test('one worker promotes as soon as a trial is among the best third of its rung', () => {
    // By hand: of 3 ended in rung 0 the best one, trial 1, goes on as trial 3. With trial 5 a better one is best of 5, and goes on
    // as trial 6. With trial 7 there are 6, of which the best two may: 5, who has, and 7. Rung 1 has 3 then, the best is 8.
    const scores = [5, 3, 4, 3, 6, 1, 2, 1, 1, 9, 9];
    const { history } = simulate(asha(), newHistory(space), ({ number }) => succeeded(scores[number] ?? 0), { maxTrials: 11 });
    expect(history.trials.map((trial) => [rungOf(trial).round, rungOf(trial).parent])).toEqual([
      [0, undefined], [0, undefined], [0, undefined], [1, 1], [0, undefined], [0, undefined], [1, 5], [0, undefined], [1, 7], [2, 8], [0, undefined],
    ]);
  });

  test('with any number of workers no one waits, a third goes on, no trial twice and each from its own checkpoint', () => {
    for (const workers of [1, 7, 200]) {
      const { history, end } = simulate(asha(), newHistory(space, workers), byX, { workers, maxTrials: 600 });
      expect(end).toBeUndefined();
      const at = (round: number) => history.trials.filter((trial) => rungOf(trial).round === round);
      const parents = history.trials.flatMap((trial) => rungOf(trial).parent ?? []);
      expect(new Set(parents).size).toBe(parents.length);
      for (const round of [1, 2]) {
        // More than a third by those that went on early and were overtaken, about sqrt(n) (section 3.3 of the paper); fewer by what still runs.
        expect(at(round).length).toBeLessThan(at(round - 1).length / 3 + 2 * Math.sqrt(at(round - 1).length));
        expect(at(round).length).toBeGreaterThan(at(round - 1).length / 3 - workers / 2 - 2);
      }
      for (const trial of history.trials) {
        const { parent, initialEpoch } = rungOf(trial);
        const from = parent === undefined ? undefined : history.trials[parent];
        expect(initialEpoch).toBe(from ? rungOf(from).epochs : 0);
        if (from) expect(trial.values).toEqual(from.values);
      }
    }
  });

  test('failed trials have ended behind the others, and never go on', () => {
    const { history } = simulate(asha(), newHistory(space), (trial) => (trial.number % 3 === 0 ? { kind: 'FAILED', error: 'x' } : byX(trial)), { maxTrials: 100 });
    const failed = new Set(history.trials.filter(({ state }) => state.kind === 'FAILED').map(({ number }) => number));
    expect(history.trials.some((trial) => failed.has(rungOf(trial).parent ?? -1))).toBe(false);
    expect(history.trials.some((trial) => rungOf(trial).round === 2)).toBe(true);
  });

  test('a space without further points ends when nothing runs any more', () => {
    const { history, end } = simulate(asha(), newHistory([booleanParameter('b')]), () => succeeded(1), { workers: 5 });
    expect(history.trials).toHaveLength(2);
    expect(end).toMatchObject({ kind: 'EXHAUSTED' });
  });

  test('with larger maxEpochs, trials that were finished go on', () => {
    const { history } = simulate(asha(), newHistory(space), byX, { maxTrials: 60 });
    const finished = history.trials.filter((trial) => rungOf(trial).epochs === 9).length;
    expect(finished).toBeGreaterThanOrEqual(3);
    const { history: all } = simulate(asha({ maxEpochs: 27 }), history, byX, { maxTrials: 61 });
    const added = all.trials[60];
    expect(added && rungOf(added)).toMatchObject({ round: 3, epochs: 27, initialEpoch: 9 });
  });
});
