import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ExamplesSignature, FeatureSpec } from '@lockstep/graph';
import type { DataAccessor } from './data';

/** How the exported model is served from tf.Examples. */
export interface ExportFeatures {
  /** Features to parse: names of the schema's, or specifications of one's own. The label is not among them. */
  readonly features: readonly (string | FeatureSpec)[];
  /**
   * From parsed features ([rows, ...shape] each) to the model's inputs: tensor operations only, since it becomes part of
   * the exported graph. Default: features are the model's inputs by name.
   */
  readonly featuresToInputs?: NonNullable<ExamplesSignature['featuresToInputs']>;
}

/** Options of `exportModel`. */
export interface ExportOptions {
  /** Adds the signature `serving_examples`, which takes serialized tf.Examples. */
  readonly examples?: ExportFeatures;
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
  /** V, the number of logical replicas: a global batch has at least as many rows. */
  readonly replicas: number;
  readonly seed: number;
  /**
   * Writes the model to `servingModelDir`: a SavedModel where the native backend runs (Format-Serving), and
   * TensorFlow.js's layers format always (Format-Layers). A collective call: every worker makes it, the chief writes.
   *
   * @throws GraphError when the model cannot be exported; TrainingError CALL_MISMATCH when another worker makes another call
   */
  exportModel(model: LayersModel, options?: ExportOptions): Promise<void>;
}

/** A user's module: the function that a job runs. */
export type RunFn = (fnArgs: FnArgs) => Promise<void> | void;
