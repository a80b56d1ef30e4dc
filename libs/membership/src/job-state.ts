import type { GroupMember, Seat } from './group';

/** Whose fault a failure is. */
export type Fault = 'MODULE' | 'WORKER' | 'DATA' | 'CLUSTER';

/** Why a job failed: for programs (reason, fault) and for people (message). */
export interface JobFailure {
  readonly reason: string;
  readonly message: string;
  readonly fault: Fault;
  readonly worker?: string;
  readonly rank?: number;
}

/** What a member says when its module has returned. */
export interface FinishReport {
  /** SHA-256 of its TrainingState, in hex. */
  readonly stateDigest: string;
  readonly steps: number;
}

/** The phases of a rendezvous: children start and report, then connect to one another. */
export type RendezvousPhase =
  | { readonly kind: 'STARTING'; readonly joined: readonly GroupMember[]; readonly fingerprints: ReadonlyMap<string, string> }
  | { readonly kind: 'CONNECTING'; readonly ready: ReadonlySet<string> };

/** The states of a job. Every state that waits has a deadline. */
export type JobState =
  | { readonly kind: 'QUEUED' }
  | { readonly kind: 'RENDEZVOUS'; readonly generation: number; readonly seats: readonly Seat[]; readonly deadlineMs: number; readonly phase: RendezvousPhase }
  | { readonly kind: 'RUNNING'; readonly generation: number; readonly members: readonly GroupMember[]; readonly deadlineMs: number; readonly finished: ReadonlyMap<string, FinishReport> }
  | { readonly kind: 'EXPORTING'; readonly generation: number; readonly members: readonly GroupMember[]; readonly deadlineMs: number; readonly stateDigest: string }
  | { readonly kind: 'SUCCEEDED' }
  | { readonly kind: 'FAILED'; readonly failure: JobFailure }
  | { readonly kind: 'CANCELLED' };

export type JobStateKind = JobState['kind'];

export type EndedState = Extract<JobState, { kind: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' }>;

/** A state in which nothing can happen any more. */
export const hasEnded = (state: JobState): state is EndedState =>
  state.kind === 'SUCCEEDED' || state.kind === 'FAILED' || state.kind === 'CANCELLED';

/** The workers that a job holds in a state. */
export function heldWorkers(state: JobState): readonly Seat[] {
  switch (state.kind) {
    case 'QUEUED':
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELLED':
      return [];
    case 'RENDEZVOUS':
      return state.seats;
    case 'RUNNING':
    case 'EXPORTING':
      return state.members;
  }
}
