import { SHARD_POLICIES, type ShardPolicy } from '@lockstep/sharding';
import { TrainingError } from '../errors';

/** Options of tfDatasetFactory: TFX's TensorFlowDatasetOptions in camelCase, and what tensors of TensorFlow.js need. */
export interface DatasetOptions {
  /** Rows of the global batch: of all workers together. */
  readonly batchSize: number;
  /**
   * How records are dealt to the logical replicas, as tf.data's auto-shard policies deal them to workers. DATA: every record is
   * read once in a pass, each replica its part of every batch. FILE: once in a pass, each replica whole files of its own, at least
   * one. OFF: V times in a pass, each replica all records, in an order of its own when shuffled. Default: the job's, which is DATA unless it says otherwise.
   */
  readonly shardPolicy?: ShardPolicy;
  /** Leaves out a last batch of fewer rows. Default: false. */
  readonly dropFinalBatch?: boolean;
  /** Passes over the data. Default: without end. */
  readonly numEpochs?: number;
  /** Default: true. Without it rows come in the order of the files' names. */
  readonly shuffle?: boolean;
  /** Records among which rows are mixed; files are mixed in any case. Default: 10,000. */
  readonly shuffleBufferSize?: number;
  /** Default: the job's seed. */
  readonly shuffleSeed?: number;
  /** The feature that is the label: elements are then {xs, ys}, else features by name. */
  readonly labelKey?: string;
  /** The features to parse, the label not counted. Default: all of the schema. */
  readonly features?: readonly string[];
  /**
   * Type of an integer feature's tensor. Default: int32, the only integers of TensorFlow.js, and a value beyond 32 bits
   * is an error; float32 rounds beyond 24 bits.
   */
  readonly dtypes?: Readonly<Record<string, 'int32' | 'float32'>>;
  /**
   * What stands for a missing value, by feature. Default: 0 or the empty string for a feature without shape in the
   * schema; one with a shape is required, and its absence an error.
   */
  readonly missingValues?: Readonly<Record<string, number | string>>;
}

/** All options, with their defaults. */
export interface ResolvedDatasetOptions {
  readonly policy: ShardPolicy;
  /** V. */
  readonly replicas: number;
  readonly batchSize: number;
  readonly dropFinalBatch: boolean;
  /** Infinity without end. */
  readonly passCount: number;
  /** Undefined when nothing is shuffled. */
  readonly shuffle: { readonly bufferSize: number; readonly seed: number } | undefined;
  readonly labelKey: string | undefined;
  readonly features: readonly string[] | undefined;
  readonly dtypes: Readonly<Record<string, 'int32' | 'float32'>>;
  readonly missingValues: Readonly<Record<string, number | string>>;
}

const DEFAULT_SHUFFLE_BUFFER_SIZE = 10_000;

/** @throws TrainingError BAD_ARGUMENT that names the option */
export function resolveDatasetOptions(options: DatasetOptions, job: { readonly seed: number; readonly replicas?: number; readonly shardPolicy?: ShardPolicy }): ResolvedDatasetOptions {
  const { batchSize, shardPolicy = job.shardPolicy ?? 'DATA', dropFinalBatch = false, numEpochs, shuffle = true, shuffleBufferSize = DEFAULT_SHUFFLE_BUFFER_SIZE, shuffleSeed = job.seed, labelKey, features, dtypes = {}, missingValues = {} } = options;
  checkCount('batchSize', batchSize);
  if (numEpochs !== undefined) checkCount('numEpochs', numEpochs);
  checkCount('shuffleBufferSize', shuffleBufferSize);
  if (!Number.isSafeInteger(shuffleSeed)) throw new TrainingError('BAD_ARGUMENT', `shuffleSeed must be an integer, not ${shuffleSeed}`);
  if (!SHARD_POLICIES.includes(shardPolicy)) throw new TrainingError('BAD_ARGUMENT', `shardPolicy must be one of ${SHARD_POLICIES.join(', ')}, not ${String(shardPolicy)}`);
  return {
    policy: shardPolicy, replicas: job.replicas ?? 1,
    batchSize, dropFinalBatch, passCount: numEpochs ?? Infinity,
    shuffle: shuffle ? { bufferSize: shuffleBufferSize, seed: shuffleSeed } : undefined,
    labelKey, features, dtypes, missingValues,
  };
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31) throw new TrainingError('BAD_ARGUMENT', `${name} must be a positive integer, not ${value}`);
}
