import type { JobEvent, TrainJob } from '@lockstep/contract';
import type { JobRecord, NewEvent } from './job-record';

/** A job in a list, with the key that the list is ordered by. */
export interface ListedJob {
  /** Grows with every job: newer jobs have larger ones. */
  readonly order: number;
  readonly job: TrainJob;
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
  /** Newest first, at most `limit`, with an order below `before`; only these states unless the list is empty. */
  list(query: { readonly limit: number; readonly before?: number; readonly states: readonly number[] }): Promise<readonly ListedJob[]>;
  /** Jobs that have not ended, oldest first. */
  unfinished(): Promise<readonly JobRecord[]>;
  /** A number that no generation of any job has had. */
  nextGeneration(): Promise<number>;
  /** Events of a job after a sequence number, oldest first, at most `limit`. */
  readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]>;
  /** Events of a job after a sequence number: those of the past, then new ones as they are stored, until the signal aborts. */
  watchEvents(job: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<JobEvent>;
  close(): Promise<void>;
}
