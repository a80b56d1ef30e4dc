import type { FieldViolation } from '@lockstep/rpc';

export type CoordinatorErrorReason =
  | 'INVALID_SPEC' | 'NO_SUCH_JOB' | 'REQUEST_ID_REUSED' | 'INVALID_ARGUMENT' | 'INVALID_NAME'
  | 'WORKER_NAME_TAKEN' | 'VERSION_MISMATCH' | 'BAD_TOKEN' | 'PROTOCOL' | 'SILENT' | 'FENCED';

/** What the coordinator refuses, and why. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  constructor(
    readonly reason: CoordinatorErrorReason,
    message: string,
    readonly details: { readonly violations?: readonly FieldViolation[]; readonly resource?: string } = {},
  ) {
    super(message);
  }
}
