/** Those who wait for a trial of one study, first come first served. */
import { beginDiscovery, isHeld, offerTrials, roomFor, takeExhaustion, takeSuggestion, type Move, type StudyChange, type TrackedStudy, type TrackedTrial } from '@lockstep/search';
import type { Suggestions } from '../suggest/study-replica';
import type { MoveQueue } from './move-queue';
import { TunerError } from './tuner-error';

/** What comes of asking for trials. */
export type AskedTrials =
  | { readonly kind: 'TRIALS'; readonly trials: readonly TrackedTrial[] }
  /** Its time was over. */
  | { readonly kind: 'NOTHING_YET'; readonly detail: string }
  /** There will be nothing more, unless the study is extended. */
  | { readonly kind: 'OVER' };

export interface DeskParts {
  readonly queue: MoveQueue;
  /** @throws SuggestionError when the algorithm or its thread fails */
  readonly suggest: (count: number) => Promise<Suggestions>;
  /** The same for who sees to it that no move is made meanwhile. */
  readonly suggestAlone: (count: number) => Promise<Suggestions>;
  readonly nowMs: () => number;
}

interface Asker {
  readonly client: string;
  readonly count: number;
  /** It has some trials already, and goes with those when there is nothing more at once. */
  readonly contented: boolean;
  readonly answer: (asked: AskedTrials) => void;
  readonly fail: (error: unknown) => void;
}

/** What came of a round of suggestions. */
interface Dealt {
  readonly end: Suggestions['end'];
  readonly given: ReadonlySet<Asker>;
}

/** Who may wait for one study. */
const MAX_ASKERS = 10_000;
/** Suggestions of a round, so that what others report comes in between. */
const MAX_ROUND = 64;
/** Rounds in a row that were made for a study which had changed before they were stored; then moves wait for the next one. */
const MAX_OUTDATED = 2;

export class SuggestionDesk {
  /** An array, since V8 chains the tables that a set has had, and with them everybody who was in one: calls that are over would fill the memory until a full collection. */
  private readonly askers: Asker[] = [];
  private serving = false;
  /** Whether something has happened since the last look: somebody came, or something changed. */
  private news = false;
  /** Grows with whatever a suggestion depends on. */
  private revision = 0;
  /** Why there was nothing to suggest, and for which revision that holds. */
  private nothing: { readonly revision: number; readonly detail: string } | undefined;
  private outdated = 0;

  constructor(private readonly parts: DeskParts) {}

  get waiting(): number {
    return this.askers.length;
  }

  /** @throws TunerError TOO_MANY_CALLS; whatever the algorithm or the store fail with */
  async ask(client: string, count: number, maxWaitMs: number, signal: AbortSignal): Promise<AskedTrials> {
    if (this.askers.length >= MAX_ASKERS) throw new TunerError('TOO_MANY_CALLS', `${this.askers.length} wait for a trial of ${this.study.name} already: try again soon`);
    const { trials, wanted } = await this.parts.queue.post((study, nowMs) => offerTrials(study, client, count, nowMs));
    if (trials.length >= count || (trials.length > 0 && wanted <= 0)) return { kind: 'TRIALS', trials };
    return this.wait(client, count, trials.length > 0, maxWaitMs, signal);
  }

  /** Something was stored: perhaps there is something to give now. */
  changed(changes: readonly StudyChange[]): void {
    if (changes.every(({ kind }) => kind === 'MEASURED')) return;
    this.revision++;
    this.serve();
  }

  close(error: Error): void {
    for (const asker of [...this.askers]) asker.fail(error);
  }

  private get study(): TrackedStudy {
    return this.parts.queue.stored.study;
  }

