import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  TunerService, type CompleteTrialRequestSchema, type ExtendStudyRequestSchema, type ImportTrialsRequestSchema, type ImportTrialsResponse, type MeasurementSchema, type ParameterValueSchema,
  type Study, type StudyEvent, type StudySpec, type StudySpecSchema, type TrainJobSpecSchema, type SuggestTrialsResponse, type Trial,
} from '@lockstep/contract';
import { createClient, openChannel, RpcError, type Channel, type ServiceClient } from '@lockstep/rpc';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_RETRY, withRetry, type RetryPolicy } from '../artifact/retry';

/** How long a watch keeps trying to reach a tuner that has gone. */
const RECONNECT_FOR_MS = 60_000;
const RECONNECT_PAUSE_MS = 500;
/** How long the tuner may keep a question for trials open. */
const DEFAULT_WAIT_MS = 20_000;
/** A job that waits for workers, starts them, and builds a model or some. */
const DISCOVERY_TIMEOUT_MS = 600_000;
/** What a call may take beyond the time that it asks the tuner to wait. */
const MARGIN_MS = 30_000;

/** What a caller may set of a new study. */
export interface CreateStudyOptions {
  /** Lower-case letters, digits and "-"; the tuner chooses one without it. */
  readonly studyId?: string;
  /** Makes the creation idempotent; every call has its own without it. */
  readonly requestId?: string;
}

/** What came of a trial, as CompleteTrial takes it. */
export type CompleteOptions = Omit<MessageInitShape<typeof CompleteTrialRequestSchema>, '$typeName' | 'trial' | 'clientId'>;

/**
 * The tuner's typed client. Every call may be repeated, and is when the tuner was away: a restart of the tuner is waited for. Its methods
 * throw RpcError.
 */
export class TunerClient {
  private readonly channel: Channel;
  readonly rpc: ServiceClient<typeof TunerService>;

  constructor(readonly address: string, private readonly retry: RetryPolicy = DEFAULT_RETRY) {
    this.channel = openChannel(address);
    this.rpc = createClient(TunerService, this.channel);
  }

  /**
   * Has a job find what a module tunes, and says what study it describes: `create` takes it as it is, or changed.
   *
   * @param requestId makes a repeated request wait for the same job
   */
  discover(template: MessageInitShape<typeof TrainJobSpecSchema>, { requestId = randomUUID(), timeoutMs = DISCOVERY_TIMEOUT_MS, signal }: { readonly requestId?: string; readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<StudySpec> {
    return this.again(() => this.rpc.discoverStudy({ jobs: { template }, requestId }, { timeoutMs, ...(signal && { signal }) }), signal);
  }

  /** Makes a study. All faults of the spec come in one error. */
  create(spec: MessageInitShape<typeof StudySpecSchema>, { studyId = '', requestId = randomUUID() }: CreateStudyOptions = {}): Promise<Study> {
    return this.again(() => this.rpc.createStudy({ spec, studyId, requestId }));
  }

  get(name: string): Promise<Study> {
    return this.again(() => this.rpc.getStudy({ name }));
  }

  /** All studies, newest first, page by page. */
  async *list(pageSize = 100): AsyncGenerator<Study> {
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await this.again(() => this.rpc.listStudies({ pageSize, pageToken }));
      yield* page.studies;
      pageToken = page.nextPageToken;
    }
  }

  /** Gives a study more to do; what is not said stays as it is. */
  extend(name: string, extension: Omit<MessageInitShape<typeof ExtendStudyRequestSchema>, '$typeName' | 'name'>): Promise<Study> {
    return this.again(() => this.rpc.extendStudy({ ...extension, name }));
  }

  stop(name: string): Promise<Study> {
    return this.again(() => this.rpc.stopStudy({ name }));
  }

  async delete(name: string): Promise<void> {
    await this.again(() => this.rpc.deleteStudy({ name }));
  }

  /**
   * Asks once for trials, and waits until there is something.
   *
   * @param clientId who asks: unique to the process that evaluates, the same when it asks again
   */
  suggest(study: string, clientId: string, { count = 1, maxWaitMs = DEFAULT_WAIT_MS, signal }: { readonly count?: number; readonly maxWaitMs?: number; readonly signal?: AbortSignal } = {}): Promise<SuggestTrialsResponse['outcome']> {
    const request = { parent: study, clientId, count, maxWait: durationFromMs(maxWaitMs) };
    return this.again(async () => (await this.rpc.suggestTrials(request, { timeoutMs: maxWaitMs + MARGIN_MS, ...(signal && { signal }) })).outcome, signal);
  }

  /** The next trial, however long it takes; undefined when there will be nothing more. */
  async next(study: string, clientId: string, signal?: AbortSignal): Promise<Trial | undefined> {
    for (;;) {
      const outcome = await this.suggest(study, clientId, signal ? { signal } : {});
      switch (outcome.case) {
        case 'suggested': return outcome.value.trials[0];
        case 'over': return undefined;
        case 'nothingYet':
        case undefined: break;
      }
    }
  }

  /** Reports an epoch. @returns why the trial should end now with what it has, if it should */
  async measure(trial: string, clientId: string, measurement: MessageInitShape<typeof MeasurementSchema>): Promise<string | undefined> {
    return (await this.again(() => this.rpc.reportMeasurement({ trial, clientId, measurement }))).stop;
  }

  /** @returns why the trial should end now with what it has, if it should */
  async checkStop(trial: string, clientId: string): Promise<string | undefined> {
    return (await this.again(() => this.rpc.checkStop({ trial, clientId }))).stop;
  }

  /** Ends a trial: `{ outcome: { case: 'success', value: {} } }` takes the best epoch that was reported. */
  complete(trial: string, clientId: string, options: CompleteOptions): Promise<Trial> {
    return this.again(() => this.rpc.completeTrial({ ...options, trial, clientId }));
  }

  /** @returns the names of the trials that the client still has */
  async heartbeat(study: string, clientId: string): Promise<readonly string[]> {
    return (await this.again(() => this.rpc.heartbeat({ parent: study, clientId }))).trials;
  }

  /** A trial with its measurements. */
  getTrial(name: string): Promise<Trial> {
    return this.again(() => this.rpc.getTrial({ name }));
  }

  /** All trials of a study in the order of suggestion, page by page, without their measurements. */
  async *trials(study: string, pageSize = 500): AsyncGenerator<Trial> {
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await this.again(() => this.rpc.listTrials({ parent: study, pageSize, pageToken }));
      yield* page.trials;
      pageToken = page.nextPageToken;
    }
  }

