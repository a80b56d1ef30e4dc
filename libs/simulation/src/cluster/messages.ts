/** What agents, members and the coordinator say to one another: protos/lockstep/coordinator/v1/session.proto, without the encoding. */
import type { FinishReport, GroupMember, JobFailure, ProgressPoint } from '@lockstep/membership';
import type { Books, LoggedCall } from '../workload/training-state';

/** Something that happened at a point of the job, as members report it. */
export interface ProgressEntry {
  readonly point: ProgressPoint;
  /** Of the model after a step, or of the call that ended. */
  readonly digest: string;
  /** Since the job began: so entries that are left out, or told again in other pieces, change no sum. */
  readonly books: Books;
  readonly call?: LoggedCall;
}

export interface CheckpointReport {
  readonly version: string;
  readonly step: number;
  readonly stateDigest: string;
  /** Finished calls in its log: the call of its position. */
  readonly calls: number;
}

export type MemberStatement =
  | { readonly kind: 'ready'; readonly generation: number }
  | { readonly kind: 'suspended'; readonly generation: number; readonly why: string; readonly ranks: readonly number[]; readonly joinDeferred: boolean }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'finished'; readonly report: FinishReport }
  | { readonly kind: 'modelCommitted'; readonly digest: string }
  | { readonly kind: 'failed'; readonly failure: JobFailure }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointReport };

export type MemberMessage =
  | { readonly kind: 'HELLO'; readonly worker: string; readonly child: string; readonly address: string; readonly rejoins: boolean; readonly generation: number }
  | { readonly kind: 'HEARTBEAT' }
  | { readonly kind: 'PROGRESS'; readonly entries: readonly ProgressEntry[] }
  | { readonly kind: 'STATEMENT'; readonly statement: MemberStatement };

/** A generation, and a member's place in it. */
export interface Assignment {
  readonly generation: number;
  readonly rank: number;
  readonly members: readonly GroupMember[];
  readonly replicas: number;
  /** Version of the checkpoint to go on from; empty: from the beginning. Read by who starts with the job. */
  readonly checkpoint: string;
  readonly committed: ProgressPoint | undefined;
  /** Whether members first end together what they are doing. */
  readonly atBoundary: boolean;
}

export type MemberCommand =
  | { readonly kind: 'ASSIGNMENT'; readonly assignment: Assignment }
  /** Run the module up to the first call that is not finished. */
  | { readonly kind: 'PREPARE'; readonly calls: readonly LoggedCall[] }
  /** This member ends together with the others what they are doing, and takes no part in that generation. */
  | { readonly kind: 'RELEASE'; readonly generation: number }
  | { readonly kind: 'COMMIT_MODEL'; readonly generation: number }
  | { readonly kind: 'COMMITTED'; readonly point: ProgressPoint }
  | { readonly kind: 'ABORT'; readonly reason: string };

export type AgentMessage =
  | { readonly kind: 'REGISTER'; readonly worker: string; readonly child: string | undefined }
  | { readonly kind: 'HEARTBEAT' }
  | { readonly kind: 'CHILD_EXITED'; readonly child: string; readonly detail: string }
  | { readonly kind: 'LEAVING' };

export type AgentCommand =
  | { readonly kind: 'REGISTERED' }
  | { readonly kind: 'START_CHILD'; readonly child: string }
  | { readonly kind: 'STOP_CHILD'; readonly child: string; readonly reason: string };
