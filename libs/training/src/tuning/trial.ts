import { activeParameters, checkValues, type Hyperparameters, type Objective, type SearchSpace, type Values } from '@lockstep/search';
import type { FnArgs } from '../fn-args';
import { TrainingError } from '../errors';
import type { Training } from '../install';
import type { TrainingState } from '../state/training-state';
import type { Tf } from '../tfjs';
import { searched } from './discovery';
import { fitTrial, type FitHistory } from './fit-trial';
import { HyperParameters } from './hyper-parameters';
import { findObjectives } from './objective';
import { SpaceRecorder } from './space-recorder';
import { buildModel, callTunerFn, metricsOf } from './tuning-plan';

/** What is to be tried. */
export interface TrialTask {
  /** The study's space, and values in it. Values under names that begin with `tuner/` need not be in it. */
  readonly hyperparameters: Hyperparameters;
  /** Epochs that are done. */
  readonly initialEpoch: number;
  /** The epoch to end before, counted from the very start; undefined: as fitKwargs say. */
  readonly epochs: number | undefined;
  /** Undefined: the tuner's executionsPerTrial. */
  readonly executions: number | undefined;
  /** The state at the end of the trial whose training goes on. */
  readonly startFrom: TrainingState | undefined;
}

/** An objective's metric, epoch by epoch. */
export interface ObjectiveHistory {
  readonly name: string;
  readonly values: readonly number[];
}

/** One time that the model was built and fitted. */
export interface TrialExecution {
  readonly firstEpoch: number;
  /** In the order of the objectives; each has a value for each epoch, and together they are finite in at least one. */
  readonly objectives: readonly ObjectiveHistory[];
}

/** What came of a trial. */
export interface TrialResult {
  /** The values that the model had; the whole space if it has grown, otherwise an empty one. */
  readonly hyperparameters: Hyperparameters;
  readonly executions: readonly TrialExecution[];
}

/** Hyperband's own values, of KerasTuner. */
const isOfTuner = (name: string): boolean => name.startsWith('tuner/');

/**
 * Builds and fits the model of a tunerFn with given values, as often as the trial has executions. A collective call like any fit:
 * every member makes it, and what comes of it is the same on all. The models stay, so that the state at the end has them.
 *
 * @throws TrainingError (NOT_A_TUNER, OUTSIDE_SPACE, SPACE_CHANGED, BAD_HYPERMODEL, NO_SUCH_METRIC, OBJECTIVE_NOT_FINITE, BAD_ARGUMENT), StateError
 *   when `startFrom` is of other models, or what the module and its fits throw
 */
export async function runTrial(tf: Tf, training: Training, tunerFn: (fnArgs: FnArgs) => unknown, fnArgs: FnArgs, task: TrialTask): Promise<TrialResult> {
  const { space, values } = task.hyperparameters;
  checkGiven(space, values);
  const plan = await callTunerFn(tunerFn, fnArgs);
  const { tuner, fitKwargs } = plan;
  const recorder = new SpaceRecorder({ space, preset: tuner.preset, values });
  const known = recorder.space;
  const hp = new HyperParameters(recorder);
  const executions: TrialExecution[] = [];
  for (let execution = 0; execution < (task.executions ?? tuner.executionsPerTrial); execution++) {
    const firstModel = training.modelCount;
    const model = await buildModel(tf, tuner, hp);
    const metrics = metricsOf(model, plan);
    // Said before the training, not after it.
    if (metrics) findObjectives(tuner.objectives, metrics);
    if (task.startFrom) training.goOnFrom(task.startFrom, firstModel);
    executions.push(toExecution(tuner.objectives, await fitTrial(tf, tuner.hypermodel, hp, model, fitKwargs, task), execution));
  }
  const grown = searched(tuner, known, recorder.space);
  return { hyperparameters: { space: grown.length > known.length ? grown : [], values: valuesOf(grown, recorder.values) }, executions };
}

function checkGiven(space: SearchSpace, values: Values): void {
  const violations = checkValues(space, new Map([...values].filter(([name]) => !isOfTuner(name))));
  if (violations.length > 0) throw new TrainingError('OUTSIDE_SPACE', `the values of the trial are not of its study's space: ${violations.map(({ description }) => description).join('; ')}`);
}

/** Those of the space, and the tuner's own. */
function valuesOf(space: SearchSpace, values: Values): Values {
  const names = new Set(activeParameters(space, values).map(({ name }) => name));
  return new Map([...values].filter(([name]) => names.has(name) || isOfTuner(name)));
}

/** The objectives' part of what a fit came to. */
function toExecution(objectives: readonly Objective[], { firstEpoch, metrics, value }: FitHistory, execution: number): TrialExecution {
  const [first, ...others] = objectives;
  if (value !== undefined && (!first || others.length > 0)) {
    throw new TrainingError('BAD_HYPERMODEL', `the fit of the hypermodel returned one number, and there are ${objectives.length} objectives: return an object with ${objectives.map(({ metric }) => metric).join(', ')}`);
  }
  const histories = value !== undefined && first ? [{ name: first.metric, values: [value] }]
    : findObjectives(objectives, [...metrics.keys()]).map(({ metric }) => ({ name: metric, values: metrics.get(metric) ?? [] }));
  const [{ values: epochs = [] } = {}] = histories;
  if (!epochs.some((_, epoch) => histories.every(({ values }) => Number.isFinite(values[epoch])))) {
    const names = histories.map(({ name }) => name).join(', ');
    throw new TrainingError('OBJECTIVE_NOT_FINITE', `${histories.length > 1 ? 'the objectives' : 'the objective'} ${names} ${histories.length > 1 ? 'were' : 'was'} finite in none of the ${epochs.length} epochs of execution ${execution + 1}: such values cannot be compared with others. Narrow the search space (often the learning rate), or throw a FailedTrialError for values that cannot work`, { metric: names });
  }
  return { firstEpoch, objectives: histories };
}
