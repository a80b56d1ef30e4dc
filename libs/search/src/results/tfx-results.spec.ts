import fs from 'node:fs';
import path from 'node:path';
import { parsePythonJson, PythonFloat } from '../keras-tuner/python-json';
import { parseHyperparameters } from '../keras-tuner/space-json';
import { floatParameter, intParameter } from '../space/make-parameter';
import type { Value } from '../space/value';
import type { Objective } from '../study/objective';
import { WHOLE, type Fidelity, type TrialRecord, type TrialState } from '../study/trial-record';
import { golden, goldenSpace, searched } from '../testing/keras-tuner-golden';
import { bestHyperparameters, tunerResults } from './tfx-results';

const REAL_FILE = path.join(__dirname, '..', '..', '..', '..', '..', 'shared', 'data', 'tfx-iris-run', 'Tuner', 'best_hyperparameters', '7', 'best_hyperparameters.txt');

const LOSS: readonly Objective[] = [{ metric: 'val_loss', direction: 'MIN' }];
const idOf = (number: number): string => String(number).padStart(4, '0');
const succeeded = (...scores: readonly number[]): TrialState => ({ kind: 'SUCCEEDED', scores });
const trial = (number: number, values: Readonly<Record<string, Value>>, state: TrialState, fidelity: Fidelity = WHOLE): TrialRecord =>
  ({ number, values: new Map(Object.entries(values)), fidelity, state, measurements: [], memo: {} });
const SPACE = [floatParameter('rate', { min: 0, max: 1 }), intParameter('units', { min: 1, max: 9 })];

test('what failed, is infeasible, was cancelled or still runs is never among the results, whatever it reported', () => {
  const measured = { measurements: [{ epoch: 1, metrics: new Map([['val_loss', 0]]) }] };
  const others: readonly TrialState[] = [{ kind: 'FAILED', error: 'out of memory' }, { kind: 'INFEASIBLE', reason: 'too wide' }, { kind: 'CANCELLED' }, { kind: 'RUNNING' }, { kind: 'STOPPING' }, { kind: 'REQUESTED' }];
  const trials = others.map((state, i) => ({ ...trial(i, { rate: 0, units: 1 }, state), ...measured }));
  expect(bestHyperparameters({ space: SPACE, objectives: LOSS, trials }, idOf)).toBeUndefined();
  expect(tunerResults({ space: SPACE, objectives: LOSS, trials }, idOf)).toBe('[]');
  const best = trial(trials.length, { rate: 1, units: 2 }, succeeded(7));
  expect(tunerResults({ space: SPACE, objectives: LOSS, trials: [...trials, best] }, idOf)).toBe('[{"trial_id": "0006", "score": 7.0, "rate": 1.0, "units": 2}]');
});

test('best first, in the direction of the objective, the earlier one of equals first', () => {
  const trials = [0.5, 0.9, 0.1, 0.9].map((score, i) => trial(i, { rate: 0.5, units: i + 1 }, succeeded(score)));
  const ids = (direction: 'MIN' | 'MAX'): unknown => (JSON.parse(tunerResults({ space: SPACE, objectives: [{ metric: 'm', direction }], trials }, idOf)) as { trial_id: string }[]).map((one) => one.trial_id);
  expect(ids('MAX')).toEqual(['0001', '0003', '0000', '0002']);
  expect(ids('MIN')).toEqual(['0002', '0000', '0001', '0003']);
});

test('several objectives: the score is the sum of minima less the sum of maxima', () => {
  const objectives: readonly Objective[] = [{ metric: 'loss', direction: 'MIN' }, { metric: 'acc', direction: 'MAX' }];
  const trials = [trial(0, { rate: 0, units: 1 }, succeeded(0.5, 0.25)), trial(1, { rate: 0, units: 2 }, succeeded(0.75, 1))];
  expect(JSON.parse(tunerResults({ space: SPACE, objectives, trials }, idOf))).toEqual([{ trial_id: '0001', score: -0.25, rate: 0, units: 2 }, { trial_id: '0000', score: 0.25, rate: 0, units: 1 }]);
  expect(parseHyperparameters(bestHyperparameters({ space: SPACE, objectives, trials }, idOf) ?? '', 'best').values.get('units')).toBe(2);
});

