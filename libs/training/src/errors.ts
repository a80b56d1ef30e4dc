import { formatPosition, type Position } from '@lockstep/reduction';

/** Why a collective call could not go on. */
export type TrainingErrorReason =
  /** A field of tfjs-layers that the adopted fit needs is missing: another version of tfjs. */
  | 'UNSUPPORTED_TFJS'
  /** A second installTraining() in the same process. */
  | 'ALREADY_INSTALLED'
  /** A layer whose state cannot be deferred, or is not part of the TrainingState. */
  | 'UNSUPPORTED_LAYER'
  /** An optimizer that keeps state of a kind that the TrainingState cannot hold. */
  | 'UNSUPPORTED_OPTIMIZER'
  | 'BAD_ARGUMENT'
  | 'BATCH_TOO_SMALL'
  /** The data has no row at all. */
  | 'NO_ROWS'
  | 'NAN_LOSS'
  /** The forward pass wrote or created a variable that is not a non-trainable weight of the model. */
  | 'FOREIGN_WRITE'
  /** The same replica, computed twice, gave other bits. */
  | 'NOT_REPEATABLE'
  | 'APPLY_FAILED'
  | 'NESTED_CALL'
  /** The module makes another call than the one in the call log. */
  | 'CALL_MISMATCH'
  | 'TOO_MANY_CALLS'
  /** tunerFn returned something else than a tuner and what it fits. */
  | 'NOT_A_TUNER'
  /** A hypermodel made no compiled model, or its fit no result. */
  | 'BAD_HYPERMODEL'
  /** An objective is none of the metrics. */
  | 'NO_SUCH_METRIC'
  /** The objective of a trial was finite in no epoch. */
  | 'OBJECTIVE_NOT_FINITE'
  /** The values of a trial are not of its study's space, or not what the module takes. */
  | 'OUTSIDE_SPACE'
  /** A parameter is of another kind than before, or new where none may be. */
  | 'SPACE_CHANGED'
  /** The module says that these values cannot be evaluated. */
  | 'INFEASIBLE_TRIAL'
  /** More than what came of a job can hold. */
  | 'RESULT_TOO_LARGE'
  /** A dataset that cannot be iterated again from its start, in a job in which that may be needed. */
  | 'DATASET_NOT_REPLAYABLE';

/** Where and about what a TrainingError is, for programs; the message says it in words. */
export interface TrainingErrorDetails {
  readonly position?: Position;
  /** Name of the metric as in History. */
  readonly metric?: string;
  readonly layer?: string;
  readonly variable?: string;
}

/** A collective call failed through the module or its data. Every member of the group fails alike. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
  constructor(
    readonly reason: TrainingErrorReason,
    message: string,
    readonly details: TrainingErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(details.position ? `${formatPosition(details.position)}: ${message}` : message, options);
  }
}

/** Why bytes were refused as a TrainingState. */
export type StateErrorReason =
  | 'NOT_A_STATE'
  | 'OTHER_VERSION'
  | 'TRUNCATED'
  | 'CORRUPT'
  | 'DIGEST_MISMATCH'
  | 'OTHER_SEED'
  | 'OTHER_REPLICAS'
  | 'OTHER_MODEL'
  | 'OTHER_OPTIMIZER';

/** A TrainingState was refused; nothing was changed. */
export class StateError extends Error {
  override readonly name = 'StateError';
  constructor(
    readonly reason: StateErrorReason,
    message: string,
  ) {
    super(message);
  }
}
