/**
 * Who may pull.
 *
 * 1. Nothing of a claim is believed before its token is right.
 * 2. A member of an older generation is fenced: it learns so, and changes nothing.
 * 3. A member of a newer generation waits: our own assignment is on its way.
 */
import { timingSafeEqual } from 'node:crypto';
import { RpcError } from '@lockstep/rpc';
import type { PullClaim } from '../wire/exchange-service';

/** What this worker knows about itself. */
export interface AdmissionState {
  /** Undefined before any assignment, where the token is not known sooner. */
  readonly token: Uint8Array | undefined;
  readonly job: string | undefined;
  /** Newest generation that it was assigned to. */
  readonly generation: bigint | undefined;
  /** Its place in that generation; undefined after it left. */
  readonly place: { readonly rank: number; readonly worldSize: number } | undefined;
}

export type Verdict = { readonly kind: 'ADMIT' } | { readonly kind: 'HOLD' } | { readonly kind: 'REFUSE'; readonly error: RpcError };

export function judgePull(claim: PullClaim, state: AdmissionState): Verdict {
  const refuse = (error: RpcError): Verdict => ({ kind: 'REFUSE', error });
  const who = `rank ${claim.rank} of ${claim.job} generation ${claim.generation}`;
  if (state.token === undefined) return { kind: 'HOLD' };
  if (!sameToken(claim.token, state.token)) {
    return refuse(new RpcError('UNAUTHENTICATED', `${who} does not have the token of the job that runs here`, { reason: 'WRONG_TOKEN' }));
  }
  if (state.job === undefined || state.generation === undefined) return { kind: 'HOLD' };
  if (claim.job !== state.job) {
    return refuse(new RpcError('PERMISSION_DENIED', `${who}: ${state.job} runs here`, { reason: 'WRONG_JOB' }));
  }
  if (claim.generation < state.generation) {
    return refuse(fenced(claim.generation, state.generation));
  }
  if (claim.generation > state.generation) return { kind: 'HOLD' };
  if (state.place === undefined) {
    return refuse(new RpcError('FAILED_PRECONDITION', `${who}: this worker has left that generation`, { reason: 'LEFT' }));
  }
  const { rank, worldSize } = state.place;
  if (claim.worldSize !== worldSize || claim.targetRank !== rank || claim.rank === rank || claim.rank >= worldSize) {
    return refuse(new RpcError('INVALID_ARGUMENT', `${who} takes this worker for rank ${claim.targetRank} of ${claim.worldSize}; it is rank ${rank} of ${worldSize}`,
      { reason: 'MEMBERS_DIFFER' }));
  }
  return { kind: 'ADMIT' };
}

/** The answer to a member of an older generation. */
export const fenced = (theirs: bigint, ours: bigint): RpcError =>
  new RpcError('FAILED_PRECONDITION', `generation ${theirs} is over: generation ${ours} has begun. Ask the coordinator for a new assignment`, { reason: 'FENCED' });

const sameToken = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
