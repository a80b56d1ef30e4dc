import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FnArgs } from '../fn-args';
import { modelInternals, type Tf } from '../tfjs';
import { TrainingError } from '../errors';
import type { FitKwargs } from './hypermodel';
import type { HyperParameters } from './hyper-parameters';
import { Tuner } from './tuner';

/** What a tunerFn returned, checked. */
export interface TuningPlan {
  readonly tuner: Tuner;
  readonly fitKwargs: FitKwargs;
}

/** Calls a tunerFn. @throws TrainingError (NOT_A_TUNER, BAD_ARGUMENT), or what it throws */
export async function callTunerFn(tunerFn: (fnArgs: FnArgs) => unknown, fnArgs: FnArgs): Promise<TuningPlan> {
  const result: unknown = await tunerFn(fnArgs);
  const { tuner, fitKwargs } = (typeof result === 'object' && result !== null ? result : {}) as { readonly tuner?: unknown; readonly fitKwargs?: unknown };
  if (!(tuner instanceof Tuner)) {
    throw new TrainingError('NOT_A_TUNER', `tunerFn returned ${nameOf(result)}${result !== null && typeof result === 'object' ? ` with ${nameOf(tuner)} as tuner` : ''}: return {tuner, fitKwargs}, with a RandomSearch, GridSearch, BayesianOptimization, Hyperband or Asha of @lockstep/module`);
  }
  return { tuner, fitKwargs: checkFitKwargs(fitKwargs) };
}

/** What is fitted. The rest is checked by the fit itself. */
function checkFitKwargs(given: unknown): FitKwargs {
  const refuse = (what: string): TrainingError => new TrainingError('NOT_A_TUNER', `tunerFn returned fitKwargs ${what}`);
  if (typeof given !== 'object' || given === null) throw refuse('that are no object: give what is fitted, {x, y, ...} or {trainDataset, ...}, with validationData, epochs and callbacks');
  const { x, trainDataset, initialEpoch } = given as Readonly<Record<string, unknown>>;
  if ((x === undefined) === (trainDataset === undefined)) throw refuse(`with ${x === undefined ? 'neither x nor trainDataset' : 'both x and trainDataset'}: give tensors as x and y, or a dataset as trainDataset`);
  if (initialEpoch !== undefined) throw refuse('with an initialEpoch: the study says where a trial begins');
  // The names and types of the rest are those of fit() and fitDataset(), which refuse what they do not know.
  return given as FitKwargs;
}

/** Builds the model of a trial. @throws TrainingError (BAD_HYPERMODEL), or what the module throws */
export async function buildModel(tf: Tf, { hypermodel }: Tuner, hp: HyperParameters): Promise<LayersModel> {
  const model: unknown = await hypermodel.build(hp);
  if (!(model instanceof tf.LayersModel)) throw new TrainingError('BAD_HYPERMODEL', `the hypermodel built ${nameOf(model)}: it must return a tf.LayersModel that it has compiled`);
  if ((model.optimizer as unknown) == null) throw new TrainingError('BAD_HYPERMODEL', `the hypermodel built model ${model.name} without compiling it: call model.compile({optimizer, loss, metrics}) before it returns`);
  return model;
}

/** The metrics that the logs of a fit will have; undefined where only the hypermodel's own fit knows. */
export function metricsOf(model: LayersModel, { tuner, fitKwargs }: TuningPlan): readonly string[] | undefined {
  if (tuner.hypermodel.fit) return undefined;
  const names = modelInternals(model).getDedupedMetricsNames();
  const validates = fitKwargs.validationData !== undefined || ('validationSplit' in fitKwargs && fitKwargs.validationSplit !== undefined);
  return validates ? [...names, ...names.map((name) => `val_${name}`)] : names;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'object' ? `an object of class ${value.constructor?.name ?? 'null'}` : `a ${typeof value}`;
}
