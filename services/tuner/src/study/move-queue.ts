/**
 * The moves of one study, one after the other.
 *
 * 1. A move sees every move before it, is stored before it is answered, and what the store refuses has not happened.
 * 2. Moves that wait together are stored together: each of them still succeeds or is refused by itself.
 * 3. The queue is bounded: who comes to a full one is told to come again.
 */
import type { StudySpec } from '@lockstep/contract';
import type { Move, StudyChange, TrackedStudy } from '@lockstep/search';
import type { StoredRequest, StoredStudy, StudyWrite } from '../store/study-store';
import { studyEvents } from './study-events';
import { TunerError } from './tuner-error';

export type StudyMove<T> = (study: TrackedStudy, nowMs: number) => Move<T>;

/** What is stored with a move beside the study. */
export interface MoveExtras<T> {
  /** The spec from now on. */
  readonly spec?: StudySpec;
  /** The request that asked for the move, with its answer, so that it is not done twice. */
  readonly request?: (result: T) => StoredRequest;
}

export interface MoveQueueParts {
  readonly write: (write: StudyWrite) => Promise<void>;
  readonly nowMs: () => number;
  /** Called after changes are durable, before whoever made them is answered. */
  readonly onCommitted: (changes: readonly StudyChange[], stored: StoredStudy) => void;
}

const MAX_WAITING = 20_000;

interface Entry {
  /** @returns the study after it, or undefined when the move was refused and its caller told so */
  readonly apply: (stored: StoredStudy, nowMs: number) => Applied | undefined;
  readonly fail: (error: unknown) => void;
}

interface Applied {
  readonly stored: StoredStudy;
  readonly changes: readonly StudyChange[];
  readonly request: StoredRequest | undefined;
  readonly done: () => void;
}

export class MoveQueue {
  private waiting: (Entry | { readonly task: () => Promise<void> })[] = [];
  private running = false;
  private closed: Error | undefined;

  constructor(private current: StoredStudy, private readonly parts: MoveQueueParts) {}

  /** As it was last stored, and who was heard of since. */
  get stored(): StoredStudy {
    return this.current;
  }

  /** Whether something waits or is being stored. */
  get isBusy(): boolean {
    return this.running;
  }

  /** @throws whatever the move throws, or the store: then nothing has changed */
  post<T>(move: StudyMove<T>, extras: MoveExtras<T> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => this.enter(entryOf(move, extras, resolve, reject), reject));
  }

  /** Runs a task between moves: none is stored meanwhile. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => this.enter({ task: () => task().then(resolve, reject) }, reject));
  }

  /** Prepares a move between moves, and makes it before any other: the study is still the one that it was prepared for. */
  prepared<T>(prepare: () => Promise<StudyMove<T>>, extras: MoveExtras<T> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => this.enter({ task: () => prepare().then((move) => this.runGroup([entryOf(move, extras, resolve, reject)])).catch(reject) }, reject));
  }

  /** Refuses everything from now on; what waits already is done. */
  close(error: Error): void {
    this.closed ??= error;
  }

  private enter(entry: Entry | { readonly task: () => Promise<void> }, reject: (error: unknown) => void): void {
    if (this.closed) return reject(this.closed);
    if (this.waiting.length >= MAX_WAITING) return reject(new TunerError('TOO_MANY_CALLS', `${this.waiting.length} calls wait for ${this.current.study.name} already: try again soon`));
    this.waiting.push(entry);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    // What arrives in the same turn of the event loop is stored together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const [first] = this.waiting;
      if (first && 'task' in first) {
        this.waiting.shift();
        await first.task();
        continue;
      }
      const next = this.waiting.findIndex((entry) => 'task' in entry);
      const group = this.waiting.splice(0, next < 0 ? this.waiting.length : next);
      await this.runGroup(group.flatMap((entry) => ('task' in entry ? [] : [entry])));
    }
    this.running = false;
  }

  private async runGroup(group: readonly Entry[]): Promise<void> {
    const nowMs = this.parts.nowMs();
    let stored = this.current;
    const applied: (Applied & { readonly fail: (error: unknown) => void })[] = [];
    for (const entry of group) {
      const move = entry.apply(stored, nowMs);
      if (!move) continue;
      stored = move.stored;
      applied.push({ ...move, fail: entry.fail });
    }
    const changes = applied.flatMap((move) => move.changes);
    const requests = applied.flatMap(({ request }) => (request ? [request] : []));
    if (changes.length > 0 || requests.length > 0) {
      try {
        await this.parts.write({ ...stored, changes, requests, events: studyEvents(stored, changes), nowMs });
      } catch (e) {
        for (const { fail } of applied) fail(e);
        return;
      }
    }
    this.current = stored;
    if (changes.length > 0) this.parts.onCommitted(changes, stored);
    for (const { done } of applied) done();
  }
}

function entryOf<T>(move: StudyMove<T>, extras: MoveExtras<T>, resolve: (result: T) => void, reject: (error: unknown) => void): Entry {
  return {
    fail: reject,
    apply: (stored, nowMs) => {
      try {
        const { study, changes, result } = move(stored.study, nowMs);
        const spec = extras.spec ?? stored.spec;
        return { stored: { study, spec }, changes, request: extras.request?.(result), done: () => resolve(result) };
      } catch (e) {
        reject(e);
        return undefined;
      }
    },
  };
}
