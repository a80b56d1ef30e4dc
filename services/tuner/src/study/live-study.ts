/**
 * A study that is in use: its moves, its replica on a suggestion thread, and those who wait for a trial.
 *
 * 1. The replica has exactly what is stored: it is told after every commit, in the order of commits.
 * 2. One round of suggestions is made at a time. What comes of it is taken up only if the study is still the one that it was made for, so
 *    that each follows from what is recorded before it; a suggestion that was not stored is made again.
 * 3. Who waits is answered when there is something, when there never will be, or when its time is over.
 */
import { adviseStop, askStop, expireLeases, nextExpiryMs, toTrialRecord, type Move, type StudyChange, type TrackedStudy } from '@lockstep/search';
import type { Logger } from '@lockstep/rpc';
import { algorithmSettings, stopperSettings } from '../convert/resolve-algorithm';
import type { ReplicaSetup } from '../suggest/study-replica';
import type { ThreadPlace, Threads } from '../suggest/suggestion-threads';
import type { StoredStudy, StudyStore } from '../store/study-store';
import { MoveQueue, type MoveExtras, type StudyMove } from './move-queue';
import { SuggestionDesk, type AskedTrials } from './suggestion-desk';

export interface LiveStudyParts {
  readonly store: StudyStore;
  readonly threads: Threads;
  readonly nowMs: () => number;
  readonly logger: Logger;
}

/** Trials that a replica is given at once. */
const PUT_BATCH = 1000;

export class LiveStudy {
  private readonly queue: MoveQueue;
  private readonly desk: SuggestionDesk;
  private place: ThreadPlace | undefined;
  /** What the replica was told last. */
  private told: StoredStudy | undefined;
  private readonly checks = new Map<number, Promise<void>>();
  private readonly requests = new Map<string, Promise<void>>();
  /** When it was last asked for something. */
  usedMs: number;

  constructor(stored: StoredStudy, private readonly parts: LiveStudyParts) {
    this.usedMs = parts.nowMs();
    this.queue = new MoveQueue(stored, { write: (write) => parts.store.write(write), nowMs: parts.nowMs, onCommitted: (changes, now) => this.committed(changes, now) });
    this.desk = new SuggestionDesk({ queue: this.queue, suggest: (count) => this.suggest(count), suggestAlone: (count) => this.suggestAlone(count), nowMs: parts.nowMs });
  }

  get stored(): StoredStudy {
    return this.queue.stored;
  }

  get study(): TrackedStudy {
    return this.queue.stored.study;
  }

  /** Whether nobody waits for it and nobody has a trial of it: then it need not be kept in memory. */
  get isIdle(): boolean {
    return !this.queue.isBusy && this.desk.waiting === 0 && nextExpiryMs(this.study) === Infinity;
  }

  post<T>(move: StudyMove<T>, extras?: MoveExtras<T>): Promise<T> {
    this.usedMs = this.parts.nowMs();
    return this.queue.post(move, extras);
  }

  /** The same of a move that is prepared while no other is made. */
  prepared<T>(prepare: () => Promise<StudyMove<T>>, extras?: MoveExtras<T>): Promise<T> {
    this.usedMs = this.parts.nowMs();
    return this.queue.prepared(prepare, extras);
  }

  /** Does what a request asks for; the same request, while it is done, waits for it. */
  async once<T>(requestId: string, work: () => Promise<T>): Promise<T> {
    const before = this.requests.get(requestId);
    const mine = (before ?? Promise.resolve()).then(work, work);
    const tail = mine.then(() => undefined, () => undefined);
    this.requests.set(requestId, tail);
    try {
      return await mine;
    } finally {
      if (this.requests.get(requestId) === tail) this.requests.delete(requestId);
    }
  }

  /** Trials for a client: those that it has, or else what the study gives it within the time. */
  ask(client: string, count: number, maxWaitMs: number, signal: AbortSignal): Promise<AskedTrials> {
    this.usedMs = this.parts.nowMs();
    return this.desk.ask(client, count, maxWaitMs, signal);
  }

  /** Whether a trial should end now; what it has measured is looked at first. @returns why, if it should */
  async checkStop(number: number, client: string): Promise<string | undefined> {
    const ask: StudyMove<string | undefined> = (study, nowMs) => askStop(study, number, client, nowMs);
    const known = await this.post(ask);
    if (known !== undefined || !this.hasStopper) return known;
    await this.runCheck(number);
    return this.post(ask);
  }

