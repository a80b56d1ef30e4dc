/**
 * The tuner: studies in use, and what clients do with them. Knows neither gRPC nor KerasTuner; both faces call it.
 *
 * 1. A study is loaded when somebody asks for it, and forgotten when nobody has for a while; what is remembered is only ever what is stored.
 * 2. What has ended is answered from the store.
 */
import {
  completeEnded, completeTrial, enqueueValues, extendStudy, growSpace, hear, importTrials, noteLineage, noteResults, stopStudy, takeMeasurement, trialLost, trialName, TrackingError,
  type CommittedResults, type Extension, type Findings, type ForeignHistory, type Imported, type Move, type SearchSpace, type StudyChange, type TrackedMeasurement, type TrackedStudy, type TrackedTrial, type TrialLineage, type TrialOutcome, type Values,
} from '@lockstep/search';
import type { StudySpec } from '@lockstep/contract';
import { toStudyMessage } from '../convert/study-proto';
import type { ResolvedSpec } from '../convert/resolve-spec';
import type { StoredStudy, StoredTrial, StudyStore } from '../store/study-store';
import { LiveStudy, type LiveStudyParts } from './live-study';
import type { MoveExtras, StudyMove } from './move-queue';
import type { AskedTrials } from './suggestion-desk';
import { studyEvents } from './study-events';
import { TunerError } from './tuner-error';

/** A request that may be sent twice. */
export interface RequestMark {
  readonly id: string;
  readonly digest: string;
}

/** A study that nobody has asked for so long is forgotten; sooner when it has ended. */
const IDLE_MS = 60_000;
const ENDED_MS = 5_000;
/** Who has just loaded a study is about to use it. */
const RECENT_MS = 1000;
/** Of trials that a study could not begin with, in the log. */
const SKIPPED_SHOWN = 5;
/** Trials that are read at once. */
const PAGE = 1000;
/** So many are kept; beyond, those that are not in use are forgotten at once. */
const MAX_LIVE = 200;

export class Tuner {
  private readonly live = new Map<string, LiveStudy>();
  private readonly loading = new Map<string, Promise<LiveStudy>>();

  constructor(private readonly parts: LiveStudyParts) {}

  get store(): StudyStore {
    return this.parts.store;
  }

  /** Takes up studies whose trials somebody has: their leases run on. */
  async recover(): Promise<void> {
    for (const name of await this.parts.store.held()) await this.require(name);
  }

  /**
   * Stores a new study.
   *
   * @param warm trials of other studies that it begins with, and what of them was left out already
   * @throws TunerError STUDY_EXISTS, REQUEST_ID_REUSED
   */
  async create(study: TrackedStudy, { spec }: Pick<ResolvedSpec, 'spec'>, warm: Pick<ForeignHistory, 'trials'> & Pick<Imported, 'skipped'>, request: { readonly id: string | undefined; readonly digest: string }): Promise<StoredStudy> {
    const move = warm.trials.length > 0 ? importTrials(study, { trials: warm.trials, parameters: [], field: 'spec.warm_start_from' }, []) : { study, changes: [], result: { numbers: [], skipped: [] } };
    const stored: StoredStudy = { study: move.study, spec };
    const changes: readonly StudyChange[] = [{ kind: 'STUDY', told: true }, ...move.changes];
    const told = studyEvents(stored, move.changes.filter(({ kind }) => kind === 'TRIAL'));
    const events = [{ case: 'created' as const, value: toStudyMessage(stored) }, ...told];
    const isNew = await this.parts.store.insert({ ...stored, changes, events, requests: [], nowMs: this.parts.nowMs() }, request);
    if (isNew) {
      const skipped = [...warm.skipped, ...move.result.skipped];
      if (skipped.length > 0) this.parts.logger.info({ study: study.name, taken: move.result.numbers.length, skipped: skipped.length, why: skipped.slice(0, SKIPPED_SHOWN) }, 'the study begins without some trials of those that it was to start from');
      return stored;
    }
    const earlier = request.id === undefined ? undefined : await this.parts.store.findByRequestId(request.id);
    if (!earlier) throw new TunerError('STUDY_EXISTS', `${study.name} exists already: choose another study_id, or extend it`, { resource: study.name });
    if (earlier.digest !== request.digest) throw new TunerError('REQUEST_ID_REUSED', `request_id "${request.id ?? ''}" made ${earlier.name} from another request: use a new id for a new study`, { resource: earlier.name });
    return (await this.require(earlier.name)).stored;
  }