  /** The best trials, best first; with several objectives those that no other beats. */
  async best(study: string, count = 0): Promise<readonly Trial[]> {
    return (await this.again(() => this.rpc.listBestTrials({ parent: study, count }))).trials;
  }

  /** Has values tried first. @returns how many wait to be tried */
  async enqueue(study: string, values: MessageInitShape<typeof ParameterValueSchema>[], requestId: string = randomUUID()): Promise<number> {
    return (await this.again(() => this.rpc.enqueueTrial({ parent: study, values, requestId }))).enqueued;
  }

  /** Takes up trials that were evaluated elsewhere. */
  importTrials(study: string, source: MessageInitShape<typeof ImportTrialsRequestSchema>['source'], requestId: string = randomUUID()): Promise<ImportTrialsResponse> {
    return this.again(() => this.rpc.importTrials({ parent: study, requestId, ...(source && { source }) }));
  }

  /**
   * A study's events from the first (or after a sequence number) until it is deleted or the signal aborts. A lost connection is taken up
   * again after the last event seen, so none is missed and none comes twice.
   *
   * @throws RpcError when the tuner refuses, or stays away for a minute
   */
  async *watch(study: string, afterSequence = 0n, signal?: AbortSignal): AsyncGenerator<StudyEvent> {
    let after = afterSequence;
    let lostAtMs: number | undefined;
    for (;;) {
      try {
        for await (const event of this.rpc.watchStudy({ name: study, afterSequence: after }, { ...(signal && { signal }) })) {
          lostAtMs = undefined;
          after = event.sequence;
          yield event;
        }
        return;
      } catch (e) {
        const error = RpcError.from(e);
        if (signal?.aborted) return;
        lostAtMs ??= Date.now();
        if (error.code !== 'UNAVAILABLE' || Date.now() - lostAtMs > RECONNECT_FOR_MS) throw error;
        await delay(RECONNECT_PAUSE_MS);
      }
    }
  }

  close(): void {
    this.channel.close();
  }

  private again<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetry(this.retry, signal, call);
  }
}

export type { Study, StudyEvent, Trial };
