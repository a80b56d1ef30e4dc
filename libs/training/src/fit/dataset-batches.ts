import type { Range } from '@lockstep/reduction';
import type { Tensor, TensorContainer } from '@tensorflow/tfjs-core';
import { BATCH_SOURCE, hasBatchSource, type BatchSource } from '../batch-source';
import { TrainingError } from '../errors';
import type { RandomKey } from '../random/random-stream';
import type { TrainingContext } from '../runtime';
import { localRows, type Batch, type Rows } from '../step/rows';
import type { ModelInternals, Tf } from '../tfjs';
import type { BatchSequence } from './batch-sequence';
import { classWeightsByOutput, rowWeights, type ClassWeights } from './class-weights';
import { readElement, type BatchTensors } from './dataset-element';

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
  readonly classWeight?: ClassWeights | undefined;
}

/** Opens a pass: by replica where the dataset can be read so, else whole, by every member. */
export async function openDataset(context: TrainingContext, dataset: ElementDataset | ElementIterator, options: OpenOptions): Promise<BatchSequence> {
  const toRows = (tensors: BatchTensors): Rows => withClassWeights(context.tf, options, tensors);
  if (hasBatchSource(dataset)) return new SourceBatches(context, dataset[BATCH_SOURCE](options.iteration), options, toRows);
  const scope = context.router.iteration(options.key);
  const iterator = 'next' in dataset ? dataset : await context.router.within(scope, () => dataset.iterator());
  const next = async (): Promise<TensorContainer | undefined> => {
    const element = await context.router.within(scope, () => iterator.next());
    return element.value == null ? undefined : element.value;
  };
  for (let step = 0; step < options.doneSteps; step++) context.tf.dispose(await next());
  const size = 'next' in dataset ? undefined : dataset.size;
  return {
    stepCount: size != null && Number.isFinite(size) ? size : undefined,
    next: async () => {
      const element = await next();
      return element === undefined ? undefined : elementBatch(context.tf, options.model, element, toRows);
    },
  };
}

function withClassWeights(tf: Tf, { model, classWeight }: OpenOptions, tensors: BatchTensors): Rows {
  if (classWeight === undefined) return { ...tensors, sampleWeights: [] };
  const weights = classWeightsByOutput(model.outputNames, classWeight);
  return { ...tensors, sampleWeights: tensors.targets.map((target, i) => (weights[i] ? rowWeights(tf, target, weights[i]) : null)) };
}

const cut = (tf: Tf, { inputs, targets }: BatchTensors, range: Range): BatchTensors => {
  const slice = (tensor: Tensor): Tensor => tf.slice(tensor, range.from, range.to - range.from);
  return { inputs: inputs.map(slice), targets: targets.map(slice) };
};

function elementBatch(tf: Tf, model: ModelInternals, element: TensorContainer, toRows: (tensors: BatchTensors) => Rows): Batch {
  const tensors = readElement(tf, model, element);
  return {
    rowCount: tensors.inputs[0]?.shape[0] ?? 0,
    rows: (range) => toRows(cut(tf, tensors, range)),
    renew: () => Promise.resolve(),
    dispose: () => tf.dispose(element),
  };
}

/** Reads from a BatchSource the rows of this member's replicas, and no others. */
class SourceBatches implements BatchSequence {
  readonly stepCount: number | undefined;

  constructor(
    private readonly context: TrainingContext,
    private readonly source: BatchSource,
    private readonly options: OpenOptions,
    private readonly toRows: (tensors: BatchTensors) => Rows,
  ) {
    this.stepCount = Number.isFinite(source.stepCount) ? source.stepCount : undefined;
    if (options.doneSteps < source.stepCount) source.prefetch?.(options.doneSteps, [this.local(source.rowCount(options.doneSteps))]);
  }

  async next(step: number): Promise<Batch | undefined> {
    const { source, context } = this;
    if (step >= source.stepCount) return undefined;
    const rowCount = source.rowCount(step);
    let part = await this.read(step, this.local(rowCount));
    return {
      rowCount,
      rows: ({ from, to }) => {
        if (!part.tensors) throw new RangeError(`no replica of this member has rows in step ${step}`);
        return this.toRows(cut(context.tf, part.tensors, { from: from - part.local.from, to: to - part.local.from }));
      },
      renew: async () => {
        context.tf.dispose(part.element);
        part = { local: part.local, element: [], tensors: undefined };
        part = await this.read(step, this.local(rowCount));
      },
      dispose: () => context.tf.dispose(part.element),
    };
  }

  private async read(step: number, local: Range): Promise<LocalPart> {
    if (local.from === local.to) return { local, element: [], tensors: undefined };
    const element = await this.source.rows(step, local);
    const tensors = readElement(this.context.tf, this.options.model, element);
    const got = tensors.inputs[0]?.shape[0];
    if (got !== local.to - local.from) throw new TrainingError('BAD_ARGUMENT', `the dataset gave ${got} rows for rows ${local.from} to ${local.to} of step ${step}`);
    return { local, element, tensors };
  }

  private local(rowCount: number): Range {
    return localRows(rowCount, this.context.collective.replicas, this.context.collective.range);
  }
}

/** What a member has read of a batch. */
interface LocalPart {
  readonly local: Range;
  readonly element: TensorContainer;
  /** Undefined where none of its replicas has rows. */
  readonly tensors: BatchTensors | undefined;
}
