import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { Range } from '@lockstep/reduction';
import type { ExamplesPlanOptions, Visit } from '@lockstep/sharding';

/** Rows as they were read. */
export interface RowsRead {
  /** One element {xs, ys} of a tf.data.Dataset with these rows; whoever asked for it disposes of it. */
  readonly element: TensorContainer;
  /** Which record each row is, in the order of the rows; passes of an iteration count from 0. */
  readonly visits: readonly Visit[];
}

/**
 * The one door through which training reads data: global batches, addressed by step, of which a member reads only the
 * rows of its own logical replicas. A dataset that implements it under `BATCH_SOURCE` is read through it by
 * `fitDataset` and `evaluateDataset`; any other tf.data.Dataset is iterated by every member, and sliced.
 */
export interface BatchSource {
  /** Number of global batches until the data ends, or Infinity when it repeats without end. */
  readonly stepCount: number;
  /** Rows in the global batch of a step, counted from the first step of the iteration; every member gets the same answer. */
  rowCount(step: number): number;
  /**
   * Rows [from, to) of the global batch of a step. Rejects with an error that names file, record and check when a record is
   * corrupt.
   */
  rows(step: number, range: Range): Promise<RowsRead>;
  /**
   * The rows of each of V logical replicas in the batch of a step: one after the other they are the batch. Absent: even parts.
   */
  parts?(step: number, replicas: number): readonly Range[];
  /** What the rows follow from, where the records are those of files: patterns of the files, and how they are dealt. */
  readonly examples?: { readonly patterns: readonly string[]; readonly options: ExamplesPlanOptions };
  /** Starts to read and parse ahead, from this step on, the rows that this member will ask for. */
  prefetch?(step: number, ranges: readonly Range[]): void;
}

/** Key of the method by which a tf.data.Dataset offers a BatchSource. */
export const BATCH_SOURCE: unique symbol = Symbol.for('lockstep.batch-source');

/** A dataset that can be read by replica. */
export interface HasBatchSource {
  /**
   * An iteration from step 0. Cheap: it is opened when its first rows are asked for.
   *
   * @param iteration the same number gives the same rows in the same order; a dataset that shuffles does so anew for each
   */
  [BATCH_SOURCE](iteration: number): BatchSource;
}

export const hasBatchSource = (dataset: unknown): dataset is HasBatchSource =>
  typeof dataset === 'object' && dataset !== null && BATCH_SOURCE in dataset;
