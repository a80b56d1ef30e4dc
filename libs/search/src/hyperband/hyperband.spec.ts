import { booleanParameter, floatParameter } from '../space/make-parameter';
import { RandomSampler } from '../random/random-sampler';
import { golden, goldenSpace, searched } from '../testing/keras-tuner-golden';
import { newHistory, simulate, succeeded, withState, withTrial } from '../testing/study-simulation';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { Hyperband, HYPERBAND_DEFAULTS } from './hyperband';
import { Schedule } from './sweep';

const space = [floatParameter('x', { min: 0, max: 1 })];
const hyperband = (maxEpochs: number, factor = 3, rest: Partial<typeof HYPERBAND_DEFAULTS> = {}) =>
  new Hyperband(new RandomSampler(), { ...HYPERBAND_DEFAULTS, maxEpochs, factor, ...rest });
const byX = ({ values }: TrialRecord) => succeeded(Number(values.get('x')));
/** The C library behind the golden file rounds one power in a thousand wrongly. */
const lastBit = (value: number): unknown => expect.closeTo(value, 15 - Math.ceil(Math.log10(value)));
const rungOf = ({ fidelity }: TrialRecord) => {
  if (fidelity.kind !== 'RUNG') throw new Error('Hyperband has made a trial without a rung');
  return fidelity;
};

describe('schedule', () => {
  test.each(golden.schedules)('%d epochs by %d: KerasTuner\'s brackets, sizes and epochs', (maxEpochs, factor, brackets) => {
    const schedule = new Schedule({ maxEpochs, factor });
    expect(Array.from({ length: schedule.bracketCount }, (_, b) => Array.from({ length: b + 1 }, (_, r) => [schedule.size(b, r), schedule.epochs(b, r)]))).toEqual(brackets);
  });

  test.each([[100, 254, 2672], [81, 211, 1767]])('%d epochs: %d trials, %d epochs in all', (maxEpochs, trialCount, epochCount) => {
    const { history } = simulate(hyperband(maxEpochs), newHistory(space), byX);
    expect(history.trials).toHaveLength(trialCount);
    expect(history.trials.map(rungOf).reduce((sum, { epochs, initialEpoch }) => sum + epochs - initialEpoch, 0)).toBe(epochCount);
  });
});

