import type { JobEvent, TrainJob } from '@lockstep/contract';
import type { JobRecord, NewEvent } from './job-record';

/** A job in a list, with the key that the list is ordered by. */
export interface ListedJob {
  /** Grows with every job: newer jobs have larger ones. */
  readonly order: number;
  readonly job: TrainJob;
}

/** A collective call that all members have finished; who runs the module from its first line is answered from these. */
export interface FinishedCall {
  /** Counts the calls of the module, from 0. */
  readonly number: number;
  /** What the call returned and left, as the members wrote it. */
  readonly record: Uint8Array;
}

/** A version in the artifact service from which the job can go on. */
export interface Checkpoint {
  readonly step: number;
  readonly position: Uint8Array;
  /** `artifacts/{name}/versions/{n}`. */
  readonly version: string;
  readonly stateDigest: string;
  readonly generation: number;
}

/**
 * What changes with a job beside what clients see of it. Everything may be told again: what is stored already is left as it is, and what
 * contradicts it is refused with the whole change.
 */
export interface JobChange {
  /** The job's machine, in the writer's own encoding; left as it is when absent. */
  readonly machine?: Uint8Array;
  /** A number is stored once. */
  readonly calls?: readonly FinishedCall[];
  /** A version is stored once. */
  readonly checkpoints?: readonly Checkpoint[];
  /** Versions that are no checkpoints any more; after the additions. */
  readonly droppedCheckpoints?: readonly string[];
}

/** A decision about one job. */
export interface JobUpdate {
  readonly job: TrainJob;
  readonly events: readonly NewEvent[];
  readonly change: JobChange;
}

/**
 * Where jobs, their events and what it takes to go on with them are kept. A change and the events that tell of it are one transaction; what
 * has been acknowledged survives the process.
 */
export interface JobStore {
  /** Stores a new job. The request id, when there is one, is unique. */
  insert(record: JobRecord, events: readonly NewEvent[], nowMs: number): Promise<void>;
  /**
   * Stores all of one decision, or nothing of it.
   *
   * @throws JobStoreError NO_SUCH_JOB; CALL_DIVERGED or CHECKPOINT_DIVERGED with both sides
   */
  update(job: TrainJob, events: readonly NewEvent[], nowMs: number, change?: JobChange): Promise<void>;
  /** Deletes jobs that ended before a time, oldest first and at most `limit`, with all that is stored of them. @returns their names */
  deleteEnded(beforeMs: number, limit: number): Promise<readonly string[]>;
  /** Stores several decisions, of one job each, or nothing of any. @throws as update */
  updateAll(updates: readonly JobUpdate[], nowMs: number): Promise<void>;
  get(name: string): Promise<JobRecord | undefined>;
  findByRequestId(requestId: string): Promise<JobRecord | undefined>;
  /** Newest first, at most `limit`, with an order below `before`; only these states unless the list is empty. */
  list(query: { readonly limit: number; readonly before?: number; readonly states: readonly number[] }): Promise<readonly ListedJob[]>;
  /** Jobs that have not ended, oldest first. */
  unfinished(): Promise<readonly JobRecord[]>;
  /** Jobs that succeeded and still have checkpoints. */
  succeededWithCheckpoints(): Promise<readonly TrainJob[]>;
  /** A number that no generation of any job has had. */
  nextGeneration(): Promise<number>;
  /** Finished calls of a job, in order. */
  listCalls(job: string): Promise<readonly FinishedCall[]>;
  /** Newest first: the largest step, and of one step the largest generation. */
  listCheckpoints(job: string): Promise<readonly Checkpoint[]>;
  /** Events of a job after a sequence number, oldest first, at most `limit`. */
  readEvents(job: string, afterSequence: bigint, limit: number): Promise<readonly JobEvent[]>;
  /** Events of a job after a sequence number: those of the past, then new ones as they are stored, until the signal aborts. */
  watchEvents(job: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<JobEvent>;
  close(): Promise<void>;
}
