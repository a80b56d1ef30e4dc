import type { Columns, ParseSpec, RowReader } from '@lockstep/examples';
import { planExamples, RecordNumbers, type DataPlan, type ShardTable } from '@lockstep/sharding';
import { tidy, type Tensor, type TensorContainer } from '@tensorflow/tfjs-core';
import { Dataset, generator } from '@tensorflow/tfjs-data';
import { BATCH_SOURCE, type BatchSource, type HasBatchSource } from '../batch-source';
import { TrainingError } from '../errors';
import { columnTensors, type FeatureTensors } from './column-tensors';
import type { ResolvedDatasetOptions } from './dataset-options';
import { ExampleBatches } from './example-batches';

/** What a dataset is made of. */
export interface DatasetParts {
  /** Of the files, as they were asked for. */
  readonly patterns: readonly string[];
  readonly table: ShardTable;
  readonly spec: ParseSpec;
  readonly options: ResolvedDatasetOptions;
  readonly reader: RowReader;
  readonly localPath: (file: string) => Promise<string>;
  /** Applied one after the other to each part of a batch. */
  readonly mappings: readonly RowMapping[];
}

/** From an element with some rows to one with the same rows. */
export type RowMapping = (element: TensorContainer) => TensorContainer;

/** An element of a dataset with a label. A type rather than an interface: only so it is a TensorContainer. */
export type LabelledRows = { readonly xs: FeatureTensors; readonly ys: Tensor };

/**
 * Batches of examples, as a tf.data.Dataset and as a BatchSource: fitDataset and evaluateDataset read of it only the rows
 * of the worker's own replicas. Its elements are {xs: features by name, ys: label}, or without a labelKey the features
 * by name; each tensor is [rows, ...shape].
 */
export class ExamplesDataset<Element extends TensorContainer = TensorContainer> extends Dataset<TensorContainer> implements HasBatchSource {
  /** Number of batches, Infinity without end. */
  override readonly size: number;
  private readonly numbers: RecordNumbers;

  /** @throws ShardingError NO_RECORDS, TOO_FEW_FILES, BAD_ARGUMENT */
  constructor(private readonly parts: DatasetParts) {
    super();
    this.numbers = new RecordNumbers(parts.table);
    this.size = this.plan(0).stepCount;
  }

  /**
   * The dataset with a function applied to its elements: to stack features, encode labels, scale. It is called with a part
   * of a batch and must treat each row by itself; what it computes with tf is cleaned up. Unlike `map`, the result is
   * still read by replica.
   */
  mapRows<Mapped extends TensorContainer>(mapping: (element: Element) => Mapped): ExamplesDataset<Mapped> {
    // Element is what the mappings before this one return, or what elementOf makes.
    return new ExamplesDataset<Mapped>({ ...this.parts, mappings: [...this.parts.mappings, mapping as unknown as RowMapping] });
  }

  /**
   * Reads from step 0. Each iteration shuffles anew; the same number gives the same rows.
   *
   * @param iteration a function of the job's position, never a count of calls: a member that joins late has made fewer
   */
  [BATCH_SOURCE](iteration = 0): BatchSource {
    const { patterns, spec, reader, localPath, options } = this.parts;
    return new ExampleBatches({
      plan: this.plan(iteration), spec, reader, localPath,
      examples: { patterns, options },
      toElement: (columns) => this.toElement(columns),
    });
  }

  /** All rows of every batch, in the order of iteration 0: for use without training. */
  override async iterator(): ReturnType<Dataset<TensorContainer>['iterator']> {
    const source = this[BATCH_SOURCE]();
    async function* batches(): AsyncGenerator<TensorContainer> {
      for (let step = 0; step < source.stepCount; step++) yield (await source.rows(step, { from: 0, to: source.rowCount(step) })).element;
    }
    return generator<TensorContainer>(batches).iterator();
  }

  private plan(iteration: number): DataPlan {
    return planExamples(this.numbers, iteration, this.parts.options);
  }

  private toElement(columns: Columns): TensorContainer {
    return tidy(() => this.parts.mappings.reduce<TensorContainer>((element, mapping) => mapping(element), this.elementOf(columnTensors(columns))));
  }

  private elementOf(features: FeatureTensors): TensorContainer {
    const { labelKey } = this.parts.options;
    if (labelKey === undefined) return features;
    const { [labelKey]: ys, ...xs } = features;
    if (ys === undefined) throw new TrainingError('BAD_ARGUMENT', `the label '${labelKey}' was not parsed`);
    return { xs, ys };
  }
}
