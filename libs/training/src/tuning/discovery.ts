import { checkSpace, defaultValues, identityOf, type Hyperparameters, type Objective, type SearchSpace } from '@lockstep/search';
import type { FnArgs } from '../fn-args';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';
import { HyperParameters } from './hyper-parameters';
import { findObjectives } from './objective';
import { SpaceRecorder } from './space-recorder';
import type { ReportedOptions, Tuner, TunerAlgorithm } from './tuner';
import { buildModel, callTunerFn, metricsOf } from './tuning-plan';

/** What a study is made of. */
export interface Discovery {
  readonly algorithm: TunerAlgorithm;
  readonly options: ReportedOptions;
  /** Under the names that their metrics have in the logs. */
  readonly objectives: readonly Objective[];
  /** The space, and its default values. */
  readonly hyperparameters: Hyperparameters;
}

/** Builds of a model that a discovery makes to see what its conditional scopes declare. */
const MAX_BUILDS = 1000;

/**
 * Finds what a tunerFn tunes. Its model is built with default values, and once more for each conditional scope that was inactive
 * until then; nothing is trained, and what was built is disposed of.
 *
 * @throws TrainingError (NOT_A_TUNER, BAD_HYPERMODEL, NO_SUCH_METRIC, SPACE_CHANGED, BAD_ARGUMENT), or what the module throws
 */
export async function discover(tf: Tf, tunerFn: (fnArgs: FnArgs) => unknown, fnArgs: FnArgs): Promise<Discovery> {
  const plan = await callTunerFn(tunerFn, fnArgs);
  const { tuner } = plan;
  const recorder = new SpaceRecorder({ preset: tuner.preset });
  const hp = new HyperParameters(recorder);
  let { objectives } = tuner;
  for (let builds = 0; ; builds++) {
    const model = await buildModel(tf, tuner, hp);
    const metrics = builds === 0 ? metricsOf(model, plan) : undefined;
    if (metrics) objectives = findObjectives(objectives, metrics);
    model.dispose();
    const scope = recorder.unexplored;
    if (!scope) break;
    if (builds === MAX_BUILDS) throw new TrainingError('BAD_HYPERMODEL', `the hypermodel opens more than ${MAX_BUILDS} conditional scopes: their conditions must not change from build to build`);
    recorder.explore(scope);
  }
  const space = searched(tuner, tuner.preset, recorder.space);
  const [fault] = checkSpace(space);
  if (fault) throw new TrainingError('BAD_ARGUMENT', `the search space: ${fault.description}`);
  return { algorithm: tuner.algorithm, options: tuner.options, objectives, hyperparameters: { space, values: defaultValues(space) } };
}

/**
 * The space that is searched when a model has declared more than was known.
 *
 * @throws TrainingError (SPACE_CHANGED) when the tuner allows no new parameters
 */
export function searched({ allowNewEntries, tuneNewEntries }: Tuner, known: SearchSpace, declared: SearchSpace): SearchSpace {
  const identities = new Set(known.map(identityOf));
  const added = declared.filter((parameter) => !identities.has(identityOf(parameter)));
  if (added.length > 0 && !allowNewEntries) {
    throw new TrainingError('SPACE_CHANGED', `the hypermodel declares ${added.map(({ name }) => `'${name}'`).join(', ')}, which the tuner's hyperparameters lack, and allowNewEntries is false: add ${added.length === 1 ? 'it' : 'them'} there, or allow new entries`);
  }
  return tuneNewEntries ? [...known, ...added] : known;
}
