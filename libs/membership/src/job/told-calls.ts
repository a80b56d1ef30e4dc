/**
 * Which finished calls a joiner may be told of before it has any state: those that the group behind it has finished too.
 *
 * 1. A job that starts again goes through calls anew that are finished in the books. A joiner that skipped them would stand
 *    in a later call than the state that it is handed.
 * 2. It is not told of an export that was the last: it must come to a call, to be taken in there.
 */
import type { JobState } from './job-state';

const EXPORT = 'export';

/** @param stored finished calls in the books, in order */
export function callsToTell<Call extends { readonly kind: string }>(state: JobState, stored: readonly Call[]): readonly Call[] {
  if (!('callsAtStart' in state)) return [];
  const { callsAtStart } = state;
  // Books grow with the attempt only when it has passed all that was in them.
  const finished = stored.length > callsAtStart.stored ? stored.length : Math.min(stored.length, callsAtStart.resumed);
  let told = finished;
  while (told > 0 && stored[told - 1]?.kind === EXPORT) told--;
  return stored.slice(0, told);
}