  async get(name: string): Promise<StoredStudy> {
    const known = this.live.get(name)?.stored ?? await this.parts.store.get(name, this.parts.nowMs());
    if (!known) throw noSuchStudy(name);
    return known;
  }

  async ask(name: string, client: string, count: number, maxWaitMs: number, signal: AbortSignal): Promise<AskedTrials> {
    const live = await this.require(name);
    return live.ask(client, count, maxWaitMs, signal);
  }

  /** @returns why the trial should end now, if it should */
  async measure(name: string, number: number, client: string, measurement: (trial: TrackedTrial | undefined) => TrackedMeasurement): Promise<string | undefined> {
    return this.withTrial(name, number, client, (live) => live.post((study, nowMs) => takeMeasurement(study, number, client, measurement(study.pending.get(number)), nowMs)));
  }

  /** @returns why the trial should end now, if it should */
  async checkStop(name: string, number: number, client: string): Promise<string | undefined> {
    return this.withTrial(name, number, client, (live) => live.checkStop(number, client));
  }

  async complete(name: string, number: number, client: string, outcome: TrialOutcome, findings: Findings): Promise<TrackedTrial> {
    const live = await this.require(name);
    try {
      return await live.post((study, nowMs) => completeTrial(study, number, client, outcome, findings, nowMs));
    } catch (e) {
      if (!isNotPending(e)) throw e;
      return completeEnded(live.study, (await this.getTrial(name, number)).trial, client, outcome);
    }
  }

  /** Notes the job that evaluates a client's trial, and what it trained. */
  async note(name: string, number: number, client: string, lineage: TrialLineage): Promise<void> {
    return this.withTrial(name, number, client, (live) => live.post((study, nowMs) => noteLineage(study, number, client, lineage, nowMs)));
  }

  /** Notes what was committed of a study that is over. */
  async noteResults(name: string, results: CommittedResults): Promise<void> {
    const live = await this.require(name);
    await live.post((study) => noteResults(study, results));
  }

  /** A trial with its times and measurements. @throws TunerError NO_SUCH_TRIAL */
  async getTrial(name: string, number: number): Promise<StoredTrial> {
    const stored = await this.parts.store.getTrial(name, number);
    if (!stored) throw new TunerError('NO_SUCH_TRIAL', `${trialName({ name }, number)} does not exist`, { resource: trialName({ name }, number) });
    return stored;
  }

  /** @returns the numbers of the trials that the client has */
  async heartbeat(name: string, client: string): Promise<readonly number[]> {
    return (await this.require(name)).post((study, nowMs) => hear(study, client, nowMs));
  }

  async stop(name: string): Promise<StoredStudy> {
    const live = await this.require(name);
    await live.post(stopStudy);
    return live.stored;
  }

  /** @param algorithm the spec's algorithm, extended, and whether it has more to do; undefined leaves it */
  async extend(name: string, extension: Omit<Extension, 'algorithmGrew'>, algorithm: (spec: StudySpec) => { readonly spec: StudySpec; readonly grew: boolean }): Promise<StoredStudy> {
    const live = await this.require(name);
    // One extension sees the one before. No request has an id that begins with a space.
    return live.once(' extend', async () => {
      const { spec, grew } = algorithm(live.stored.spec);
      await live.post((study, nowMs) => extendStudy(study, { ...extension, algorithmGrew: grew }, nowMs), grew ? { spec } : {});
      return live.stored;
    });
  }

  /** Has a study know further parameters; it stays in its state. */
  async grow(name: string, parameters: SearchSpace): Promise<void> {
    const live = await this.require(name);
    await live.post((study) => growSpace(study, parameters));
  }

  /** @returns how many wait to be tried */
  async enqueue(name: string, values: Values, request: RequestMark | undefined): Promise<number> {
    return this.once(name, request, (study) => enqueueValues(study, values), Number, String);
  }

  async import(name: string, history: ForeignHistory, request: RequestMark | undefined): Promise<Imported> {
    const prepare = async (live: LiveStudy): Promise<StudyMove<Imported>> => {
      const before = live.study.imported > 0 ? await this.imported(name) : [];
      return (study) => importTrials(study, history, before);
    };
    return this.onceBy<Imported>(name, request, (live, extras) => live.prepared(() => prepare(live), extras), (text) => JSON.parse(text) as Imported, JSON.stringify);
  }

