import type { Position, Range } from '@lockstep/reduction';
import type { Tensor, TensorContainer } from '@tensorflow/tfjs-core';
import { BATCH_SOURCE, hasBatchSource } from '../batch-source';
import type { RandomKey } from '../random/random-stream';
import type { TrainingContext } from '../runtime';
import type { Rows } from '../step/rows';
import type { ModelInternals, Tf } from '../tfjs';
import type { BatchSequence } from './batch-sequence';
import { classWeightsByOutput, rowWeights, type ClassWeights } from './class-weights';
import type { BatchTensors } from './dataset-element';
import { ElementBatches } from './element-batches';
import type { FirstElement } from './first-element';
import { SourceBatches } from './source-batches';

/** A tf.data iterator, as far as it is used. */
export interface ElementIterator {
  next(): Promise<{ readonly value: TensorContainer; readonly done: boolean }>;
}

/** A tf.data.Dataset, as far as it is used. */
export interface ElementDataset {
  readonly size?: number | null;
  iterator(): Promise<ElementIterator>;
}

/** How a pass over a dataset is opened. */
export interface OpenOptions {
  readonly model: ModelInternals;
  /** What the random numbers of this pass depend on. */
  readonly key: RandomKey;
  /** Number of the iteration, a function of the position: a dataset that is read by replica shuffles anew for each. */
  readonly iteration: number;
  /** Steps of the pass that are done already. */
  readonly doneSteps: number;
  /** What those found who began the pass. */
  readonly firstElement: FirstElement;
  /** Where the job stands when the data is read. */
  readonly position: () => Position;
  readonly classWeight?: ClassWeights | undefined;
}

/** Opens a pass: by replica where the dataset can be read so, else whole, by every member. */
export function openDataset(context: TrainingContext, dataset: ElementDataset | ElementIterator, options: OpenOptions): Promise<BatchSequence> {
  const toRows = (tensors: BatchTensors): Rows => withClassWeights(context.tf, options, tensors);
  if (hasBatchSource(dataset)) return Promise.resolve(new SourceBatches(context, dataset[BATCH_SOURCE](options.iteration), options, toRows));
  return ElementBatches.open(context, dataset, options, toRows);
}

function withClassWeights(tf: Tf, { model, classWeight }: OpenOptions, tensors: BatchTensors): Rows {
  if (classWeight === undefined) return { ...tensors, sampleWeights: [] };
  const weights = classWeightsByOutput(model.outputNames, classWeight);
  return { ...tensors, sampleWeights: tensors.targets.map((target, i) => (weights[i] ? rowWeights(tf, target, weights[i]) : null)) };
}

/** Some rows of a batch, in tensors of their own. */
export function cutRows(tf: Tf, { inputs, targets }: BatchTensors, range: Range): BatchTensors {
  const slice = (tensor: Tensor): Tensor => tf.slice(tensor, range.from, range.to - range.from);
  return { inputs: inputs.map(slice), targets: targets.map(slice) };
}
