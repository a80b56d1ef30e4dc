import type { GroupMember } from '../group';
import type { Bar } from './bars';

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
  readonly worker: string;
  /** SHA-256 of its TrainingState, in hex. */
  readonly stateDigest: string;
  readonly steps: number;
  /** Whether it holds the model: one that joined after the export does not. */
  readonly hasModel: boolean;
}

/** A process that was started for a running job and is in no generation yet. */
export interface Joiner {
  readonly worker: string;
  /**
   * STARTING: its process has not reported. PREPARING: it runs the module up to the first call that is not finished.
   * PREPARED: it waits to be taken in.
   */
  readonly phase:
    | { readonly kind: 'STARTING' }
    | { readonly kind: 'PREPARING'; readonly address: string }
    | { readonly kind: 'PREPARED'; readonly address: string };
  /** When it is given up, unless it is PREPARED. */
  readonly deadlineMs: number;
}

/**
 * When joiners are tried again that could not be given the state: each try interrupts the group, so that tries which follow
 * one another too closely would keep it from ever coming to a moment at which it can give the state.
 */
export interface Deferral {
  /** Tries in vain since somebody was last taken in. */
  readonly tries: number;
  /** Nobody is taken in before. */
  readonly untilMs: number;
}

export const NO_DEFERRAL: Deferral = { tries: 0, untilMs: 0 };

/** A member that cannot exchange with another says so. */
export interface Suspicion {
  readonly accuser: string;
  readonly accused: string;
  /** In words. */
  readonly why: string;
  readonly sinceMs: number;
}

/** Someone whose session ended and may come back: its process, or the network, or this coordinator may have been away. */
export interface Absence {
  readonly worker: string;
  readonly why: string;
  readonly untilMs: number;
}

/** What was finished when an attempt began. */
export interface CallsAtStart {
  /** Calls that the checkpoint has in its log; 0 without one. */
  readonly resumed: number;
  /** Calls in the books. */
  readonly stored: number;
}

const NO_CALLS: CallsAtStart = { resumed: 0, stored: 0 };

/** What a job keeps over its attempts. */
export interface Attempts {
  /** How often it has lost all its workers. */
  readonly restarts: number;
  /** The last generation: numbers are never used twice. */
  readonly generation: number;
  /** When it must have ended; 0 before it first started, null without a limit. */
  readonly endMs: number | null;
  /** Workers that this job does not take, or once did not: at most one entry a worker. */
  readonly barred: readonly Bar[];
  /** Of the attempt that runs, or ran last. */
  readonly callsAtStart: CallsAtStart;
}

/** A job with a generation. */
export interface Standing extends Attempts {
  /** By rank. */
  readonly members: readonly GroupMember[];
  /** Members that were told to leave: the next generation is formed without them. */
  readonly leaving: readonly string[];
  /** Members of the generation before, which ends at a boundary: they take part until then, and go when this one stands. */
  readonly released: readonly GroupMember[];
  /** Members that have no state yet: while the generation forms, it is handed to them. */
  readonly entering: readonly string[];
  readonly joiners: readonly Joiner[];
  readonly deferral: Deferral;
  readonly finished: readonly FinishReport[];
  readonly suspicions: readonly Suspicion[];
  readonly absences: readonly Absence[];
  /** Numerics fingerprint of the group. */
  readonly fingerprint: string;
}

/** The processes of a job that starts, one a worker. */
export interface Start extends Attempts {
  readonly workers: readonly string[];
  readonly joined: readonly { readonly worker: string; readonly address: string; readonly fingerprint: string }[];
  readonly absences: readonly Absence[];
}

/** The states of a job: plain data, as it is stored. Every state that waits has a deadline. */
export type JobState =
  | ({ readonly kind: 'QUEUED' } & Attempts)
  /** Processes start and report where they listen. */
  | ({ readonly kind: 'STARTING'; readonly deadlineMs: number } & Start)
  /** The members of a new generation find one another. */
  | ({ readonly kind: 'CONNECTING'; readonly ready: readonly string[]; readonly deadlineMs: number } & Standing)
  | ({ readonly kind: 'RUNNING' } & Standing)
  /** All members ended with the same state; one of them commits the model. */
  | ({ readonly kind: 'EXPORTING'; readonly committer: string; readonly stateDigest: string; readonly deadlineMs: number } & Standing)
  | { readonly kind: 'SUCCEEDED' }
  | { readonly kind: 'FAILED'; readonly failure: JobFailure }
  | { readonly kind: 'CANCELLED' };

export type JobStateKind = JobState['kind'];

/** A job that has not started yet. */
export const QUEUED: Extract<JobState, { kind: 'QUEUED' }> = { kind: 'QUEUED', restarts: 0, generation: 0, endMs: 0, barred: [], callsAtStart: NO_CALLS };

export type EndedState = Extract<JobState, { kind: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' }>;
export type StandingState = Extract<JobState, { kind: 'CONNECTING' | 'RUNNING' | 'EXPORTING' }>;

/** A state in which nothing can happen any more. */
export const hasEnded = (state: JobState): state is EndedState =>
  state.kind === 'SUCCEEDED' || state.kind === 'FAILED' || state.kind === 'CANCELLED';

/** A state with a generation. */
export const isStanding = (state: JobState): state is StandingState =>
  state.kind === 'CONNECTING' || state.kind === 'RUNNING' || state.kind === 'EXPORTING';

/** The workers that a job holds in a state: members, those that are released, and joiners. */
export function heldWorkers(state: JobState): readonly string[] {
  switch (state.kind) {
    case 'QUEUED':
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELLED':
      return [];
    case 'STARTING':
      return state.workers;
    case 'CONNECTING':
    case 'RUNNING':
    case 'EXPORTING':
      return [...state.members, ...state.released, ...state.joiners].map(({ worker }) => worker);
  }
}

/** The members of a state that has a generation, by rank. */
export const membersOf = (state: JobState): readonly GroupMember[] => (isStanding(state) ? state.members : []);

/** Those whose word about the job's progress counts: the members, and those that still end a boundary's work with them. */
export const reportersOf = (state: JobState): readonly GroupMember[] => (isStanding(state) ? [...state.members, ...state.released] : []);
