import type { Batch } from '../step/rows';

/** The global batches of one pass over the data, in order. */
export interface BatchSequence {
  /** Number of batches where it is known beforehand. */
  readonly stepCount: number | undefined;
  /** The batch of a step; steps are asked for in order. Undefined after the last one. */
  next(step: number): Promise<Batch | undefined>;
}
