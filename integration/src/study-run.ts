/** Studies whose trials are jobs, disturbed as a schedule says, on real processes. */
import { join } from 'node:path';
import { ArtifactClient, trialNumber, type CoordinatorClient, type TunerClient } from '@lockstep/client';
import type { Study, StudyEvent, TrainJob, Trial } from '@lockstep/contract';
import { openChannel } from '@lockstep/rpc';
import type { LocalCluster } from './cluster';
import { childrenOf } from './fault-run';

/** Something that happens in a study, after which something is done to it. */
export type StudyMoment =
  /** The trial's job has been submitted. */
  | { readonly kind: 'SUBMITTED'; readonly trial: number }
  /** The trial has reported an epoch, counted from 1. */
  | { readonly kind: 'MEASURED'; readonly trial: number; readonly epoch: number }
  | { readonly kind: 'SUCCEEDED'; readonly trial: number }
  /** The job of a trial that goes on from another has been submitted. */
  | { readonly kind: 'PROMOTED' };

/**
 * Who gets SIGKILL. A service is started again by `up`. WORKER: the child of the last member of the trial's job, once the job has committed a
 * step; its agent stays.
 */
export type Victim = 'TUNER' | 'COORDINATOR' | 'WORKER';

export interface StudyAction {
  readonly after: StudyMoment;
  readonly kill: Victim;
}

export interface StudySchedule {
  readonly module: string;
  readonly examples: string;
  /** Of each trial. */
  readonly workers: number;
  readonly config: object;
  /** What else `lockstep tune` is told. */
  readonly flags?: readonly string[];
  /** In the order in which their moments come. */
  readonly actions?: readonly StudyAction[];
}

/** What became of a study, and all that was told of it. */
export interface StudyOutcome {
  readonly study: Study;
  /** With their measurements, in the order of suggestion. */
  readonly trials: readonly Trial[];
  readonly events: readonly StudyEvent[];
  /** All jobs that the coordinator was given meanwhile. */
  readonly jobs: readonly TrainJob[];
  /** Members that those have lost, as {job} {worker}. */
  readonly lost: readonly string[];
  /** Those whose children were killed, likewise. */
  readonly killed: readonly string[];
  /** SHA-256 of manifests: the trials' checkpoints in their order, the best values, the table of results. */
  readonly digests: { readonly checkpoints: readonly string[]; readonly hyperparameters: string; readonly results: string };
}

/** A study that has not ended by then never will. */
const END_TIMEOUT_MS = 300_000;

export class StudyRunner {
  constructor(private readonly cluster: LocalCluster, private readonly coordinator: CoordinatorClient, private readonly tuner: TunerClient) {}

  /** Runs a study to its end while the schedule happens. No other may run meanwhile: its jobs are counted. */
  async run(id: string, { module, examples, workers, config, flags = [], actions = [] }: StudySchedule): Promise<StudyOutcome> {
    const before = new Set((await this.jobs()).map(({ name }) => name));
    await this.cluster.json('tune', module, '--examples', examples, '--name', id, '--output', `${id}-trials`, '--workers', String(workers), '--config', JSON.stringify(config), '--detach', ...flags);
    const watching = this.cluster.run('studies', 'watch', id);
    const { events, killed } = await this.follow(`studies/${id}`, actions);
    const { code, stderr } = await watching;
    if (code !== 0) throw new Error(`lockstep studies watch ${id} ended with ${code ?? 'a signal'}: ${stderr}`);
    const study = await this.tuner.get(`studies/${id}`);
    const trials: Trial[] = [];
    for await (const { name } of this.tuner.trials(study.name)) trials.push(await this.tuner.getTrial(name));
    const jobs = (await this.jobs()).filter(({ name }) => !before.has(name));
    const lost: string[] = [];
    for (const { name } of jobs) for await (const { event } of this.coordinator.watch(name)) if (event.case === 'memberLost') lost.push(`${name} ${event.value.worker}`);
    return { study, trials, events, jobs, lost, killed, digests: await this.digests(study, trials) };
  }