  /** What a study was given of others' trials. */
  private async imported(name: string): Promise<readonly TrackedTrial[]> {
    const found: TrackedTrial[] = [];
    for (let from = 0; ;) {
      const trials = await this.parts.store.listTrials(name, { from, limit: PAGE, measurements: false });
      found.push(...trials.flatMap(({ trial }) => (trial.origin === 'IMPORTED' ? [trial] : [])));
      const last = trials.at(-1);
      if (trials.length < PAGE || !last) return found;
      from = last.trial.number + 1;
    }
  }

  async delete(name: string): Promise<void> {
    const live = this.live.get(name) ?? await this.loading.get(name)?.catch(() => undefined);
    live?.close(new TunerError('STUDY_DELETED', `${name} was deleted`, { resource: name }));
    this.live.delete(name);
    const isGone = await this.parts.store.delete(name, { case: 'deleted', value: { $typeName: 'lockstep.tuner.v1.StudyDeleted' } }, this.parts.nowMs());
    if (!isGone) throw noSuchStudy(name);
  }

  /** Leases that have run out, and studies that nobody uses any more. */
  async tick(): Promise<void> {
    const nowMs = this.parts.nowMs();
    await Promise.all([...this.live.values()].map((live) => live.expire(nowMs)));
    this.forgetIdle(IDLE_MS);
  }

  /** A study in use, loaded if need be. @throws TunerError NO_SUCH_STUDY */
  async require(name: string): Promise<LiveStudy> {
    const known = this.live.get(name) ?? this.loading.get(name);
    if (known) return known;
    const loading = this.load(name).finally(() => this.loading.delete(name));
    this.loading.set(name, loading);
    return loading;
  }

  private async load(name: string): Promise<LiveStudy> {
    const stored = await this.parts.store.get(name, this.parts.nowMs());
    if (!stored) throw noSuchStudy(name);
    if (this.live.size >= MAX_LIVE) this.forgetIdle(RECENT_MS);
    const live = new LiveStudy(stored, this.parts);
    this.live.set(name, live);
    return live;
  }

  private forgetIdle(idleMs: number): void {
    const nowMs = this.parts.nowMs();
    for (const [name, live] of this.live) {
      const patienceMs = live.study.state.kind === 'ACTIVE' ? idleMs : Math.min(idleMs, ENDED_MS);
      if (live.usedMs > nowMs - patienceMs || !live.isIdle) continue;
      this.live.delete(name);
      live.close(new TunerError('TOO_MANY_CALLS', `${name} was just put away: try again`));
    }
  }

  /** What a client reports of a trial that has ended is refused with who ended it. */
  private async withTrial<T>(name: string, number: number, client: string, work: (live: LiveStudy) => Promise<T>): Promise<T> {
    const live = await this.require(name);
    try {
      return await work(live);
    } catch (e) {
      if (!isNotPending(e)) throw e;
      const { trial } = await this.getTrial(name, number);
      if (trial.endedBy !== client) throw trialLost(live.study, trial, client);
      throw new TrackingError('TRIAL_ENDED', `${trialName(live.study, number)} has ended (${trial.state.kind}): nothing can be reported of it any more`, { trial: trialName(live.study, number) });
    }
  }

  /** Makes a move once for each request id. */
  private once<T>(name: string, request: RequestMark | undefined, move: (study: TrackedStudy) => Move<T>, decode: (answer: string) => T, encode: (result: T) => string): Promise<T> {
    return this.onceBy(name, request, (live, extras) => live.post(move, extras), decode, encode);
  }

  /** The same for a move that is made in a way of its own. */
  private async onceBy<T>(name: string, request: RequestMark | undefined, make: (live: LiveStudy, extras: MoveExtras<T>) => Promise<T>, decode: (answer: string) => T, encode: (result: T) => string): Promise<T> {
    const live = await this.require(name);
    if (!request) return make(live, {});
    const { id, digest } = request;
    return live.once(id, async () => {
      const earlier = await this.parts.store.findRequest(name, id);
      if (earlier && earlier.digest !== digest) throw new TunerError('REQUEST_ID_REUSED', `request_id "${id}" was another request for ${name}: use a new id`, { resource: name });
      if (earlier) return decode(earlier.answer);
      return make(live, { request: (result) => ({ id, digest, answer: encode(result) }) });
    });
  }
}

const isNotPending = (e: unknown): boolean => e instanceof TrackingError && e.reason === 'NOT_PENDING';

const noSuchStudy = (name: string): TunerError => new TunerError('NO_SUCH_STUDY', `${name} does not exist: ListStudies names those that do`, { resource: name });
