import { VisitTally } from '@lockstep/sharding';
import type { Tensor } from '@tensorflow/tfjs-core';
import { evenParts, type Batch } from '../step/rows';
import type { Tf } from '../tfjs';
import type { BatchSequence } from './batch-sequence';

/** Whole data in memory: inputs, targets and sample weights with all rows along their first axis. */
export interface TensorData {
  readonly inputs: readonly Tensor[];
  readonly targets: readonly Tensor[];
  readonly sampleWeights: readonly (Tensor | null)[];
  readonly rowCount: number;
}

/** Cuts what fit() and evaluate() standardised into its parts. */
export function tensorData(inputCount: number, outputCount: number, tensors: readonly (Tensor | null)[]): TensorData {
  const whole = (tensor: Tensor | null): Tensor => {
    if (!tensor) throw new TypeError('a model input or target is missing');
    return tensor;
  };
  const inputs = tensors.slice(0, inputCount).map(whole);
  return {
    inputs,
    targets: tensors.slice(inputCount, inputCount + outputCount).map(whole),
    sampleWeights: tensors.slice(inputCount + outputCount),
    rowCount: inputs[0]?.shape[0] ?? 0,
  };
}

/** How a pass over tensors reads them. */
export interface TensorPass {
  /** Number of the pass in the job. */
  readonly pass: number;
  /** A permutation of the rows; absent: the tensors' order. */
  readonly order?: Int32Array;
}

/** Evaluations consume nothing, so that their passes need no number. */
const UNCOUNTED: TensorPass = { pass: 0 };

/** Batches of rows of tensors, in the tensors' order or in a given one. */
export class TensorBatches implements BatchSequence {
  readonly stepCount: number;

  constructor(
    private readonly tf: Tf,
    private readonly data: TensorData,
    private readonly batchSize: number,
    private readonly reading = UNCOUNTED,
  ) {
    this.stepCount = Math.ceil(data.rowCount / batchSize);
  }

  next(step: number): Promise<Batch | undefined> {
    return Promise.resolve(this.at(step));
  }

  /** The batch of a step, undefined behind the last one. */
  at(step: number): Batch | undefined {
    if (step >= this.stepCount) return undefined;
    const { tf, data, reading: { pass, order } } = this;
    const start = step * this.batchSize;
    const rowCount = Math.min(data.rowCount, start + this.batchSize) - start;
    return {
      rowCount,
      parts: (replicas) => evenParts(rowCount, replicas),
      rows: ({ from, to }) => {
        const indices = order && tf.tensor1d(order.slice(start + from, start + to), 'int32');
        const pick = <T extends Tensor | null>(tensor: T): T | Tensor =>
          tensor === null ? tensor : indices ? tf.gather(tensor, indices) : tf.slice(tensor, start + from, to - from);
        try {
          return { inputs: data.inputs.map(pick), targets: data.targets.map(pick), sampleWeights: data.sampleWeights.map(pick) };
        } finally {
          indices?.dispose();
        }
      },
      tally: ({ from, to }) => {
        const tally = new VisitTally();
        for (let row = start + from; row < start + to; row++) tally.addOne(pass, order?.[row] ?? row);
        return tally.summary();
      },
      renew: () => Promise.resolve(),
      dispose: () => undefined,
    };
  }
}
