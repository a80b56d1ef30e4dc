/**
 * How the members of a new generation become equal again. A pure function of their notes, so all plan the same.
 *
 * 1. Members that have state differ by at most one operation: every member gates every operation.
 * 2. The outcome of the last completed operation comes from a member that has it; the state for joiners from one that has
 *    applied it, at a moment when its state is exact.
 * 3. If nobody can give the state now, joiners are put off: the others never wait for them.
 */
import type { ResyncNote } from './resync-note';

/** What is sent to whom before the members go on. */
export interface ResyncPlan {
  /** Operations completed by the most advanced member: after the resync, by all. */
  readonly completed: number;
  /** Hands the outcome of operation `completed` to those that lack it. */
  readonly outcome: { readonly source: number; readonly elements: number; readonly laggards: readonly number[] } | undefined;
  /** Hands the state after operation `completed` to joiners. */
  readonly state: { readonly source: number; readonly joiners: readonly number[] } | undefined;
  /** Joiners that nobody can serve now. */
  readonly deferred: readonly number[];
}

/** Members that cannot be made equal: a fault of our own or of a version, never of a schedule. */
export class ResyncError extends Error {
  override readonly name = 'ResyncError';
}

/**
 * @param notes by rank
 * @throws ResyncError when members with state are more than one operation apart, or nobody has state
 */
export function planResync(notes: readonly ResyncNote[]): ResyncPlan {
  const ranks = notes.map((note, rank) => ({ note, rank }));
  const joiners = ranks.filter(({ note }) => note.standing === 'JOINER').map(({ rank }) => rank);
  const holders = ranks.filter(({ note }) => note.standing !== 'JOINER');
  if (holders.length === 0) throw new ResyncError(`none of the ${notes.length} members has a state: a generation has at least one survivor`);
  const completed = Math.max(...holders.map(({ note }) => note.completed));
  const advanced = holders.filter(({ note }) => note.completed === completed);
  const laggards = holders.filter(({ note }) => note.completed < completed);
  const tooFar = laggards.find(({ note }) => note.completed < completed - 1);
  if (tooFar) {
    throw new ResyncError(`rank ${tooFar.rank} has completed ${tooFar.note.completed} operations, rank ${advanced[0]?.rank} ${completed}: members of a group are never more than one apart`);
  }
  const [first] = advanced;
  const outcome = laggards.length > 0 && first
    ? { source: first.rank, elements: first.note.outcomeElements, laggards: laggards.map(({ rank }) => rank) }
    : undefined;
  const provider = advanced.find(({ note }) => note.standing === 'APPLIED' && note.exact);
  return {
    completed, outcome,
    state: joiners.length > 0 && provider ? { source: provider.rank, joiners } : undefined,
    deferred: provider ? [] : joiners,
  };
}
