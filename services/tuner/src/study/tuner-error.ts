import type { Violation } from '@lockstep/search';

/** What the tuner refuses beside what a study does, for programs. */
export type TunerErrorReason =
  | 'INVALID_ARGUMENT'
  | 'NO_SUCH_STUDY'
  | 'NO_SUCH_TRIAL'
  | 'STUDY_EXISTS'
  | 'REQUEST_ID_REUSED'
  | 'TOO_MANY_CALLS'
  | 'STUDY_DELETED';

/** A refusal of the tuner; the message says what, where, and what to do. */
export class TunerError extends Error {
  override readonly name = 'TunerError';
  constructor(
    readonly reason: TunerErrorReason,
    message: string,
    readonly details: { readonly violations?: readonly Violation[]; readonly resource?: string } = {},
  ) {
    super(message);
  }
}

/** INVALID_ARGUMENT with every fault, if there is one. @throws TunerError */
export function refuse(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  throw new TunerError('INVALID_ARGUMENT', `the request is not valid: ${violations.map(({ field, description }) => `${field}: ${description}`).join('; ')}`, { violations });
}
