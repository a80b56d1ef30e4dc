/**
 * One trial, evaluated as a job of the coordinator.
 *
 * 1. Everything may be done again: the job is found by its request id, its events are read from the first, and what they say was stored
 *    or is stored now. So a tuner that comes back takes up the trials where they are; meanwhile their jobs go on.
 * 2. A job whose trial is lost (its study was stopped or deleted) is cancelled.
 */
import type { JobEvent, JobEvaluation, TrainJob } from '@lockstep/contract';
import { RpcError } from '@lockstep/rpc';
import { NO_FINDINGS, SearchError, TrackingError, type Findings, type TrackedTrial, type TrialOutcome } from '@lockstep/search';
import type { Tuner } from '../study/tuner';
import { TunerError } from '../study/tuner-error';
import { jobOutcome } from './job-outcome';
import type { Jobs } from './jobs';
import { trialJob, trialRequestId } from './trial-job';

export interface TrialRunParts {
  readonly tuner: Pick<Tuner, 'get' | 'getTrial' | 'note' | 'measure' | 'checkStop' | 'complete'>;
  readonly jobs: Jobs;
  /** Ends early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What another submission of the same job would be answered again. */
const REFUSALS: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'OUT_OF_RANGE', 'UNIMPLEMENTED']);

/** How often it is looked whether a trial is still wanted. Also keeps its lease, of a second at least. */
const LOOK_MS = 500;

export class TrialRun {
  private readonly done = new AbortController();
  /** The fits that have told of epochs, in their order: the executions. */
  private readonly fits: number[] = [];
  private stopped: boolean;
  private measured: boolean;
  /** Members that the job has lost. */
  private losses = 0;
  private lost: unknown;

  /** @param leave aborts when the service ends: the job goes on */
  constructor(
    private readonly parts: TrialRunParts, private readonly study: string, private readonly evaluation: JobEvaluation,
    private readonly trial: TrackedTrial, private readonly client: string, private readonly leave: AbortSignal,
  ) {
    this.stopped = trial.state.kind === 'STOPPING';
    this.measured = trial.measurements.length > 0;
  }

  /** Runs it to its end, and tells the study. @throws RpcError, DatabaseError when something is away: then all of it may be tried again */
  async run(): Promise<void> {
    const { tuner, jobs } = this.parts;
    const { study, trial: { number }, client } = this;
    const name = await this.submit();
    if (name === undefined) return;
    const over = AbortSignal.any([this.leave, this.done.signal]);
    const look = this.look(name, over);
    let job: TrainJob;
    try {
      for await (const { event } of jobs.watch(name, undefined, over)) await this.take(name, event);
      if (over.aborted) return;
      job = await jobs.get(name);
    } catch (e) {
      if (!isLoss(e)) throw e;
      this.lost = e;
      return;
    } finally {
      this.done.abort();
      await look;
      if (this.lost !== undefined) await jobs.cancel(name);
    }
    const { objectives } = (await tuner.get(study)).study;
    const { outcome, findings, checkpoint } = jobOutcome(job, objectives, { stopped: this.stopped, measured: this.measured, losses: this.losses });
    if (checkpoint !== undefined) await tuner.note(study, number, client, { job: name, checkpoint });
    await this.complete(outcome, findings);
  }

  /** A run that met what contradicts what the study knows has failed, by name. */
  private async complete(outcome: TrialOutcome, findings: Findings): Promise<void> {
    const { tuner } = this.parts;
    const { study, trial: { number }, client } = this;
    try {
      await tuner.complete(study, number, client, outcome, findings);
    } catch (e) {
      if (!(e instanceof SearchError)) throw e;
      await tuner.complete(study, number, client, { kind: 'FAILURE', error: `what its run met does not fit the study: ${e.message}` }, NO_FINDINGS);
    }
  }

  /** @returns the job, or undefined when there cannot be one: the study has been told */
  private async submit(): Promise<string | undefined> {
    const { tuner, jobs } = this.parts;
    const { study, trial, client, evaluation: { template } } = this;
    if (!template) throw new Error(`${study} has no template for its jobs`);
    const { fidelity } = trial;
    let startFrom: string | undefined;
    if (fidelity.kind === 'RUNG' && fidelity.parent !== undefined) {
      startFrom = (await tuner.getTrial(study, fidelity.parent)).trial.lineage?.checkpoint;
      if (startFrom === undefined) return this.refuse(`${study}/trials/${fidelity.parent}, which it was to go on from, has no checkpoint`);
    }
    const stored = (await tuner.get(study)).study;
    const spec = trialJob(template, stored.space.kind === 'KNOWN' ? stored.space.space : [], trial, startFrom);
    let name: string;
    try {
      ({ name } = await jobs.submit(spec, { requestId: trialRequestId(stored, trial) }));
    } catch (e) {
      if (e instanceof RpcError && REFUSALS.has(e.code)) return this.refuse(`the coordinator refused its job: ${e.message}`);
      throw e;
    }
    if (trial.lineage?.job !== name) await tuner.note(study, trial.number, client, { job: name, checkpoint: undefined });
    return name;
  }

  private async refuse(error: string): Promise<undefined> {
    await this.complete({ kind: 'FAILURE', error }, NO_FINDINGS);
    return undefined;
  }

  /** What the job tells of an epoch is a measurement of the trial. */
  private async take(job: string, event: JobEvent['event']): Promise<void> {
    if (event.case === 'memberLost' && !event.value.left) this.losses++;
    if (event.case !== 'epochEnded') return;
    const { position, metrics } = event.value;
    if (!position) return;
    if (!this.fits.includes(position.call)) this.fits.push(position.call);
    const { tuner } = this.parts;
    const { study, trial: { number }, client } = this;
    const measurement = { epoch: position.epoch + 1, execution: this.fits.indexOf(position.call), metrics: new Map(metrics.map(({ name, value }) => [name, value])) };
    const before = await tuner.measure(study, number, client, () => measurement);
    this.measured = true;
    await this.heed(job, before ?? await tuner.checkStop(study, number, client));
  }

  /** A trial that is asked to stop frees its workers: its job is cancelled. */
  private async heed(job: string, stop: string | undefined): Promise<void> {
    if (stop === undefined || this.stopped) return;
    this.stopped = true;
    await this.parts.jobs.cancel(job);
  }

  /** Keeps the trial's lease, and looks whether it is still wanted. */
  private async look(job: string, over: AbortSignal): Promise<void> {
    const { tuner, sleep } = this.parts;
    if (this.stopped) await this.parts.jobs.cancel(job).catch(() => { this.stopped = false; });
    for (;;) {
      await sleep(LOOK_MS, over);
      if (over.aborted) return;
      try {
        await this.heed(job, await tuner.checkStop(this.study, this.trial.number, this.client));
      } catch (e) {
        // What is away is looked for again; the watch says when it stays away.
        if (!isLoss(e)) continue;
        this.lost = e;
        this.done.abort();
        return;
      }
    }
  }
}

/** Whether the trial is not this client's any more, or its study is gone. */
export function isLoss(e: unknown): boolean {
  if (e instanceof TrackingError) return e.reason === 'TRIAL_LOST' || e.reason === 'TRIAL_ENDED' || e.reason === 'NOT_PENDING';
  return e instanceof TunerError && (e.reason === 'NO_SUCH_STUDY' || e.reason === 'STUDY_DELETED' || e.reason === 'NO_SUCH_TRIAL');
}