  /** All events until the study's results are committed, with what is done in between. */
  private async follow(name: string, actions: readonly StudyAction[]): Promise<Pick<StudyOutcome, 'events' | 'killed'>> {
    const events: StudyEvent[] = [];
    const killed: string[] = [];
    const left = [...actions];
    const late = AbortSignal.timeout(END_TIMEOUT_MS);
    const over = new AbortController();
    for await (const event of this.tuner.watch(name, 0n, AbortSignal.any([late, over.signal]))) {
      events.push(event);
      while (left[0] && hasCome(left[0].after, event)) killed.push(...await this.kill((left.shift() as StudyAction).kill, event));
      if (isLast(event)) over.abort();
    }
    if (late.aborted) throw new Error(`${name} has not ended within ${END_TIMEOUT_MS} ms`);
    if (left.length > 0) throw new Error(`${name} ended before ${JSON.stringify(left)}`);
    return { events, killed };
  }

  /** @returns {job} {worker} where that was a member of a job */
  private async kill(victim: Victim, event: StudyEvent): Promise<readonly string[]> {
    switch (victim) {
      case 'TUNER':
      case 'COORDINATOR':
        process.kill(this.pid(victim.toLowerCase()), 'SIGKILL');
        return [];
      case 'WORKER': return [await this.killMember((await this.tuner.getTrial(trialOf(event) ?? '')).job)];
    }
  }

  private async killMember(job: string): Promise<string> {
    const seen = new AbortController();
    for await (const { event } of this.coordinator.watch(job, 0n, seen.signal)) if (event.case === 'stepsCommitted') seen.abort();
    const worker = (await this.coordinator.get(job)).generation?.members.at(-1)?.worker;
    if (worker === undefined) throw new Error(`${job} has no members`);
    const children = childrenOf(this.pid(worker.replace('workers/w', 'worker-')));
    if (children.length === 0) throw new Error(`${worker} runs nothing, and should run ${job}`);
    for (const child of children) process.kill(child, 'SIGKILL');
    return `${job} ${worker}`;
  }

  private async jobs(): Promise<readonly TrainJob[]> {
    const jobs: TrainJob[] = [];
    for await (const job of this.coordinator.list()) jobs.push(job);
    return jobs;
  }

  private async digests({ results }: Study, trials: readonly Trial[]): Promise<StudyOutcome['digests']> {
    const channel = openChannel(this.cluster.facts.artifact);
    try {
      const artifacts = new ArtifactClient(channel);
      const digest = async (version: string): Promise<string> => (await artifacts.getVersion(version)).digest;
      return {
        checkpoints: await Promise.all(trials.map(({ checkpoint }) => digest(checkpoint))),
        hyperparameters: await digest(results?.hyperparameters ?? ''), results: await digest(results?.results ?? ''),
      };
    } finally {
      channel.close();
    }
  }

  private pid(name: string): number {
    const pid = this.cluster.pidOf(name);
    if (pid === undefined) throw new Error(`${name} does not run: ${join(this.cluster.facts.data, 'logs', `${name}.log`)} says why`);
    return pid;
  }
}

/** Nothing comes after the results, nor after a study that failed. */
function isLast({ event }: StudyEvent): boolean {
  return event.case === 'updated' && (event.value.results !== undefined || event.value.state.case === 'failed');
}

/** The trial that an event tells of. */
function trialOf({ event }: StudyEvent): string | undefined {
  switch (event.case) {
    case 'trialChanged': return event.value.name;
    case 'trialMeasured': return event.value.trial;
    case 'created':
    case 'updated':
    case 'trialEnqueued':
    case 'deleted':
    case undefined: return undefined;
  }
}

function hasCome(moment: StudyMoment, { event }: StudyEvent): boolean {
  switch (moment.kind) {
    case 'SUBMITTED': return event.case === 'trialChanged' && trialNumber(event.value.name) === moment.trial && isSubmitted(event.value);
    case 'MEASURED': return event.case === 'trialMeasured' && trialNumber(event.value.trial) === moment.trial && event.value.measurement?.epoch === moment.epoch;
    case 'SUCCEEDED': return event.case === 'trialChanged' && trialNumber(event.value.name) === moment.trial && event.value.state.case === 'succeeded';
    case 'PROMOTED': return event.case === 'trialChanged' && (event.value.rung?.initialEpoch ?? 0) > 0 && isSubmitted(event.value);
  }
}

const isSubmitted = ({ state, job }: Trial): boolean => state.case === 'running' && job !== '';
