import { evenPart, type Range } from '@lockstep/reduction';
import type { TallySummary } from '@lockstep/sharding';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Rows as the model takes them, each tensor with the rows along its first axis. */
export interface Rows {
  readonly inputs: readonly Tensor[];
  readonly targets: readonly Tensor[];
  /** Of each output, the weight of each row's loss; empty or null where there is none. */
  readonly sampleWeights: readonly (Tensor | null)[];
}

/** One global batch, of which a member reads the rows of its own replicas. */
export interface Batch {
  /** Rows of the global batch: the same for every member. */
  readonly rowCount: number;
  /** The rows of each of V logical replicas: one after the other they are the batch; a replica may have none. */
  parts(replicas: number): readonly Range[];
  /** These rows, counted within the global batch, in tensors that the caller disposes of. */
  rows(range: Range): Rows;
  /** Which records the same rows are, in a form that replicas add up. */
  tally(range: Range): TallySummary;
  /** Reads what this member needs now that its replicas are others. */
  renew(): Promise<void>;
  /** Frees what the batch holds; rows that were taken stay. */
  dispose(): void;
}

export function disposeRows(rows: Rows): void {
  for (const tensor of [...rows.inputs, ...rows.targets, ...rows.sampleWeights]) tensor?.dispose();
}

/** Even parts of a batch, one a logical replica, in order. */
export const evenParts = (rowCount: number, replicas: number): readonly Range[] =>
  Array.from({ length: replicas }, (_, replica) => evenPart(rowCount, replicas, replica));
