import type { History, LayersModel, ModelFitArgs, ModelFitDatasetArgs } from '@tensorflow/tfjs-layers';
import type { Dataset } from '@tensorflow/tfjs-data';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { FnArgs } from '../fn-args';
import type { HyperParameters } from './hyper-parameters';
import type { Tuner } from './tuner';

/** Builds and compiles a model with the values of its hyperparameters. Called on every member, and several times in a process. */
export type BuildModel = (hp: HyperParameters) => LayersModel | Promise<LayersModel>;

/** What a fit came to: a History, the metrics at its end by name, or the value of the one objective. */
export type FitResult = History | Readonly<Record<string, number>> | number;

/** KerasTuner's HyperModel: a model and how it is fitted, where `fit` and its arguments are tuned too. */
export interface HyperModel {
  build: BuildModel;
  /** Default: the model's own fit with `fitKwargs`. @param fitKwargs with the epochs and callbacks of this trial */
  fit?(hp: HyperParameters, model: LayersModel, fitKwargs: TrialFitKwargs): FitResult | Promise<FitResult>;
}

export type Hypermodel = BuildModel | HyperModel;

type Callbacks = NonNullable<ModelFitArgs['callbacks']>;

interface SharedFitKwargs {
  /** Epochs of a trial whose study does not say how many. Default: 1. */
  readonly epochs?: number;
  /** A function is called for each execution of a trial, so that each has callbacks of its own. */
  readonly callbacks?: Callbacks | (() => Callbacks);
}

/** What every trial decides itself. */
interface TrialEpochs {
  /** Epochs that are done. */
  readonly initialEpoch: number;
  /** The epoch to end before. */
  readonly epochs: number;
  readonly callbacks?: Callbacks;
}

type Inputs = Parameters<LayersModel['fit']>[0];
type DatasetArgs = ModelFitDatasetArgs<TensorContainer>;

/** Fits on tensors: the arguments of model.fit(). */
export interface TensorFitKwargs extends SharedFitKwargs, Omit<ModelFitArgs, keyof TrialEpochs> {
  readonly x: Inputs;
  readonly y: Inputs;
  readonly trainDataset?: never;
}

/** Fits on a dataset: the arguments of model.fitDataset(), and Keras's names for two of them. */
export interface DatasetFitKwargs extends SharedFitKwargs, Omit<DatasetArgs, keyof TrialEpochs | 'validationData'> {
  readonly trainDataset: Dataset<TensorContainer>;
  readonly x?: never;
  readonly y?: never;
  readonly validationData?: Dataset<TensorContainer> | DatasetArgs['validationData'];
  /** batchesPerEpoch. */
  readonly stepsPerEpoch?: number;
  /** validationBatches. */
  readonly validationSteps?: number;
}

/** What a tuner's trials are fitted with: TFX's fit_kwargs. */
export type FitKwargs = TensorFitKwargs | DatasetFitKwargs;

/** The same with the epochs of a trial. */
export type TrialFitKwargs = (Omit<TensorFitKwargs, keyof TrialEpochs> | Omit<DatasetFitKwargs, keyof TrialEpochs>) & TrialEpochs;

/** What a tunerFn returns: TFX's TunerFnResult. */
export interface TunerFnResult {
  readonly tuner: Tuner;
  readonly fitKwargs: FitKwargs;
}

/**
 * A user's module: what is tuned, and how. It runs in workers, once to find the search space and once for each trial, and never
 * searches itself.
 */
export type TunerFn = (fnArgs: FnArgs) => Promise<TunerFnResult> | TunerFnResult;
