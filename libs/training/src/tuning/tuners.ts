/** The tuners that a tunerFn may return: KerasTuner's classes, and Asha. */
import { OptionReader } from '../options';
import { Tuner, TUNER_OPTIONS, type TunerOptions } from './tuner';

interface TrialLimit {
  /** Trials of the search; those that are tried again count once. */
  readonly maxTrials?: number;
}

/** maxTrials is 10 by default. */
export interface RandomSearchOptions extends TunerOptions, TrialLimit {}

/** Values at random, none twice. */
export class RandomSearch extends Tuner {
  constructor(options: RandomSearchOptions) {
    const read = new OptionReader('new RandomSearch()', options, [...TUNER_OPTIONS, 'maxTrials']);
    super('RandomSearch', read, options, { maxTrials: read.number('maxTrials', 10, COUNT) });
  }
}

/** maxTrials is the size of the grid by default. */
export interface GridSearchOptions extends TunerOptions, TrialLimit {}

/** All combinations of values, in order; of a range without a step, ten values. */
export class GridSearch extends Tuner {
  constructor(options: GridSearchOptions) {
    const read = new OptionReader('new GridSearch()', options, [...TUNER_OPTIONS, 'maxTrials']);
    super('GridSearch', read, options, { maxTrials: read.optionalNumber('maxTrials', COUNT) });
  }
}

/** maxTrials is 10 by default. */
export interface BayesianOptimizationOptions extends TunerOptions, TrialLimit {
  /** Trials before the model of the objective is asked. Default: the algorithm's. */
  readonly numInitialPoints?: number;
  /** The least noise that scores are taken to have, as a share of their variance. Default: it is fitted. */
  readonly alpha?: number;
  /** Values are chosen where mean - beta * deviation is least. Default: by expected improvement, which KerasTuner does not have. */
  readonly beta?: number;
}

/** A Gaussian process says which values are worth a trial. */
export class BayesianOptimization extends Tuner {
  constructor(options: BayesianOptimizationOptions) {
    const read = new OptionReader('new BayesianOptimization()', options, [...TUNER_OPTIONS, 'maxTrials', 'numInitialPoints', 'alpha', 'beta']);
    super('BayesianOptimization', read, options, {
      maxTrials: read.number('maxTrials', 10, COUNT), numInitialPoints: read.optionalNumber('numInitialPoints', COUNT),
      alpha: read.optionalNumber('alpha', { above: 0, maximum: 1 }), beta: read.optionalNumber('beta', { minimum: 0, below: Infinity }),
    });
  }
}

interface Halving {
  /** Epochs of a trial that goes all the way. Default: 100. */
  readonly maxEpochs?: number;
  /** Of so many trials one goes on, for as many times the epochs. Default: 3. */
  readonly factor?: number;
  /** What chooses the values of new trials: chance, or a Gaussian process that learns from all rungs. Default: 'random'. */
  readonly sampler?: HalvingSampler;
}

export type HalvingSampler = 'random' | 'gaussianProcess';

export interface HyperbandOptions extends TunerOptions, Halving {
  /** How often the whole algorithm runs. Default: 1. */
  readonly hyperbandIterations?: number;
}

/** Many trials for few epochs, of which the best go on for more. Its size follows from its options. */
export class Hyperband extends Tuner {
  constructor(options: HyperbandOptions) {
    const read = new OptionReader('new Hyperband()', options, [...TUNER_OPTIONS, 'maxEpochs', 'factor', 'hyperbandIterations', 'sampler']);
    super('Hyperband', read, options, {
      maxEpochs: read.number('maxEpochs', 100, COUNT), factor: read.number('factor', 3, FACTOR), hyperbandIterations: read.number('hyperbandIterations', 1, COUNT),
      sampler: read.oneOf('sampler', SAMPLERS, 'random'),
    });
  }
}

/** maxTrials is without limit by default: then somebody must stop the study. */
export interface AshaOptions extends TunerOptions, TrialLimit, Halving {
  /** Epochs of the lowest rung. Default: 1. */
  readonly minEpochs?: number;
}

/** Hyperband's halving without waiting: a trial goes on as soon as it is among the best of its rung (Li et al., 2020). */
export class Asha extends Tuner {
  constructor(options: AshaOptions) {
    const read = new OptionReader('new Asha()', options, [...TUNER_OPTIONS, 'maxTrials', 'maxEpochs', 'factor', 'minEpochs', 'sampler']);
    const maxEpochs = read.number('maxEpochs', 100, COUNT);
    const minEpochs = read.number('minEpochs', 1, COUNT);
    if (minEpochs > maxEpochs) throw read.wrong('minEpochs', `at most maxEpochs, ${maxEpochs}`);
    super('Asha', read, options, {
      maxTrials: read.optionalNumber('maxTrials', COUNT), maxEpochs, minEpochs, factor: read.number('factor', 3, FACTOR), sampler: read.oneOf('sampler', SAMPLERS, 'random'),
    });
  }
}

const COUNT = { minimum: 1, integer: true };
const SAMPLERS: readonly HalvingSampler[] = ['random', 'gaussianProcess'];
const FACTOR = { minimum: 2, integer: true };
