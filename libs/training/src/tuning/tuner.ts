import type { Objective, SearchSpace } from '@lockstep/search';
import type { JsonValue } from '../canonical-json';
import type { OptionReader } from '../options';
import { HyperParameters } from './hyper-parameters';
import type { Hypermodel, HyperModel } from './hypermodel';
import { readObjectives, type ObjectiveOption } from './objective';

/** The options that all tuners have: KerasTuner's, in camelCase. */
export interface TunerOptions {
  readonly hypermodel: Hypermodel;
  /** Default: what the hypermodel's fit returns, the less the better. */
  readonly objective?: ObjectiveOption | readonly ObjectiveOption[];
  /** Parameters that stand for what the hypermodel declares under their names. */
  readonly hyperparameters?: HyperParameters;
  /** Whether parameters that are not in `hyperparameters` are searched; otherwise they have their defaults. Default: true. */
  readonly tuneNewEntries?: boolean;
  /** Whether the hypermodel may declare parameters that are not in `hyperparameters`. Default: true. */
  readonly allowNewEntries?: boolean;
  /** Of the search. Default: the study's. */
  readonly seed?: number;
  /** How often a trial's model is built and fitted, each time from other random numbers. Default: 1. */
  readonly executionsPerTrial?: number;
  /** How often a trial that failed is tried again. Default: 0. */
  readonly maxRetriesPerTrial?: number;
  /** The search fails when so many trials failed one after the other. Default: 3. */
  readonly maxConsecutiveFailedTrials?: number;
}

/** The names of TunerOptions. */
export const TUNER_OPTIONS = [
  'hypermodel', 'objective', 'hyperparameters', 'tuneNewEntries', 'allowNewEntries', 'seed', 'executionsPerTrial', 'maxRetriesPerTrial', 'maxConsecutiveFailedTrials',
] as const;

/** Options as they are reported: what is not set is left out. */
export type ReportedOptions = Readonly<Record<string, JsonValue>>;

/** What is to be tuned, and how. It is data: the study searches, and trials run where there are workers. */
export abstract class Tuner {
  readonly hypermodel: HyperModel;
  readonly objectives: readonly Objective[];
  /** The parameters of `hyperparameters`. */
  readonly preset: SearchSpace;
  readonly tuneNewEntries: boolean;
  readonly allowNewEntries: boolean;
  readonly executionsPerTrial: number;
  /** What the study is made with, in camelCase. */
  readonly options: ReportedOptions;

  /**
   * @param algorithm name of the class
   * @param own options of the algorithm, checked; those that are null are left out
   * @throws TrainingError (BAD_ARGUMENT)
   */
  protected constructor(readonly algorithm: TunerAlgorithm, read: OptionReader<TunerOptions>, { hypermodel, objective, hyperparameters }: TunerOptions, own: ReportedOptions) {
    if (!isHypermodel(hypermodel)) throw read.refuse('hypermodel is a function (hp) => model that builds and compiles a model, or an object with such a function `build`');
    this.hypermodel = typeof hypermodel === 'function' ? { build: hypermodel } : hypermodel;
    this.objectives = readObjectives(`new ${algorithm}()`, objective);
    if (hyperparameters !== undefined && !(hyperparameters instanceof HyperParameters)) throw read.refuse('hyperparameters is a HyperParameters object: `const hp = new HyperParameters()`');
    this.preset = hyperparameters?.space ?? [];
    this.tuneNewEntries = read.boolean('tuneNewEntries', true);
    this.allowNewEntries = read.boolean('allowNewEntries', true);
    this.executionsPerTrial = read.number('executionsPerTrial', 1, { minimum: 1, integer: true });
    const all: ReportedOptions = {
      ...own,
      seed: read.optionalNumber('seed', { minimum: 0, integer: true }),
      executionsPerTrial: this.executionsPerTrial,
      maxRetriesPerTrial: read.number('maxRetriesPerTrial', 0, { minimum: 0, integer: true }),
      maxConsecutiveFailedTrials: read.number('maxConsecutiveFailedTrials', 3, { minimum: 1, integer: true }),
    };
    this.options = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }
}

/** The tuners that there are. */
export type TunerAlgorithm = 'RandomSearch' | 'GridSearch' | 'BayesianOptimization' | 'Hyperband' | 'Asha';

const isHypermodel = (given: unknown): given is Hypermodel =>
  typeof given === 'function' || (typeof given === 'object' && given !== null && 'build' in given && typeof given.build === 'function');
