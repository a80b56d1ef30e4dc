/**
 * Threads on which suggestions are made, so that calls are answered while a model is fitted.
 *
 * 1. A study is on one thread; what is said of it arrives in order.
 * 2. A thread that dies takes the questions that it had with it, which fail, and its studies have to be opened again; another takes its place.
 */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { StopDecision } from '@lockstep/search';
import type { Logger } from '@lockstep/rpc';
import type { ThreadAnswer, ThreadCall, ToThread } from './messages';
import type { Suggestions } from './study-replica';

/** A study's place on a thread; `isOpen` is false when the thread has died. */
export interface ThreadPlace {
  readonly isOpen: boolean;
  post(message: Exclude<ToThread, { readonly kind: 'CALL' }>): void;
  suggest(study: string, count: number): Promise<Suggestions>;
  checkStop(study: string, number: number): Promise<StopDecision>;
  /** Says that the study leaves the thread. */
  close(study: string): void;
}

/** Where studies find a thread. */
export interface Threads {
  open(): ThreadPlace;
}

/** A suggestion could not be made; the message says why. */
export class SuggestionError extends Error {
  override readonly name = 'SuggestionError';
}

/** How long a thread may think about one question. */
const ANSWER_TIMEOUT_MS = 120_000;

/** Messages that wait for a question to go with. */
const MAX_OUTBOX = 64;

const ENTRY = path.join(__dirname, '..', '..', 'dist', 'suggest', 'suggestion-thread.js');

export class SuggestionThreads implements Threads {
  private readonly slots: (SuggestionThread | undefined)[];
  private ending = false;

  constructor(count: number, private readonly logger: Logger) {
    this.slots = Array.from({ length: count }, () => undefined);
  }

  /** A place on the thread with the fewest studies. */
  open(): ThreadPlace {
    let best = this.thread(0);
    for (let slot = 1; slot < this.slots.length; slot++) {
      const other = this.thread(slot);
      if (other.studies < best.studies) best = other;
    }
    best.studies++;
    return best;
  }

  async close(): Promise<void> {
    this.ending = true;
    await Promise.all(this.slots.map((thread) => thread?.end() ?? Promise.resolve()));
  }

  private thread(slot: number): SuggestionThread {
    const known = this.slots[slot];
    if (known?.isOpen) return known;
    const made = new SuggestionThread((error) => {
      if (!this.ending) this.logger.error({ err: error }, 'a suggestion thread ended; another takes its place');
    });
    this.slots[slot] = made;
    return made;
  }
}

interface Question {
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

class SuggestionThread implements ThreadPlace {
  studies = 0;
  private readonly worker = new Worker(ENTRY);
  /** Those that have no answer yet, in order. */
  private readonly questions: Question[] = [];
  private readonly outbox: ToThread[] = [];
  private ended: Error | undefined;

  constructor(onEnd: (error: Error) => void) {
    const end = (error: Error): void => {
      if (this.ended) return;
      this.ended = error;
      for (const { reject, timer } of this.questions.splice(0)) {
        clearTimeout(timer);
        reject(error);
      }
      onEnd(error);
    };
    this.worker.on('message', (answer: ThreadAnswer) => {
      const question = this.questions.shift();
      clearTimeout(question?.timer);
      question?.resolve(answer);
    });
    this.worker.on('error', (e) => end(new SuggestionError(`the suggestion thread failed: ${e instanceof Error ? e.message : String(e)}`, { cause: e })));
    this.worker.on('exit', (code) => end(new SuggestionError(`the suggestion thread ended with ${code}`)));
    this.worker.unref();
  }

  get isOpen(): boolean {
    return this.ended === undefined;
  }

  /** Nobody waits for what is only said: it goes with the next question, or when there is much of it. */
  post(message: Exclude<ToThread, { readonly kind: 'CALL' }>): void {
    this.outbox.push(message);
    if (this.outbox.length >= MAX_OUTBOX) this.flush();
  }

  async suggest(study: string, count: number): Promise<Suggestions> {
    const answer = await this.ask(study, { kind: 'SUGGEST', count });
    if (answer.kind !== 'SUGGESTED') throw unexpected(study, answer);
    return answer.suggestions;
  }

  async checkStop(study: string, number: number): Promise<StopDecision> {
    const answer = await this.ask(study, { kind: 'CHECK_STOP', number });
    if (answer.kind !== 'CHECKED') throw unexpected(study, answer);
    return answer.decision;
  }

  close(study: string): void {
    this.studies--;
    this.post({ kind: 'CLOSE', study });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private ask(study: string, call: ThreadCall): Promise<ThreadAnswer> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new SuggestionError(`the suggestion thread has thought about ${study} for ${ANSWER_TIMEOUT_MS} ms and is given up`));
        void this.end();
      }, ANSWER_TIMEOUT_MS);
      timer.unref();
      this.questions.push({ resolve, reject, timer });
      this.outbox.push({ kind: 'CALL', study, call });
      this.flush();
    });
  }

  private flush(): void {
    const messages = this.outbox.splice(0);
    if (this.isOpen) this.worker.postMessage(messages satisfies readonly ToThread[]);
  }
}

const unexpected = (study: string, answer: ThreadAnswer): SuggestionError =>
  new SuggestionError(`no suggestion for ${study}: ${answer.kind === 'FAILED' ? answer.message : `the thread answered ${answer.kind}`}`);
