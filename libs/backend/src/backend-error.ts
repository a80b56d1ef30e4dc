/** What went wrong when a backend was chosen, loaded or described. */
export type BackendErrorReason =
  | 'UNKNOWN_BACKEND'
  | 'UNAVAILABLE'
  | 'INVALID_THREADS'
  | 'THREADS_ALREADY_FIXED'
  | 'WRONG_THREAD'
  | 'NEEDS_NATIVE'
  | 'NO_REPORT';

/** An error of this library: `reason` is for programs, the message says what, where and what to do. */
export class BackendError extends Error {
  constructor(readonly reason: BackendErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackendError';
  }
}
