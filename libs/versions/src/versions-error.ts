/** Why a request about versions or executions cannot be done, for programs. */
export type VersionsErrorReason =
  | 'ARTIFACT_NOT_FOUND' | 'VERSION_NOT_FOUND' | 'EXECUTION_NOT_FOUND'
  | 'VERSION_DELETED' | 'VERSION_IN_USE'
  | 'FENCED' | 'TYPE_MISMATCH' | 'BLOBS_MISSING' | 'EXECUTION_ENDED' | 'EXECUTION_EXISTS' | 'REQUEST_ID_REUSED'
  | 'MALFORMED_MANIFEST';

/** A request about versions or executions that cannot be done; the message says what, where, and what to do. */
export class VersionsError extends Error {
  override readonly name = 'VersionsError';
  constructor(
    readonly reason: VersionsErrorReason,
    message: string,
    /** Facts that belong to the reason; `resource` is the resource name that it is about. */
    readonly facts: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
