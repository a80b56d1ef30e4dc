/** Who goes when members cannot exchange with one another, though the coordinator hears of all of them. */
import type { StandingState, Suspicion } from './job-state';

/** Unordered pairs of members that cannot exchange, as `[accuser, accused]`, once each. */
function pairsOf(suspicions: readonly Suspicion[]): readonly (readonly [string, string])[] {
  const seen = new Map<string, readonly [string, string]>();
  for (const { accuser, accused } of suspicions) seen.set([accuser, accused].sort().join(' '), [accuser, accused]);
  return [...seen.values()];
}

/**
 * The member to evict: the one in most broken pairs; of several, the one that the coordinator has heard of least recently;
 * then the highest rank. So a one-way partition does not stall the group.
 *
 * @param silentMs how long each worker has not been heard of
 */
export function evictee(state: StandingState, silentMs: ReadonlyMap<string, number>): string | undefined {
  const pairs = pairsOf(state.suspicions);
  const broken = (worker: string): number => pairs.filter((pair) => pair.includes(worker)).length;
  const order = state.members
    .filter(({ worker }) => broken(worker) > 0)
    .sort((a, b) => broken(b.worker) - broken(a.worker) || (silentMs.get(b.worker) ?? 0) - (silentMs.get(a.worker) ?? 0) || b.rank - a.rank);
  return order[0]?.worker;
}
