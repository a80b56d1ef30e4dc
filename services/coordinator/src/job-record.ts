import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  Fault, GenerationSchema, JobErrorSchema, JobState, MemberSchema, ReplicaRangeSchema,
  type Generation, type JobError, type JobEvent, type ShardTable, type TrainJob,
} from '@lockstep/contract';
import type { Fault as DomainFault, GroupMember, JobFailure, JobState as DomainState, JobStateKind } from '@lockstep/membership';
import { memberReports } from './member-reports';

/** A job as the coordinator keeps it: what clients see, and what only it knows. */
export interface JobRecord {
  readonly job: TrainJob;
  readonly requestId: string;
  /** Secret that the job's children show to the coordinator and to one another. */
  readonly token: Uint8Array;
  /** One table per split, cut at submission. */
  readonly shardTables: readonly ShardTable[];
  /** Where the job's machine stood when it was last stored; absent until it was. */
  readonly machine?: Uint8Array | undefined;
}

/** What happened, before the log has given it a place. */
export type NewEvent = JobEvent['event'];

const STATES: Record<JobStateKind, JobState> = {
  QUEUED: JobState.QUEUED, STARTING: JobState.RENDEZVOUS, CONNECTING: JobState.RENDEZVOUS, RUNNING: JobState.RUNNING, EXPORTING: JobState.EXPORTING,
  SUCCEEDED: JobState.SUCCEEDED, FAILED: JobState.FAILED, CANCELLED: JobState.CANCELLED,
};
const FAULTS: Record<DomainFault, Fault> = { MODULE: Fault.MODULE, WORKER: Fault.WORKER, DATA: Fault.DATA, CLUSTER: Fault.CLUSTER };

export const toJobState = (kind: JobStateKind): JobState => STATES[kind];

const ENDED = new Set([JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]);

export const isEndState = (state: JobState): boolean => ENDED.has(state);

export const jobHasEnded = (job: TrainJob): boolean => isEndState(job.state);

export function toJobError(failure: JobFailure, reported?: JobError): JobError {
  return {
    ...create(JobErrorSchema),
    ...reported,
    reason: failure.reason, message: failure.message, fault: FAULTS[failure.fault],
    ...(failure.worker !== undefined && { worker: failure.worker }),
    ...(failure.rank !== undefined && { rank: failure.rank }),
  };
}

export function toGeneration(number: number, members: readonly GroupMember[]): Generation {
  return create(GenerationSchema, {
    number: BigInt(number),
    members: members.map(({ rank, worker, address, range }) => create(MemberSchema, { rank, worker, exchangeAddress: address, replicas: create(ReplicaRangeSchema, range) })),
  });
}

/** The job as clients see it after its domain state has moved. */
export function withState(job: TrainJob, state: DomainState, nowMs: number): TrainJob {
  const next: TrainJob = { ...job, state: toJobState(state.kind) };
  switch (state.kind) {
    case 'QUEUED':
      // What was done since the last checkpoint is done again, by others.
      return { ...next, reports: [] };
    case 'STARTING':
      return { ...next, startTime: job.startTime ?? timestampFromMs(nowMs) };
    case 'CONNECTING':
    case 'RUNNING':
    case 'EXPORTING': {
      const generation = toGeneration(state.generation, state.members);
      return { ...next, generation, reports: memberReports(generation, job.reports) };
    }
    case 'SUCCEEDED':
    case 'CANCELLED':
      return { ...next, endTime: timestampFromMs(nowMs) };
    case 'FAILED':
      return { ...next, endTime: timestampFromMs(nowMs), error: toJobError(state.failure, job.error) };
  }
}
