/** What a study refuses, for programs. */
export type TrackingErrorReason =
  /** It never was, or it is not pending any more: then its outcome is where ended trials are kept. */
  | 'NOT_PENDING'
  /** Somebody else has it, or nobody: its lease expired. */
  | 'TRIAL_LOST'
  /** It has ended in another way. */
  | 'TRIAL_ENDED'
  /** The same epoch and execution was reported with other values. */
  | 'MEASUREMENT_DIVERGED'
  | 'TOO_MANY_MEASUREMENTS'
  | 'TOO_MANY_ENQUEUED'
  /** Success without a value of an objective. */
  | 'MISSING_METRIC'
  /** What is known of the space only after its discovery. */
  | 'SPACE_UNKNOWN'
  /** A limit that would fall below what it was, or what has been done. */
  | 'SHRINKS';

/** A study's refusal; the message says what, whose it is, and what to do. Nothing was changed. */
export class TrackingError extends Error {
  override readonly name = 'TrackingError';
  constructor(
    readonly reason: TrackingErrorReason,
    message: string,
    /** Facts that belong to the reason: trial, holder, the field of a limit. */
    readonly facts: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
