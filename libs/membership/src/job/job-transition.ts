import type { GroupMember } from '../group';
import type { CallsAtStart, FinishReport, JobFailure, JobState } from './job-state';

/** What the machine must know of a job besides its state. Durations in milliseconds. */
export interface JobFacts {
  readonly job: string;
  readonly replicas: number;
  /** STRICT: members whose numerics fingerprints differ do not share the job. */
  readonly strictNumerics: boolean;
  /** Absent: no limit. */
  readonly maxRuntimeMs?: number;
  /** How often the job may start again after it lost all its workers. */
  readonly maxRestarts: number;
  /** From the start of the children until all have reported, and from the first assignment until all are connected. */
  readonly rendezvousTimeoutMs: number;
  /** From a later assignment until all are connected: longer than a step, because a member takes it up when its step is over. */
  readonly regroupTimeoutMs: number;
  readonly exportTimeoutMs: number;
  /** How long a joiner may take to run the module up to the running call. */
  readonly prepareTimeoutMs: number;
  /** How long somebody whose session ended may take to come back. */
  readonly absenceMs: number;
  /** How long an accusation waits for its cause to be found. */
  readonly suspicionMs: number;
  /** When joiners that could not be taken in are tried again: after that, then after twice that, and so on. */
  readonly joinRetryMs: number;
}

/** What can happen to a job. */
export type JobInput =
  /** @param calls what is finished already, when the job has run before */
  | { readonly kind: 'START'; readonly workers: readonly string[]; readonly calls: CallsAtStart }
  /** More workers are free. */
  | { readonly kind: 'GROW'; readonly workers: readonly string[] }
  | { readonly kind: 'JOINED'; readonly worker: string; readonly address: string; readonly fingerprint: string }
  /** A joiner stands where the running call begins. */
  | { readonly kind: 'PREPARED'; readonly worker: string }
  | { readonly kind: 'READY'; readonly worker: string; readonly generation: number }
  /** A member's group broke, and it has not heard of a next one. */
  | { readonly kind: 'SUSPENDED'; readonly worker: string; readonly generation: number; readonly ranks: readonly number[]; readonly why: string; readonly joinDeferred: boolean }
  | { readonly kind: 'FINISHED'; readonly report: FinishReport }
  | { readonly kind: 'MODEL_COMMITTED'; readonly worker: string }
  | { readonly kind: 'MEMBER_FAILED'; readonly worker: string; readonly failure: JobFailure }
  /** What the shell could not carry out for the job. */
  | { readonly kind: 'CLUSTER_FAILED'; readonly failure: JobFailure }
  /** Its process has ended, or is as good as that. */
  | { readonly kind: 'WORKER_LOST'; readonly worker: string; readonly detail: string }
  /** Its session ended; it may come back. */
  | { readonly kind: 'WORKER_ABSENT'; readonly worker: string; readonly detail: string }
  | { readonly kind: 'WORKER_BACK'; readonly worker: string; readonly generation: number }
  /** What the job was to go on from cannot be read, and is none of its checkpoints any more. */
  | { readonly kind: 'CHECKPOINT_LOST'; readonly worker: string; readonly detail: string }
  /** It wants to go. */
  | { readonly kind: 'LEAVING'; readonly worker: string }
  /** This coordinator took the job over from a process before it: nobody's session is open yet. */
  | { readonly kind: 'TAKEN_OVER' }
  | { readonly kind: 'CANCEL' }
  /** @param silentMs how long each worker has not been heard of; one that is not there was never heard of */
  | { readonly kind: 'TICK'; readonly silentMs?: ReadonlyMap<string, number> };

/** What the shell must do after a transition, in this order. */
export type JobEffect =
  | { readonly kind: 'START_CHILD'; readonly worker: string }
  /** Run the module up to the running call. */
  | { readonly kind: 'PREPARE'; readonly worker: string }
  /** @param atBoundary whether members first end together what they are doing; otherwise that is over at once */
  | { readonly kind: 'ASSIGN'; readonly worker: string; readonly rank: number; readonly generation: number; readonly members: readonly GroupMember[]; readonly atBoundary: boolean }
  /** Ends together with the others what they are doing, and takes no part in this generation. */
  | { readonly kind: 'RELEASE'; readonly worker: string; readonly generation: number }
  /** Older generations must not publish any more. */
  | { readonly kind: 'FENCE'; readonly generation: number }
  | { readonly kind: 'COMMIT_MODEL'; readonly worker: string }
  | { readonly kind: 'STOP_CHILD'; readonly worker: string; readonly reason: string };

/** What people who watch the job are told. */
export type JobNotice =
  | { readonly kind: 'MEMBER_LOST'; readonly worker: string; readonly rank: number; readonly detail: string }
  | { readonly kind: 'MEMBER_LEFT'; readonly worker: string; readonly rank: number }
  | { readonly kind: 'MEMBER_JOINED'; readonly worker: string; readonly rank: number }
  /** Somebody who was to join does not. */
  | { readonly kind: 'JOINER_DROPPED'; readonly worker: string; readonly detail: string };

/** The outcome of an input: a new state, no change, or a sender that has been overtaken. */
export type Transition =
  | { readonly kind: 'MOVED'; readonly state: JobState; readonly effects: readonly JobEffect[]; readonly notices: readonly JobNotice[]; readonly detail: string }
  | { readonly kind: 'UNCHANGED' }
  | { readonly kind: 'FENCED'; readonly message: string };

export const UNCHANGED: Transition = { kind: 'UNCHANGED' };

/** Short forms, so that the rules read as rules. */
export const moved = (state: JobState, detail: string, effects: readonly JobEffect[] = [], notices: readonly JobNotice[] = []): Transition =>
  ({ kind: 'MOVED', state, effects, notices, detail });

export const fencedOff = (message: string): Transition => ({ kind: 'FENCED', message });
