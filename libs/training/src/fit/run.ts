import type { TallySummary } from '@lockstep/sharding';
import type { JsonValue } from '../canonical-json';
import type { StateTensor } from '../state/training-state';

/** What a callback remembers between its calls. */
export interface CallbackState {
  /** What its state() gave, or null. */
  readonly json: JsonValue;
  /** Tensors under the names that it gave them; in the state's bytes they are `callback/<index>/<name>`. */
  readonly tensors: readonly StateTensor[];
}

/** Sums over the batches of an evaluation that is under way. */
export interface EvaluationProgress {
  /** Batches done. */
  readonly step: number;
  readonly rows: number;
  /** Of each value: the mean times the rows so far (float32), or a mergeable metric's sums. */
  readonly totals: readonly (readonly number[])[];
  /** As in RunState, of the data that is evaluated. */
  readonly firstElement: string | null;
}

/** An applied step whose end has not been told yet. */
export interface AppliedBatch {
  /** Of the global batch. */
  readonly rows: number;
  /** Loss and metrics, in the order of their names. */
  readonly values: readonly number[];
  /** The records that the step consumed. */
  readonly visits: TallySummary;
}

/** What a fit does next. */
export type FitStage =
  /** Callbacks: the epoch begins. */
  | 'EPOCH_BEGIN'
  /** Take the next batch, and call back that it begins; or end the epoch. */
  | 'BATCH_BEGIN'
  /** Compute: the callbacks know that the batch begins. */
  | 'STEP'
  /** The step is applied; callbacks: the batch ends. */
  | 'BATCH_END';

export const FIT_STAGES: readonly FitStage[] = ['EPOCH_BEGIN', 'BATCH_BEGIN', 'STEP', 'BATCH_END'];

/** What a fit keeps between its steps; part of the TrainingState. */
export interface RunState {
  readonly stage: FitStage;
  /** The applied batch whose end the callbacks do not know yet (BATCH_END). */
  readonly lastBatch: AppliedBatch | null;
  /**
   * Digest of the first element of the pass over a dataset that is under way: who comes later must find the same. Null before
   * it was read, and where none is compared.
   */
  readonly firstElement: string | null;
  /** Rows of this epoch so far, and of each metric the mean times rows (float32) or the mergeable metric's sums. */
  readonly rows: number;
  readonly totals: readonly (readonly number[])[];
  readonly epochs: readonly number[];
  /** Pairs, because the order of the keys of History.history is that of the first epoch. */
  readonly history: readonly (readonly [string, readonly number[]])[];
  /** Values of this epoch's validation once it is done. */
  readonly validation: readonly number[] | null;
  readonly stopTraining: boolean;
  /** Rounds of evaluations that callbacks made in this epoch. */
  readonly callbackRounds: number;
  /** Of each callback, in their order. */
  readonly callbacks: readonly CallbackState[];
}