  /** Takes trials from those who were not heard of for a lease. */
  async expire(nowMs: number): Promise<void> {
    if (nextExpiryMs(this.study) <= nowMs) await this.queue.post(expireLeases);
  }

  /** Ends the study's life in memory. @param error what those who still wait are told */
  close(error: Error): void {
    this.queue.close(error);
    this.desk.close(error);
    this.place?.close(this.study.name);
    this.place = undefined;
  }

  private get hasStopper(): boolean {
    return this.queue.stored.spec.stopping.case !== undefined;
  }

  private async suggest(count: number): ReturnType<ThreadPlace['suggest']> {
    const place = await this.openPlace();
    return place.suggest(this.study.name, count);
  }

  /** The same for who sees to it that no move is made meanwhile. */
  private async suggestAlone(count: number): ReturnType<ThreadPlace['suggest']> {
    const place = await this.openPlaceAlone();
    return place.suggest(this.study.name, count);
  }

  /** The replica, made of what is stored if it is not there. */
  private async openPlace(): Promise<ThreadPlace> {
    return this.place?.isOpen === true ? this.place : this.queue.exclusively(() => this.openPlaceAlone());
  }

  private async openPlaceAlone(): Promise<ThreadPlace> {
    if (this.place?.isOpen === true) return this.place;
    const { stored } = this.queue;
    const { name, enqueued } = stored.study;
    const place = this.parts.threads.open();
    place.post({ kind: 'OPEN', study: name, setup: setupOf(stored) });
    if (enqueued.length > 0) place.post({ kind: 'ENQUEUED', study: name, enqueued });
    for (let from = 0; ;) {
      const trials = await this.parts.store.listTrials(name, { from, limit: PUT_BATCH, measurements: true });
      place.post({ kind: 'PUT', study: name, trials: trials.map(({ trial }) => toTrialRecord(trial)) });
      if (trials.length < PUT_BATCH) break;
      from += trials.length;
    }
    this.told = stored;
    this.place = place;
    return place;
  }

  private committed(changes: readonly StudyChange[], stored: StoredStudy): void {
    const { place, told } = this;
    const { name, space, enqueued } = stored.study;
    const measured = new Set<number>();
    for (const change of changes) {
      switch (change.kind) {
        case 'TRIAL': place?.post({ kind: 'PUT', study: name, trials: [toTrialRecord(change.trial)] }); break;
        case 'MEASURED':
          place?.post({ kind: 'MEASURED', study: name, number: change.number, measurement: change.measurement });
          measured.add(change.number);
          break;
        case 'STUDY':
        case 'ENQUEUED': break;
      }
    }
    // A space may be large, and what algorithms remember hangs on it: it is told again only when it is another.
    if (told && (told.study.space !== space || told.spec !== stored.spec)) place?.post({ kind: 'SET', study: name, setup: setupOf(stored) });
    if (told && told.study.enqueued !== enqueued) place?.post({ kind: 'ENQUEUED', study: name, enqueued });
    this.told = stored;
    if (this.hasStopper) for (const number of measured) void this.runCheck(number);
    this.desk.changed(changes);
  }

  /** Has the stopper look at a trial; one look at a time each. */
  private runCheck(number: number): Promise<void> {
    const known = this.checks.get(number);
    if (known) return known;
    const check = this.lookAt(number).catch((e: unknown) => this.parts.logger.error({ err: e, study: this.study.name, trial: number }, 'the stopper could not look at a trial')).finally(() => this.checks.delete(number));
    this.checks.set(number, check);
    return check;
  }

  private async lookAt(number: number): Promise<void> {
    const place = await this.openPlace();
    const decision = await place.checkStop(this.study.name, number);
    if (decision.kind === 'STOP') await this.queue.post((study): Move<void> => adviseStop(study, number, decision.why));
  }
}

const setupOf = ({ study, spec }: StoredStudy): ReplicaSetup => ({
  algorithm: algorithmSettings(spec.algorithm), stopper: stopperSettings(spec.stopping), space: study.space.kind === 'KNOWN' ? study.space.space : [],
  objectives: study.objectives, seed: Number(spec.seed),
});
