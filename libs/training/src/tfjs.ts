/**
 * The parts of TensorFlow.js 4.22.0 that the adopted fit stands on and that its types do not show. They are checked
 * when training is installed and when a model is adopted; nothing else in this library looks behind tfjs's types.
 */
import type * as tfjs from '@tensorflow/tfjs';
import type { CustomCallback, History, LayersModel } from '@tensorflow/tfjs-layers';
import type { Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { TrainingError } from './errors';

/** The namespace of TensorFlow.js, passed in, so that the caller chooses the copy and its backend. */
export type Tf = typeof tfjs;

/** The version of tfjs whose internals are known. */
export const TFJS_VERSION = '4.22.0';

/** The backend of tfjs-node. */
interface NodeBackendInternals {
  readonly tensorMap: {
    has(dataId: object): boolean;
    /** `values`: of a tensor that TensorFlow does not have yet. */
    get(dataId: object): { readonly values: object | null };
  };
}

/** A LayerVariable: a tf.Variable with Keras's name and constraint. */
export interface WeightInternals {
  readonly originalName: string;
  readonly val: Variable;
  readonly constraint: { apply(weight: Tensor): Tensor } | null;
}

export interface LayerInternals {
  readonly name: string;
  readonly _trainableWeights: readonly WeightInternals[];
  /** Own seed of a dropout layer, null when unseeded. */
  seed?: number | string | null | undefined;
  readonly rate?: number;
  /** Only of the layers that draw from a generator of their own, which advances outside of the state. */
  readonly randomGenerator?: object;
  readonly layers?: readonly LayerInternals[];
  readonly layer?: LayerInternals;
  readonly forwardLayer?: LayerInternals;
  readonly backwardLayer?: LayerInternals;
  readonly cell?: LayerInternals;
  readonly cells?: readonly LayerInternals[];
  getClassName(): string;
  call(inputs: Tensor | Tensor[], kwargs: Record<string, unknown>): Tensor | Tensor[];
}

export type LossFunction = (target: Tensor, output: Tensor) => Tensor;

/** A compiled LayersModel (of a Sequential: its inner model). */
export interface ModelInternals extends LayerInternals {
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly lossFunctions: readonly LossFunction[];
  /** [metric, index of its output]; of a model with several outputs the first are the outputs' own losses. */
  readonly metricsTensors: readonly (readonly [LossFunction, number])[];
  readonly metricsNames: readonly string[];
  readonly collectedTrainableWeights: readonly WeightInternals[];
  readonly weights: readonly WeightInternals[];
  readonly layers: readonly LayerInternals[];
  readonly stateful: boolean;
  optimizer_: Optimizer;
  stopTraining_: boolean;
  isTraining: boolean;
  history: History;
  calculateLosses(): Scalar[];
  getDedupedMetricsNames(): string[];
  standardizeUserDataXY(x: unknown, y: unknown, checkBatchAxis?: boolean, batchSize?: number): [Tensor[], Tensor[]];
}

/** LayersModel.prototype, as far as it is replaced. */
export interface ModelPrototype {
  compile(this: LayersModel, args: Parameters<LayersModel['compile']>[0]): void;
  fit(this: LayersModel, x: unknown, y: unknown, args?: Parameters<LayersModel['fit']>[2]): Promise<History>;
  fitLoop(this: LayersModel, ...args: FitLoopArguments): Promise<History>;
  fitDataset: LayersModel['fitDataset'];
  evaluate: (this: LayersModel, x: unknown, y: unknown, args?: Parameters<LayersModel['evaluate']>[2]) => Scalar | Scalar[];
  evaluateDataset: LayersModel['evaluateDataset'];
  trainOnBatch: (this: LayersModel, x: unknown, y: unknown) => Promise<number | number[]>;
}

/** What fit() hands to its loop once it has checked and standardised its arguments. */
export type FitLoopArguments = [
  trainFunction: unknown,
  /** Inputs, targets, sample weights, each whole; null where an output has no sample weights. */
  data: readonly (Tensor | null)[],
  labels: readonly string[],
  batchSize: number,
  epochs: number | undefined,
  verbose: unknown,
  callbacks: readonly CallbackInternals[],
  validationFunction: unknown,
  validationData: readonly Tensor[],
  shuffle: boolean | string | undefined,
  callbackMetrics: readonly string[],
  initialEpoch: number | undefined,
];

/** Any callback of a CallbackList. */
export type CallbackInternals = InstanceType<typeof CustomCallback>;

/** The one place where tfjs's types are looked behind; checkModel has run on every model that comes back from here. */
export const modelInternals = (model: LayersModel): ModelInternals => model as unknown as ModelInternals;

export const modelPrototype = (tf: Tf): ModelPrototype => tf.LayersModel.prototype as unknown as ModelPrototype;

const PROTOTYPE_METHODS = [
  'compile', 'fit', 'fitLoop', 'fitDataset', 'evaluate', 'evaluateDataset', 'trainOnBatch', 'call', 'calculateLosses',
  'getDedupedMetricsNames', 'standardizeUserDataXY',
] as const;
const MODEL_FIELDS = [
  'inputs', 'outputs', 'inputNames', 'outputNames', 'lossFunctions', 'metricsTensors', 'metricsNames', 'collectedTrainableWeights',
  'weights', 'layers', 'optimizer_',
] as const;

function missing(what: string, version: string): TrainingError {
  return new TrainingError('UNSUPPORTED_TFJS', `TensorFlow.js ${version} has no ${what}; training needs ${TFJS_VERSION}: install that version.`);
}

/** @throws TrainingError (UNSUPPORTED_TFJS) that names what this copy of tfjs lacks. */
export function checkTfjs(tf: Tf): void {
  const version = tf.version['tfjs-layers'];
  const prototype = tf.LayersModel.prototype as unknown as Record<string, unknown>;
  for (const name of PROTOTYPE_METHODS) {
    if (typeof prototype[name] !== 'function') throw missing(`LayersModel.prototype.${name}`, version);
  }
  if (typeof (tf.layers.Layer.prototype as unknown as Record<string, unknown>)['addWeight'] !== 'function') throw missing('Layer.prototype.addWeight', version);
  if (typeof tf.data.Dataset.prototype.shuffle !== 'function') throw missing('Dataset.prototype.shuffle', version);
  if (typeof tf.engine().registeredVariables !== 'object') throw missing('Engine.registeredVariables', version);
  for (const name of ['CallbackList', 'CustomCallback', 'History'] as const) {
    if (typeof tf[name] !== 'function') throw missing(`tf.${name}`, version);
  }
}

/** @throws TrainingError (UNSUPPORTED_TFJS) that names the field that a compiled model lacks. */
export function checkModel(tf: Tf, model: LayersModel): ModelInternals {
  const fields = model as unknown as Record<string, unknown>;
  for (const name of MODEL_FIELDS) {
    if (fields[name] == null) throw missing(`LayersModel.${name}`, tf.version['tfjs-layers']);
  }
  return modelInternals(model);
}

export const isTensor = (tf: Tf, value: unknown): value is Tensor => value instanceof tf.Tensor;

export const isVariable = (tf: Tf, value: unknown): value is Variable => value instanceof tf.Variable;

/**
 * Whether dataSync() of the tensor makes a copy that only its caller has. So it is on tfjs-node, except for values that
 * came from JavaScript and were not used yet: those it returns themselves.
 */
export function readsAreCopies(tf: Tf, tensor: Tensor): boolean {
  if (tf.getBackend() !== 'tensorflow') return false;
  const { tensorMap } = tf.engine().backend as Partial<NodeBackendInternals>;
  return tensorMap !== undefined && tensorMap.has(tensor.dataId) && tensorMap.get(tensor.dataId).values === null;
}

export const toList = <T>(value: T | readonly T[]): readonly T[] => (isList(value) ? value : [value]);

const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);
