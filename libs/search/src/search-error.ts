/** One thing that is wrong: where it stands, and what it is and should be. */
export interface Violation {
  /** Path into what was checked, e.g. `space[3].max`. */
  readonly field: string;
  readonly description: string;
}

/** Why a space, values, settings or a history cannot be used, for programs. */
export type SearchErrorReason = 'INVALID_SPACE' | 'INVALID_VALUES' | 'INVALID_SETTINGS' | 'MALFORMED_JSON' | 'UNKNOWN_DIRECTION' | 'MISSING_METRIC';

/** Bad input to a search; the message says what, where, and what to do. */
export class SearchError extends Error {
  override readonly name = 'SearchError';
  constructor(readonly reason: SearchErrorReason, readonly violations: readonly Violation[]) {
    super(violations.map(({ field, description }) => `${field}: ${description}`).join('; '));
  }
}

/** Throws everything that is wrong at once, if anything is. */
export function refuseViolations(reason: SearchErrorReason, violations: readonly Violation[]): void {
  if (violations.length > 0) throw new SearchError(reason, violations);
}
