import { Hyperband, HYPERBAND_DEFAULTS } from '../hyperband/hyperband';
import { Asha, ASHA_DEFAULTS } from '../hyperband/asha';
import { RandomSampler } from '../random/random-sampler';
import { booleanParameter, floatParameter } from '../space/make-parameter';
import { valuesKey, type Values } from '../space/value';
import type { Sampler } from '../study/algorithm';
import type { TrialRecord } from '../study/trial-record';
import { newHistory, simulate, succeeded } from '../testing/study-simulation';
import { GaussianSampler } from './gaussian-sampler';

const MAX_EPOCHS = 27;
const space = [floatParameter('x', { min: 0, max: 1 }), floatParameter('y', { min: 0, max: 1 })];
const final = (values: Values) => (Number(values.get('x')) - 0.7) ** 2 + (Number(values.get('y')) - 0.2) ** 2;
/** A curve that comes down to `final`, the faster the larger x. */
const atEpochs = ({ values, fidelity }: TrialRecord) => final(values) + 0.5 * (fidelity.kind === 'RUNG' ? fidelity.epochs : MAX_EPOCHS) ** -(0.5 + Number(values.get('x')));
const hyperband = (sampler: Sampler) => new Hyperband(sampler, { ...HYPERBAND_DEFAULTS, maxEpochs: MAX_EPOCHS });
const sampler = new GaussianSampler({ maxEpochs: MAX_EPOCHS });

describe('GaussianSampler', () => {
  it('brings Hyperband nearer to the least loss than random values do', () => {
    const best = (which: Sampler, seed: number) => Math.min(...simulate(hyperband(which), newHistory(space, seed), (trial) => succeeded(atEpochs(trial))).history.trials.map(({ values }) => final(values)));
    for (const seed of [1, 2]) expect(best(sampler, seed)).toBeLessThan(best(new RandomSampler(), seed) / 3);
  });

  it('gives new values in every lowest rung, with workers side by side, and the same ones in a replay', () => {
    const run = () => simulate(new Asha(new GaussianSampler({ maxEpochs: MAX_EPOCHS }), { ...ASHA_DEFAULTS, maxEpochs: MAX_EPOCHS }), newHistory(space, 3), (trial) => succeeded(atEpochs(trial)), { workers: 4, maxTrials: 50 }).history.trials;
    const trials = run();
    const keys = trials.filter(({ fidelity }) => fidelity.kind === 'RUNG' && fidelity.round === 0).map(({ values }) => valuesKey(values));
    expect(new Set(keys).size).toBe(keys.length);
    expect(run()).toEqual(trials);
  });

  it('says when a space has no further values', () => {
    const { history } = simulate(hyperband(sampler), newHistory([booleanParameter('a')]), () => succeeded(1));
    expect(sampler.sample(history)).toEqual({ kind: 'EXHAUSTED', why: 'all 2 points of the space have been tried' });
  });

  it('learns from trials of several fidelities with one epoch at most', () => {
    const { history } = simulate(new Hyperband(new GaussianSampler({ maxEpochs: 1 }), { ...HYPERBAND_DEFAULTS, maxEpochs: 1, iterations: 12 }), newHistory(space, 4), ({ values }) => succeeded(final(values)));
    expect(history.trials.length).toBeGreaterThanOrEqual(12);
  });

  it('refuses epochs that are none', () => {
    expect(() => new GaussianSampler({ maxEpochs: 0 })).toThrow('options.maxEpochs: 0 epochs: it must be an integer of at least 1');
  });
});