test('a parameter of any name is told, but for the two names that the file has itself', () => {
  const names = ['score', 'trial_id', '__proto__', 'größe/3', '7'];
  const space = names.map((name) => intParameter(name, { min: 1, max: 9 }));
  const values = new Map(names.map((name, i) => [name, i + 1] as const));
  const text = tunerResults({ space, objectives: LOSS, trials: [{ ...trial(0, {}, succeeded(0.5)), values }] }, idOf);
  expect(Object.entries(JSON.parse(text)[0]).sort()).toEqual([['7', 5], ['__proto__', 3], ['größe/3', 4], ['score', 0.5], ['trial_id', '0000']]);
});

// KerasTuner's own Hyperband runs: what it kept of each trial, tuner/... values included.
test.each(golden.hyperband.map((run, i) => [i, run.space, run.max_epochs, run] as const))('run %d of KerasTuner (%s, %d epochs): the same values of every trial', (_i, name, _epochs, run) => {
  const space = goldenSpace(name);
  const trials = run.trials.map(([values, score], number): TrialRecord => {
    const of = (key: string): number => Number(values[`tuner/${key}`]);
    const parent = values['tuner/trial_id'];
    const fidelity: Fidelity = { kind: 'RUNG', iteration: 0, bracket: of('bracket'), round: of('round'), epochs: of('epochs'), initialEpoch: of('initial_epoch'), ...(parent !== undefined && { parent: Number(parent) }) };
    return { ...trial(number, {}, succeeded(score), fidelity), values: searched(values) };
  });
  const results = JSON.parse(tunerResults({ space, objectives: LOSS, trials }, idOf)) as { trial_id: string; score: number }[];
  expect(results).toHaveLength(run.trials.length);
  for (const { trial_id, score, ...values } of results) {
    const [expected, expectedScore] = run.trials[Number(trial_id)] ?? [];
    expect(score).toBe(expectedScore);
    expect(values).toEqual(expected);
  }
});

test('best_hyperparameters.txt has the space and the best values, floats as floats', () => {
  const space = goldenSpace('plain');
  const values = searched(golden.random_search.find((run) => run.space === 'plain')?.trials[0] ?? {});
  const text = bestHyperparameters({ space, objectives: LOSS, trials: [{ ...trial(0, {}, succeeded(1)), values }] }, idOf) ?? '';
  const written = parsePythonJson(text, 'ours') as { readonly space: unknown; readonly values: Readonly<Record<string, unknown>> };
  expect(written.space).toEqual((parsePythonJson(golden.spaces['plain'] ?? '', 'golden') as { readonly space: unknown }).space);
  expect(written.values['lr']).toEqual(new PythonFloat(Number(values.get('lr'))));
  expect(written.values['u']).toBe(values.get('u'));
});

const whereRealRunIs = fs.existsSync(REAL_FILE) ? test : test.skip;
whereRealRunIs('a real file of TFX (shared/data/tfx-iris-run) comes out as it went in, in the newer form', () => {
  const real = fs.readFileSync(REAL_FILE, 'utf8');
  const { space, values } = parseHyperparameters(real, 'best_hyperparameters.txt');
  const text = bestHyperparameters({ space, objectives: LOSS, trials: [{ ...trial(0, {}, succeeded(1)), values }] }, idOf) ?? '';
  expect(parseHyperparameters(text, 'ours')).toEqual({ space, values });
  const newer = real.replaceAll('"values": [', '"conditions": [], "values": [').replace('"default": 2, ', '"default": 2, "conditions": [], ').replace('"sampling": null', '"sampling": "linear"');
  expect(text).toBe(newer);
});