  private wait(client: string, count: number, contented: boolean, maxWaitMs: number, signal: AbortSignal): Promise<AskedTrials> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', timeOver);
        const place = this.askers.indexOf(asker);
        if (place >= 0) this.askers.splice(place, 1);
      };
      const asker: Asker = {
        client, count, contented,
        answer: (asked) => {
          leave();
          resolve(asked);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const timeOver = (): void => asker.answer({ kind: 'NOTHING_YET', detail: this.whatItWaitsFor() });
      const timer = setTimeout(timeOver, maxWaitMs);
      signal.addEventListener('abort', timeOver, { once: true });
      this.askers.push(asker);
      if (signal.aborted) timeOver();
      else this.serve();
    });
  }

  private serve(): void {
    this.news = true;
    if (!this.serving && this.askers.length > 0) void this.serveWhileNews();
  }

  private async serveWhileNews(): Promise<void> {
    this.serving = true;
    try {
      while (this.news && this.askers.length > 0) {
        this.news = false;
        await this.serveOnce();
        for (const asker of [...this.askers]) if (asker.contented && !this.news) asker.answer({ kind: 'TRIALS', trials: heldBy(this.study, asker.client).slice(0, asker.count) });
      }
    } catch (e) {
      // Who waits asked for something that cannot be had now.
      for (const asker of [...this.askers]) asker.fail(e);
    } finally {
      // In the same turn as the look for news: whatever comes after it begins to serve again.
      this.serving = false;
    }
  }

  private async serveOnce(): Promise<void> {
    await this.giveFreeTrials();
    const { study } = this;
    if (study.state.kind !== 'ACTIVE') {
      for (const asker of [...this.askers]) asker.answer({ kind: 'OVER' });
      return;
    }
    const room = roomFor(study, this.parts.nowMs());
    if (room <= 0 || this.askers.length === 0) return;
    if (study.space.kind === 'DISCOVERING') await this.beginDiscovery();
    else if (this.nothing?.revision !== this.revision) await this.giveSuggestions(study, room);
  }

  /** Trials that nobody works on come before anything new. */
  private async giveFreeTrials(): Promise<void> {
    const free = [...this.study.pending.values()].filter(({ state }) => state.kind === 'REQUESTED').length;
    if (free === 0) return;
    await Promise.all(this.askers.slice(0, free).map(async (asker) => {
      const { trials } = await this.parts.queue.post((study, nowMs) => offerTrials(study, asker.client, asker.count, nowMs));
      if (trials.length > 0) asker.answer({ kind: 'TRIALS', trials });
    }));
  }

  private async beginDiscovery(): Promise<void> {
    const [asker] = this.askers;
    if (!asker) return;
    const trial = await this.parts.queue.post((study, nowMs): Move<TrackedTrial | undefined> =>
      (roomFor(study, nowMs) > 0 && study.space.kind === 'DISCOVERING' ? beginDiscovery(study, asker.client, nowMs) : { study, changes: [], result: undefined }));
    if (trial) asker.answer({ kind: 'TRIALS', trials: [trial] });
  }

  private async giveSuggestions(before: TrackedStudy, room: number): Promise<void> {
    const { revision } = this;
    const wanted = this.askers.reduce((sum, { client, count }) => sum + Math.max(0, count - heldBy(before, client).length), 0);
    const count = Math.max(1, Math.min(room, wanted, MAX_ROUND));
    // Who has gone since is not dealt to; what is left over is suggested again.
    const { end, given } = this.outdated < MAX_OUTDATED ? await this.dealBeside(before, count) : await this.dealAlone(count);
    for (const asker of given) asker.answer({ kind: 'TRIALS', trials: heldBy(this.study, asker.client).slice(0, asker.count) });
    if (!end || given.size > 0 || this.revision !== revision) return;
    this.nothing = { revision, detail: end.why };
    if (end.kind === 'EXHAUSTED') await this.parts.queue.post((study): Move<void> => (isMadeFor(study, before) ? takeExhaustion(study, end.why) : { study, changes: [], result: undefined }));
  }

  /** Suggests beside the moves of others, and deals unless one of them has come first. */
  private async dealBeside(before: TrackedStudy, count: number): Promise<Dealt> {
    const { queue, suggest } = this.parts;
    const { trials, end } = await suggest(count);
    const given = await queue.post((study, nowMs): Move<ReadonlySet<Asker> | undefined> =>
      (isMadeFor(study, before) ? deal(study, trials, [...this.askers], nowMs) : { study, changes: [], result: undefined }));
    this.outdated = given ? 0 : this.outdated + 1;
    return { end, given: given ?? new Set() };
  }

  /** Suggests and deals while the moves of others wait. */
  private async dealAlone(count: number): Promise<Dealt> {
    const { queue, suggestAlone } = this.parts;
    this.outdated = 0;
    return queue.prepared(async () => {
      const { trials, end } = await suggestAlone(count);
      return (study, nowMs): Move<Dealt> => {
        const move = deal(study, trials, [...this.askers], nowMs);
        return { ...move, result: { end, given: move.result } };
      };
    });
  }

  private whatItWaitsFor(): string {
    const { study } = this;
    if (study.space.kind === 'DISCOVERING') return 'the run of the first trial tells what there is to search, and has not ended yet';
    return this.nothing?.revision === this.revision ? this.nothing.detail : `${study.pending.size} trials are pending, and no other may begin or has been chosen yet`;
  }
}

/**
 * Whether a suggestion that was made for one state of a study holds in another: nothing that it may depend on has changed. So whoever replays
 * what was recorded gets the same.
 */
const isMadeFor = (study: TrackedStudy, before: TrackedStudy): boolean =>
  study.state.kind === 'ACTIVE' && study.nextNumber === before.nextNumber && study.ended === before.ended && study.enqueued === before.enqueued
  && study.space === before.space && study.rules === before.rules;

const heldBy = ({ pending }: TrackedStudy, client: string): readonly TrackedTrial[] => [...pending.values()].filter(({ state }) => isHeld(state) && state.holder === client);

/** Deals suggestions to those who ask, as many to each as it wants. @returns who got something */
function deal(before: TrackedStudy, suggestions: Suggestions['trials'], askers: readonly Asker[], nowMs: number): Move<ReadonlySet<Asker>> {
  const given = new Set<Asker>();
  const changes: StudyChange[] = [];
  let study = before;
  let room = Math.min(roomFor(study, nowMs), suggestions.length);
  const left = [...suggestions];
  for (const asker of askers) {
    for (let missing = asker.count - heldBy(study, asker.client).length; missing > 0 && room > 0; missing--, room--) {
      const suggestion = left.shift();
      if (!suggestion) break;
      const move = takeSuggestion(study, suggestion, asker.client, nowMs);
      study = move.study;
      changes.push(...move.changes);
      given.add(asker);
    }
  }
  return { study, changes, result: given };
}
