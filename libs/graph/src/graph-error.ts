/** Why a function cannot be recorded as a graph that means the same. */
export type RefusalReason =
  /** Two inputs are one tensor: the graph could not tell them apart. */
  | 'ALIASED_INPUTS'
  /** The function returned a promise: what runs after it would not be recorded. */
  | 'ASYNC_FUNCTION'
  /** The function draws from TensorFlow's stateful generators. */
  | 'RANDOM_OP'
  /** The function runs an operation with an effect other than its outputs. */
  | 'SIDE_EFFECT'
  /** TensorFlow.js ran an operation that the table of definitions lacks. */
  | 'UNKNOWN_OP'
  /** An attribute does not agree with the operation's definition. */
  | 'UNKNOWN_ATTRIBUTE'
  /** JavaScript read a value that depends on an input or a variable, so the recorded path may depend on it. */
  | 'READ_OF_TRACED_VALUE'
  /** The function assigned a variable. */
  | 'VARIABLE_ASSIGNED'
  /** Two recordings of the same call differ: a JavaScript random number or some other state went into the graph. */
  | 'NOT_REPEATABLE'
  /** The operations that run depend on the batch size. */
  | 'BATCH_DEPENDENT_STRUCTURE'
  /** A constant or an attribute depends on the batch size in a way that is not m * batch + q. */
  | 'BATCH_DEPENDENT_VALUE';

/** One reason why a recording is not usable, with the place where it was seen. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** A sentence that names the operation, variable or input. */
  readonly detail: string;
}

export type GraphErrorReason =
  /** The operation needs TensorFlow's own library, and TensorFlow.js runs on another backend. */
  | 'NEEDS_NATIVE_BACKEND'
  /** The model or the mapping of features cannot be recorded; see `refusals`. */
  | 'NOT_RECORDABLE'
  /** The model's inputs or outputs have a form that the exporter does not support. */
  | 'UNSUPPORTED_MODEL'
  /** The features do not fit each other or the model. */
  | 'BAD_FEATURES'
  /** The target directory exists and is not empty. */
  | 'DIRECTORY_EXISTS'
  /** The exported graph, run by TensorFlow, does not give what the model gives. */
  | 'VERIFICATION_FAILED'
  /** A directory does not hold a model in the TensorFlow.js layers format. */
  | 'BAD_LAYERS_MODEL';

/** An export that did not happen: what, where, and what to do about it. Nothing was left behind. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  constructor(
    readonly reason: GraphErrorReason,
    message: string,
    /** Filled for NOT_RECORDABLE. */
    readonly refusals: readonly Refusal[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error for a recording with refusals; `subject` says what was recorded. */
export function notRecordable(subject: string, refusals: readonly Refusal[]): GraphError {
  const shown = refusals.slice(0, 5).map((refusal) => `${refusal.reason}: ${refusal.detail}`);
  const more = refusals.length > shown.length ? `; and ${refusals.length - shown.length} more` : '';
  return new GraphError('NOT_RECORDABLE', `${subject} cannot be recorded as a TensorFlow graph: ${shown.join('; ')}${more}`, refusals);
}