describe('Hyperband', () => {
  test.each(golden.hyperband)('$max_epochs epochs by $factor, $iterations sweeps, $workers workers, seed $seed: the same run as KerasTuner\'s', (run) => {
    const algorithm = hyperband(run.max_epochs, run.factor, { iterations: run.iterations });
    const { history } = simulate(algorithm, newHistory(goldenSpace(run.space), run.seed), ({ number }) => succeeded(run.trials[number]?.[1] ?? NaN), { workers: run.workers });
    const told = history.trials.map((trial) => {
      const { epochs, initialEpoch, round, parent } = rungOf(trial);
      return { values: trial.values, epochs, initialEpoch, round, parent };
    });
    expect(told).toEqual(run.trials.map(([values]) => ({
      values: new Map([...searched(values)].map(([name, value]) => [name, name === 'lr' ? lastBit(Number(value)) : value])), epochs: values['tuner/epochs'], initialEpoch: values['tuner/initial_epoch'], round: values['tuner/round'],
      parent: values['tuner/trial_id'] === undefined ? undefined : Number(values['tuner/trial_id']),
    })));
    // With one worker KerasTuner's bracket is right; with several it writes down the newest instead of the trial's own.
    if (run.workers === 1) expect(history.trials.map((trial) => rungOf(trial).bracket)).toEqual(run.trials.map(([values]) => values['tuner/bracket']));
  });

  test('the best of a round goes on from its own checkpoint, the direction respected', () => {
    const start: StudyHistory = { ...newHistory(space), objectives: [{ metric: 'score', direction: 'MAX' }] };
    const { history } = simulate(hyperband(9), start, byX);
    for (const trial of history.trials) {
      const { parent, initialEpoch } = rungOf(trial);
      if (parent === undefined) continue;
      const from = history.trials[parent];
      expect(from?.values).toEqual(trial.values);
      expect(from && rungOf(from).epochs).toBe(initialEpoch);
    }
    const [top] = history.trials.filter((trial) => rungOf(trial).bracket === 2 && rungOf(trial).round === 2);
    const first = history.trials.filter((trial) => rungOf(trial).bracket === 2 && rungOf(trial).round === 0);
    expect(top?.values.get('x')).toBe(Math.max(...first.map(({ values }) => Number(values.get('x')))));
  });

  test('failed trials are thrown out first, and every round is filled from the others', () => {
    const { history } = simulate(hyperband(9), newHistory(space), (trial) => (trial.number % 4 === 1 && rungOf(trial).round === 0 ? { kind: 'FAILED', error: 'x' } : byX(trial)), { workers: 3 });
    const sizes = (bracket: number) => [0, 1, 2].slice(0, bracket + 1).map((round) => history.trials.filter((trial) => rungOf(trial).bracket === bracket && rungOf(trial).round === round).length);
    const schedule = new Schedule({ maxEpochs: 9, factor: 3 });
    for (const bracket of [2, 1]) expect(sizes(bracket)).toEqual(Array.from({ length: bracket + 1 }, (_, round) => schedule.size(bracket, round)));
  });

  test('one success among failures gets through to the last round', () => {
    const { history, end } = simulate(hyperband(9, 3), newHistory(space), (trial) => (trial.number === 4 || rungOf(trial).round > 0 ? byX(trial) : { kind: 'INFEASIBLE', reason: 'x' }));
    expect(history.trials.filter((trial) => rungOf(trial).bracket === 2 && rungOf(trial).round > 0).map((trial) => [rungOf(trial).round, rungOf(trial).parent])).toEqual([[1, 4], [2, expect.any(Number)]]);
    expect(end).toMatchObject({ kind: 'EXHAUSTED' });
  });

  test('waits for what runs when the space holds no more points', () => {
    const first = hyperband(9).suggest(newHistory([booleanParameter('b')]));
    if (first.kind !== 'TRIAL') throw new Error(first.kind);
    let history = withTrial(newHistory([booleanParameter('b')]), first);
    const next = hyperband(9).suggest(history);
    if (next.kind !== 'TRIAL') throw new Error(next.kind);
    history = withTrial(history, next);
    expect(hyperband(9).suggest(history)).toMatchObject({ kind: 'WAIT' });
    history = withState(withState(history, 0, succeeded(1)), 1, succeeded(2));
    expect(hyperband(9).suggest(history)).toMatchObject({ kind: 'EXHAUSTED' });
  });

  test('what is enqueued takes places in round 0', () => {
    const suggestion = hyperband(9).suggest({ ...newHistory(space), enqueued: [new Map([['x', 0.25]])] });
    expect(suggestion).toMatchObject({ kind: 'TRIAL', origin: 'ENQUEUED', values: new Map([['x', 0.25]]), fidelity: { round: 0, bracket: 2, epochs: 1 } });
  });

  test('a finished study goes on with a larger sweep, and repeats none of its points', () => {
    const { history, end } = simulate(hyperband(9), newHistory(space), byX);
    expect(end).toMatchObject({ kind: 'EXHAUSTED' });
    const extended = hyperband(27, 3, { earlierSweeps: [{ maxEpochs: 9, factor: 3 }] });
    const { history: all } = simulate(extended, history, byX);
    const added = all.trials.slice(history.trials.length);
    expect(added.every((trial) => rungOf(trial).iteration === 1)).toBe(true);
    expect(added).toHaveLength(simulate(hyperband(27), newHistory(space), byX).history.trials.length);
    const fresh = all.trials.filter((trial) => rungOf(trial).round === 0).map(({ values }) => values.get('x'));
    expect(new Set(fresh).size).toBe(fresh.length);
  });

  test.each([[{ maxEpochs: 0 }, 'options.maxEpochs'], [{ factor: 1 }, 'options.factor'], [{ iterations: 0.5 }, 'options.iterations'], [{ earlierSweeps: [{ maxEpochs: 1.5, factor: 3 }] }, 'options.earlierSweeps[0].maxEpochs']])('%j is refused, named', (options, field) => {
    expect(() => hyperband(81, 3, options)).toThrow(field);
  });
});
