import type { Tensor, TensorContainer } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { DataAccessor } from './data';

/** How a model is served from tf.Examples: the features to parse, and how they become the model's inputs. */
export interface ServingFeatures {
  /** Features to parse from each tf.Example, by name; shape without the batch dimension, [] for a scalar. */
  readonly features: Readonly<Record<string, { readonly dtype: 'float32' | 'int64' | 'string'; readonly shape: readonly number[]; readonly defaultValue?: number | string }>>;
  /**
   * From parsed features ([rows, ...shape] each) to the model's inputs: tensor operations only, since it becomes part of
   * the exported graph. Default: features are the model's inputs by name.
   */
  readonly toInputs?: (features: Readonly<Record<string, Tensor>>) => TensorContainer;
}

/** Options of `exportModel`. */
export interface ExportOptions {
  /** Adds the signature `serving_examples`, which takes serialized tf.Examples. */
  readonly servingFeatures?: ServingFeatures;
}

/** What `runFn(fnArgs)` is called with: TFX's FnArgs in camelCase. */
export interface FnArgs {
  /** Patterns of the training files, one for each example artifact and split: for `dataAccessor`. */
  readonly trainFiles: readonly string[];
  readonly evalFiles: readonly string[];
  /** Steps to train; undefined when the job does not say. */
  readonly trainSteps: number | undefined;
  readonly evalSteps: number | undefined;
  /** Path of schema.pbtxt; undefined when the job has none. */
  readonly schemaPath: string | undefined;
  /** Makes datasets of the job's files, of which each worker reads only its own rows. */
  readonly dataAccessor: DataAccessor;
  /** Where the model must be when runFn returns: `exportModel` writes there. */
  readonly servingModelDir: string;
  /** Free-form logs of the run. */
  readonly modelRunDir: string;
  /** Scratch folder, empty at the start. */
  readonly workingDir: string;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly customConfig: Readonly<Record<string, unknown>>;
  /** Number of records in each split. */
  readonly numExamples: Readonly<Record<string, number>>;
  /** Logical replicas, the job's seed. */
  readonly replicas: number;
  readonly seed: number;
  /**
   * Writes the model to `servingModelDir`: a SavedModel where the native backend runs, and TensorFlow.js's layers format
   * always. A collective call: every worker calls it, the chief writes.
   */
  exportModel(model: LayersModel, options?: ExportOptions): Promise<void>;
}

/** A user's module: the function that a job runs. */
export type RunFn = (fnArgs: FnArgs) => Promise<void> | void;
