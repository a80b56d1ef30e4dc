/** Who goes when members cannot exchange with one another, though the coordinator hears of all of them. */
import type { GroupMember } from '../group';
import type { JobState, StandingState, Suspicion } from './job-state';

/** Unordered pairs of members that cannot exchange, as `[accuser, accused]`, once each. */
function pairsOf(suspicions: readonly Suspicion[]): readonly (readonly [string, string])[] {
  const seen = new Map<string, readonly [string, string]>();
  for (const { accuser, accused } of suspicions) seen.set([accuser, accused].sort().join(' '), [accuser, accused]);
  return [...seen.values()];
}

/**
 * The member to evict: the one in most broken pairs; of several, the one that most others accuse (who waits for two that cannot reach one
 * another accuses both, and nobody accuses it); then one that complains of nobody itself, because it hangs or does not know; then the one that
 * the coordinator has heard of least recently; then the highest rank. So neither a one-way partition nor a computation without end stalls the group.
 *
 * @param silentMs how long each worker has not been heard of; one that is not there was never heard of
 */
export function evictee(state: StandingState, silentMs: ReadonlyMap<string, number>): string | undefined {
  const pairs = pairsOf(state.suspicions);
  const broken = (worker: string): number => pairs.filter((pair) => pair.includes(worker)).length;
  const accusers = (worker: string): number => new Set(state.suspicions.filter(({ accused }) => accused === worker).map(({ accuser }) => accuser)).size;
  // Who was never heard of has been silent for longer than anybody.
  const silence = (worker: string): number => silentMs.get(worker) ?? Infinity;
  const bySilence = (a: string, b: string): number => (silence(a) === silence(b) ? 0 : silence(b) - silence(a));
  const complaints = (worker: string): number => (state.suspicions.some(({ accuser }) => accuser === worker) ? 1 : 0);
  const order = state.members
    .filter(({ worker }) => broken(worker) > 0)
    .sort((a, b) => broken(b.worker) - broken(a.worker) || accusers(b.worker) - accusers(a.worker) || complaints(a.worker) - complaints(b.worker) || bySilence(a.worker, b.worker) || b.rank - a.rank);
  return order[0]?.worker;
}

/**
 * Who goes when a generation has not come together in time. Members become equal together, so that one who is stuck keeps all
 * from getting through: where nobody did, it is the one that the others accuse, or whoever enters and has nothing to lose.
 *
 * @param silentMs as for evictee
 */
export function lateMembers(state: Extract<JobState, { kind: 'CONNECTING' }>, silentMs: ReadonlyMap<string, number>): readonly GroupMember[] {
  const missing = state.members.filter(({ worker }) => !state.ready.includes(worker));
  if (state.ready.length > 0) return missing;
  const accused = evictee(state, silentMs);
  if (accused !== undefined) return state.members.filter(({ worker }) => worker === accused);
  const entering = state.members.filter(({ worker }) => state.entering.includes(worker));
  return entering.length > 0 ? entering : missing;
}
