import type { History, LayersModel } from '@tensorflow/tfjs-layers';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';
import type { FitKwargs, FitResult, HyperModel, TrialFitKwargs } from './hypermodel';
import type { HyperParameters } from './hyper-parameters';

/** The epochs of one execution, counted from the very start. */
export interface EpochRange {
  readonly initialEpoch: number;
  /** The epoch to end before; undefined: as fitKwargs say. */
  readonly epochs: number | undefined;
}

/** Metrics of a fit, epoch by epoch. */
export interface FitHistory {
  readonly firstEpoch: number;
  /** By their names in the logs. */
  readonly metrics: ReadonlyMap<string, readonly number[]>;
  /** What hypermodel.fit returned instead of metrics: the value of the one objective. */
  readonly value: number | undefined;
}

/** Fits one execution of a trial, as the hypermodel says or by the model's own fit. @throws TrainingError, or what the module throws */
export async function fitTrial(tf: Tf, hypermodel: HyperModel, hp: HyperParameters, model: LayersModel, given: FitKwargs, { initialEpoch, epochs }: EpochRange): Promise<FitHistory> {
  const { callbacks: givenCallbacks, ...rest } = given;
  const callbacks = typeof givenCallbacks === 'function' ? givenCallbacks() : givenCallbacks;
  const kwargs: TrialFitKwargs = { ...rest, initialEpoch, epochs: epochs ?? given.epochs ?? initialEpoch + 1, ...(callbacks !== undefined && { callbacks }) };
  const result = hypermodel.fit ? await hypermodel.fit(hp, model, kwargs) : await fitModel(model, kwargs);
  return toHistory(tf, result, initialEpoch);
}

/** The model's own fit or fitDataset. */
function fitModel(model: LayersModel, kwargs: TrialFitKwargs): Promise<History> {
  if (kwargs.trainDataset !== undefined) {
    const { trainDataset, stepsPerEpoch, validationSteps, ...rest } = kwargs;
    return model.fitDataset(trainDataset, {
      ...(stepsPerEpoch !== undefined && { batchesPerEpoch: stepsPerEpoch }), ...(validationSteps !== undefined && { validationBatches: validationSteps }), ...rest,
    });
  }
  const { x, y, ...rest } = kwargs;
  return model.fit(x, y, rest);
}

function toHistory(tf: Tf, result: FitResult, initialEpoch: number): FitHistory {
  if (typeof result === 'number') return { firstEpoch: initialEpoch, metrics: new Map(), value: result };
  if (result instanceof tf.History) {
    // The adopted fit's History holds numbers.
    const metrics = new Map(Object.entries(result.history as Readonly<Record<string, number[]>>));
    return { firstEpoch: result.epoch[0] ?? initialEpoch, metrics, value: undefined };
  }
  const entries: readonly (readonly [string, unknown])[] = typeof result === 'object' && result !== null ? Object.entries(result) : [];
  const metrics = new Map(entries.flatMap(([name, value]) => (typeof value === 'number' ? [[name, [value]] as const] : [])));
  if (metrics.size === 0 || metrics.size < entries.length) {
    throw new TrainingError('BAD_HYPERMODEL', 'the fit of the hypermodel must return the History of model.fit(), an object of numbers by the names of their metrics, or one number');
  }
  return { firstEpoch: initialEpoch, metrics, value: undefined };
}
