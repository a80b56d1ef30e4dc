import { passOf, VisitTally, type TallySummary } from '@lockstep/sharding';
import type { Range } from '@lockstep/reduction';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { IterationScope } from '../random/random-router';
import type { TrainingContext } from '../runtime';
import { evenParts, type Batch, type Rows } from '../step/rows';
import type { BatchSequence } from './batch-sequence';
import { cutRows, type ElementDataset, type ElementIterator, type OpenOptions } from './dataset-batches';
import { readElement, type BatchTensors } from './dataset-element';
import { endedEarly } from './first-element';

/** Iterates a dataset whole: every member has all elements, and each is a global batch. */
export class ElementBatches implements BatchSequence {
  private elements = 0;
  /** Rows of the elements so far: rows are numbered over the whole pass. */
  private rows = 0;

  private constructor(
    readonly stepCount: number | undefined,
    private readonly context: TrainingContext,
    private readonly iterator: ElementIterator,
    private readonly scope: IterationScope,
    private readonly options: OpenOptions,
    private readonly toRows: (tensors: BatchTensors) => Rows,
  ) {}

  /** @throws TrainingError (DATASET_NOT_REPLAYABLE) when the steps that are done find other data than before */
  static async open(context: TrainingContext, dataset: ElementDataset | ElementIterator, options: OpenOptions, toRows: (tensors: BatchTensors) => Rows): Promise<ElementBatches> {
    const scope = context.router.iteration(options.key);
    const iterator = 'next' in dataset ? dataset : await context.router.within(scope, () => dataset.iterator());
    const size = 'next' in dataset ? undefined : dataset.size;
    const batches = new ElementBatches(size != null && Number.isFinite(size) ? size : undefined, context, iterator, scope, options, toRows);
    for (let step = 0; step < options.doneSteps; step++) {
      const batch = await batches.next();
      if (!batch) throw endedEarly(step, options.doneSteps, options.position());
      batch.dispose();
    }
    return batches;
  }

  async next(): Promise<Batch | undefined> {
    const { context, scope, options } = this;
    const { value } = await context.router.within(scope, () => this.iterator.next());
    const element: TensorContainer | undefined = value ?? undefined;
    const tensors = element === undefined ? undefined : readElement(context.tf, options.model, element);
    if (this.elements === 0) options.firstElement.check(tensors, options.position());
    if (!tensors) return undefined;
    const first = this.rows;
    const rowCount = tensors.inputs[0]?.shape[0] ?? 0;
    this.elements++;
    this.rows += rowCount;
    return {
      rowCount,
      parts: (replicas) => evenParts(rowCount, replicas),
      rows: (range) => this.toRows(cutRows(context.tf, tensors, range)),
      tally: (range) => this.tally({ from: first + range.from, to: first + range.to }),
      renew: () => Promise.resolve(),
      dispose: () => context.tf.dispose(element),
    };
  }

  private tally({ from, to }: Range): TallySummary {
    const tally = new VisitTally();
    const pass = passOf(this.options.iteration, 0);
    for (let row = from; row < to; row++) tally.addOne(pass, row);
    return tally.summary();
  }
}
