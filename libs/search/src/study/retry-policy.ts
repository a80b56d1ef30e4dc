/** How often a trial is tried. */
export interface RetryPolicy {
  /** Further tries after one that ended with an error or without a score; KerasTuner's is 0. */
  readonly maxRetries: number;
  /** Workers that may vanish while they run the trial, before it is taken to be what kills them. */
  readonly maxLosses: number;
}

export const RETRY_DEFAULTS: RetryPolicy = { maxRetries: 1, maxLosses: 5 };

/** How the tries of a trial have ended so far, the last one included. */
export interface TriesSoFar {
  readonly errors: number;
  readonly losses: number;
}

export type RetryDecision = { readonly kind: 'RETRY' } | { readonly kind: 'FAIL'; readonly why: string };

/** What becomes of a trial after a try that came to nothing. */
export function decideRetry({ maxRetries, maxLosses }: RetryPolicy, { errors, losses }: TriesSoFar): RetryDecision {
  if (errors > maxRetries) return { kind: 'FAIL', why: `it failed ${errors} times; the study allows ${maxRetries} retries` };
  if (losses > maxLosses) return { kind: 'FAIL', why: `${losses} workers vanished while they ran it; the study allows ${maxLosses}` };
  return { kind: 'RETRY' };
}
