import type { Range } from '@lockstep/reduction';
import { passOf, VisitTally, type TallySummary, type Visit } from '@lockstep/sharding';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { BatchSource } from '../batch-source';
import { TrainingError } from '../errors';
import type { TrainingContext } from '../runtime';
import { evenParts, type Batch, type Rows } from '../step/rows';
import type { BatchSequence } from './batch-sequence';
import { cutRows, type OpenOptions } from './dataset-batches';
import { readElement, type BatchTensors } from './dataset-element';

/** What a member has read of a batch. */
interface LocalPart {
  readonly local: Range;
  readonly element: TensorContainer;
  /** Undefined where none of its replicas has rows. */
  readonly tensors: BatchTensors | undefined;
  readonly visits: readonly Visit[];
}

const nothing = (local: Range): LocalPart => ({ local, element: [], tensors: undefined, visits: [] });

/** Reads from a BatchSource the rows of this member's replicas, and no others. */
export class SourceBatches implements BatchSequence {
  readonly stepCount: number | undefined;

  constructor(
    private readonly context: TrainingContext,
    private readonly source: BatchSource,
    private readonly options: OpenOptions,
    private readonly toRows: (tensors: BatchTensors) => Rows,
  ) {
    this.stepCount = Number.isFinite(source.stepCount) ? source.stepCount : undefined;
    if (options.doneSteps < source.stepCount) source.prefetch?.(options.doneSteps, [this.local(options.doneSteps)]);
  }

  async next(step: number): Promise<Batch | undefined> {
    const { source, context } = this;
    if (step >= source.stepCount) return undefined;
    let part = await this.read(step, this.local(step));
    const within = ({ from, to }: Range): Range => ({ from: from - part.local.from, to: to - part.local.from });
    return {
      rowCount: source.rowCount(step),
      parts: (replicas) => this.parts(step, replicas),
      rows: (range) => {
        if (!part.tensors) throw new RangeError(`no replica of this member has rows in step ${step}`);
        return this.toRows(cutRows(context.tf, part.tensors, within(range)));
      },
      tally: (range) => this.tally(part.visits.slice(within(range).from, within(range).to)),
      renew: async () => {
        context.tf.dispose(part.element);
        part = nothing(part.local);
        part = await this.read(step, this.local(step));
      },
      dispose: () => context.tf.dispose(part.element),
    };
  }

  private async read(step: number, local: Range): Promise<LocalPart> {
    if (local.from === local.to) return nothing(local);
    const { element, visits } = await this.source.rows(step, local);
    const tensors = readElement(this.context.tf, this.options.model, element);
    const got = tensors.inputs[0]?.shape[0];
    if (got !== local.to - local.from || visits.length !== got) {
      throw new TrainingError('BAD_ARGUMENT', `the dataset gave ${got} rows of ${visits.length} records for rows ${local.from} to ${local.to} of step ${step}`);
    }
    return { local, element, tensors, visits };
  }

  private tally(visits: readonly Visit[]): TallySummary {
    const tally = new VisitTally();
    for (const { pass, record } of visits) tally.addOne(passOf(this.options.iteration, pass), record);
    return tally.summary();
  }

  private parts(step: number, replicas: number): readonly Range[] {
    return this.source.parts?.(step, replicas) ?? evenParts(this.source.rowCount(step), replicas);
  }

  /** The smallest range of rows that holds those of all replicas of this member. */
  private local(step: number): Range {
    const { replicas, range } = this.context.collective;
    const own = this.parts(step, replicas).slice(range.from, range.to);
    return { from: own[0]?.from ?? 0, to: own.at(-1)?.to ?? 0 };
  }
}
