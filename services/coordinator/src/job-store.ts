import type { JobEvent, TrainJob } from '@lockstep/contract';
import type { JobRecord, NewEvent } from './job-record';

/** A page of jobs, newest first. */
export interface JobPage {
  readonly jobs: readonly TrainJob[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/**
 * Where jobs and their events are kept. A change and the events that tell of it are one transaction; what has been
 * acknowledged survives the process.
 */
export interface JobStore {
  /** Stores a new job. The request id, when there is one, is unique. */
  insert(record: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void>;
  update(job: TrainJob, events: readonly NewEvent[], nowMs: number): Promise<void>;
  get(name: string): Promise<JobRecord | undefined>;
  findByRequestId(requestId: string): Promise<JobRecord | undefined>;
  list(query: { readonly pageSize: number; readonly cursor?: string; readonly states: readonly number[] }): Promise<JobPage>;
  /** Jobs that have not ended, oldest first. */
  unfinished(): Promise<readonly JobRecord[]>;
  /** A number that no generation of any job has had. */
  nextGeneration(): Promise<number>;
  /** Events of a job after a sequence number, oldest first, at most `limit`. */
  readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]>;
  /** Resolves when events may have been added for the job since the call, or the signal aborts. */
  waitForEvents(job: string, afterSequence: bigint, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
