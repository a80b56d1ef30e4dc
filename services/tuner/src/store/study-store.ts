import type { StudyEvent, StudySpec } from '@lockstep/contract';
import type { StudyChange, TrackedStudy, TrackedTrial } from '@lockstep/search';

/** A study as it is kept. */
export interface StoredStudy {
  readonly study: TrackedStudy;
  /** Its algorithm's settings as they are now; limits and space are the study's. */
  readonly spec: StudySpec;
}

/** A stored study in a list, with the key that the list is ordered by. */
export interface ListedStudy extends StoredStudy {
  /** Grows with every study. */
  readonly order: number;
}

/** What a request did that may be sent twice. */
export interface StoredRequest {
  readonly id: string;
  /** SHA-256 of the request without its id, in hex. */
  readonly digest: string;
  /** Its answer, in the writer's own encoding. */
  readonly answer: string;
}

/** A trial as it is kept, with its times. */
export interface StoredTrial {
  readonly trial: TrackedTrial;
  readonly createMs: number;
  readonly endMs: number | undefined;
}

/** An event without what the log adds to it. */
export type NewStudyEvent = Exclude<StudyEvent['event'], { case: undefined }>;

/** A move of a study: all of it is stored, or nothing. */
export interface StudyWrite extends StoredStudy {
  readonly changes: readonly StudyChange[];
  readonly events: readonly NewStudyEvent[];
  readonly requests: readonly StoredRequest[];
  readonly nowMs: number;
}

/**
 * Where studies, their trials and events are kept. A move and the events that tell of it are one transaction; what has been
 * acknowledged survives the process.
 */
export interface StudyStore {
  /**
   * Stores a new study with what has happened to it already. Name and request id, when there is one, are unique.
   *
   * @returns whether it was stored; false when the name or the request id exist
   */
  insert(study: StudyWrite, request: { readonly id: string | undefined; readonly digest: string }): Promise<boolean>;
  /** Stores a move. Moves that are given at the same time are committed together. */
  write(write: StudyWrite): Promise<void>;
  /** With its pending trials and their measurements. @param nowMs when the holders of its trials are taken to have been heard of */
  get(name: string, nowMs: number): Promise<StoredStudy | undefined>;
  findByRequestId(requestId: string): Promise<{ readonly name: string; readonly digest: string } | undefined>;
  /** Newest first, at most `limit`, with an order below `before`. */
  list(query: { readonly limit: number; readonly before?: number }): Promise<readonly ListedStudy[]>;
  /** Studies of which somebody has a trial, oldest first. */
  held(): Promise<readonly string[]>;
  findRequest(study: string, id: string): Promise<StoredRequest | undefined>;
  /** With its measurements. */
  getTrial(study: string, number: number): Promise<StoredTrial | undefined>;
  /** In the order of suggestion, from a number on, at most `limit`. */
  listTrials(study: string, query: { readonly from: number; readonly limit: number; readonly measurements: boolean }): Promise<readonly StoredTrial[]>;
  /** Succeeded trials, without their measurements; those with the smallest sum of scores, maximised ones negated, first. */
  bestTrials(study: string, limit: number): Promise<readonly StoredTrial[]>;
  /** Removes a study and its events, and leaves one event. @returns whether it was there */
  delete(name: string, event: NewStudyEvent, nowMs: number): Promise<boolean>;
  /** Events of a study after a sequence number: those of the past, then new ones as they are stored, until the signal aborts. */
  watchEvents(study: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<StudyEvent>;
  /** The event that told of the deletion of a study of this name, of the last one, by its sequence number; undefined when there was none. A study that has the name now came after it. */
  lastDeletion(study: string): Promise<bigint | undefined>;
  close(): Promise<void>;
}
