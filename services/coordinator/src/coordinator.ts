/**
 * The coordinator: turns what happens (clients, agents, members, time) into inputs of the pure job machine, stores each
 * move together with its events, and then carries out its effects.
 *
 * 1. Decisions are taken one after the other, and stored before anything of them is carried out or answered.
 * 2. What one member reports as a consequence (a peer is gone) waits a moment for its cause (that peer's own report).
 * 3. The chief's progress is the job's: all members go through the same steps, so one of them tells of them.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  AssignmentSchema, JobCreatedSchema, JobState as JobStateNumber, JobStateChangedSchema, Numerics, TrainJobSchema, TrainJobSpecSchema,
  type JobError, type JobResult, type MemberCommand, type MemberFinished, type MemberHello, type TrainJob, type TrainJobSpec,
} from '@lockstep/contract';
import { admit, heldWorkers, transition, type JobEffect, type JobFacts, type JobFailure, type JobInput, type JobState } from '@lockstep/membership';
import type { Logger } from '@lockstep/rpc';
import type { AgentRegistry } from './agent-registry';
import { CoordinatorError } from './coordinator-error';
import { jobHasEnded, toGeneration, toJobError, withState, type JobRecord, type NewEvent } from './job-record';
import type { JobStore } from './job-store';
import { memberReports } from './member-reports';
import { applyProgress } from './progress';
import { Serial } from './serial';
import type { Submission } from './submission';

/** Time and identity, as arguments. */
export interface Surroundings {
  nowMs(): number;
  newId(): string;
}

export interface CoordinatorSettings {
  readonly artifactAddress: string;
  /** From the start of the children until all members are connected. */
  readonly rendezvousTimeoutMs: number;
  readonly exportTimeoutMs: number;
  /** How long a consequence waits for its cause. */
  readonly causeGraceMs: number;
}

/** A member's open session. */
export interface MemberSession {
  readonly job: string;
  readonly worker: string;
  send(command: MemberCommand['command'], generation: bigint): void;
  close(): void;
}

interface LiveJob {
  record: JobRecord;
  /** What a queued job was last said to wait for. */
  waitsFor: string;
  /** Resolves when the artifact service knows the job's generation. */
  fenced: Promise<void>;
  state: JobState;
  readonly facts: JobFacts;
  readonly sessions: Map<string, MemberSession>;
  readonly finished: Map<string, MemberFinished>;
}

/** Announces generations to the artifact service, so that commits of an older one are refused. */
export interface Fence {
  advance(job: string, generation: number): Promise<void>;
}

const CONSEQUENCES = new Set(['PEER_LOST', 'DEADLINE', 'FENCED', 'CLOSED']);

export class Coordinator {
  private readonly live = new Map<string, LiveJob>();
  private readonly serial = new Serial();
  private readonly timers = new Set<NodeJS.Timeout>();
  private leaving = false;

  constructor(
    private readonly store: JobStore,
    readonly agents: AgentRegistry,
    private readonly fence: Fence,
    private readonly settings: CoordinatorSettings,
    private readonly around: Surroundings,
    private readonly logger: Logger,
  ) {}

  /** Takes up what an earlier process left: queued jobs wait again; the members of running ones are gone. */
  async recover(): Promise<void> {
    for (const record of await this.store.unfinished()) {
      const failure: JobFailure = { reason: 'COORDINATOR_RESTARTED', fault: 'CLUSTER', message: `the coordinator was restarted while ${record.job.name} ran. Submit it again: the bytes are the same` };
      if (!record.job.generation) {
        this.track(record);
        continue;
      }
      await this.store.update(...this.ended(record.job, failure));
      this.fenceOff(record.job.name);
    }
  }

  /** Stores a checked submission, or answers with the job that the same request made before. */
  submit(submission: Submission, requestId: string): Promise<TrainJob> {
    return this.serial.run(async () => {
      const earlier = requestId === '' ? undefined : await this.store.findByRequestId(requestId);
      if (earlier) return sameRequest(earlier, submission.spec, requestId);
      const nowMs = this.around.nowMs();
      const name = `jobs/${this.around.newId()}`;
      const job = create(TrainJobSchema, { name, spec: submission.spec, state: 1, createTime: timestampFromMs(nowMs) });
      const record: JobRecord = { job, requestId, token: randomBytes(32), shardTables: submission.shardTables };
      await this.store.insert(record, [{ case: 'created', value: create(JobCreatedSchema, { job }) }], nowMs);
      this.track(record);
      await this.admitAll();
      return this.live.get(name)?.record.job ?? job;
    });
  }

  async cancel(name: string): Promise<TrainJob> {
    await this.input(name, { kind: 'CANCEL' });
    return (await this.require(name)).job;
  }

  async require(name: string): Promise<JobRecord> {
    const record = this.live.get(name)?.record ?? await this.store.get(name);
    if (!record) throw new CoordinatorError('NO_SUCH_JOB', `${name} does not exist: \`lockstep jobs\` lists those that do`, { resource: name });
    return record;
  }

  /** A worker came, or became free. */
  workersChanged(): Promise<void> {
    return this.serial.run(() => this.admitAll());
  }

  /** A worker's agent, or its child, is gone. */
  workerLost(worker: string, detail: string): Promise<void> {
    return this.serial.run(async () => {
      const job = this.jobOf(worker);
      if (job !== undefined && !this.leaving) await this.apply(job, { kind: 'WORKER_LOST', worker, detail });
    });
  }

  /** The child of a job exited: a loss unless the job had ended. */
  async childExited(worker: string, job: string, token: Uint8Array, detail: string): Promise<void> {
    const agent = this.agents.get(worker);
    if (agent?.child?.job === job && sameBytes(agent.child.token, token)) agent.child = undefined;
    if (!this.leaving) await this.input(job, { kind: 'WORKER_LOST', worker, detail });
    await this.workersChanged();
  }

  /** @throws CoordinatorError BAD_TOKEN, NO_SUCH_JOB or FENCED */
  async join(hello: MemberHello, session: MemberSession): Promise<void> {
    const job = this.live.get(hello.job);
    if (!job) throw new CoordinatorError('FENCED', `${hello.job} is not running here: ${hello.worker} must stop`, { resource: hello.job });
    if (!sameBytes(job.record.token, hello.token)) throw new CoordinatorError('BAD_TOKEN', `${hello.worker} does not show the token of ${hello.job}`, { resource: hello.job });
    if (job.sessions.has(hello.worker)) throw new CoordinatorError('FENCED', `${hello.worker} has joined ${hello.job} already: this process must stop`, { resource: hello.job });
    job.sessions.set(hello.worker, session);
    await this.input(hello.job, { kind: 'JOINED', worker: hello.worker, address: hello.exchangeAddress, fingerprint: hello.fingerprint?.canonical ?? '' });
  }

  /** A member's session ended without a farewell; its agent may know more within a moment. */
  sessionEnded(session: MemberSession, detail: string): void {
    const job = this.live.get(session.job);
    if (job?.sessions.get(session.worker) !== session) return;
    job.sessions.delete(session.worker);
    if (!this.leaving) this.later(() => this.input(session.job, { kind: 'WORKER_LOST', worker: session.worker, detail }));
  }

  async memberReady(session: MemberSession, generation: number): Promise<void> {
    await this.input(session.job, { kind: 'READY', worker: session.worker, generation });
  }

  async memberFinished(session: MemberSession, generation: number, report: MemberFinished): Promise<void> {
    const input: JobInput = { kind: 'FINISHED', worker: session.worker, generation, report: { stateDigest: report.stateDigest, steps: Number(report.steps) } };
    await this.input(session.job, input, (job) => {
      const { finished } = this.live.get(session.job) ?? { finished: new Map<string, MemberFinished>() };
      finished.set(session.worker, report);
      return { ...job, reports: memberReports(job, finished) };
    });
  }

  async modelCommitted(session: MemberSession, generation: number, result: JobResult): Promise<void> {
    await this.input(session.job, { kind: 'MODEL_COMMITTED', worker: session.worker, generation }, (job) => ({ ...job, result }));
  }

  async memberFailed(session: MemberSession, generation: number, reported: JobError, failure: JobFailure): Promise<void> {
    const apply = (): Promise<void> => this.input(session.job, { kind: 'MEMBER_FAILED', worker: session.worker, generation, failure }, (job) => ({ ...job, error: reported }));
    if (CONSEQUENCES.has(failure.reason)) this.later(apply);
    else await apply();
  }

  /** The chief's progress, stored with the job's new position in one transaction. */
  memberProgress(session: MemberSession, generation: number, events: readonly NewEvent[]): Promise<void> {
    return this.serial.run(async () => {
      const job = this.live.get(session.job);
      if (!job || job.state.kind === 'QUEUED' || !('generation' in job.state) || job.state.generation !== generation) {
        throw new CoordinatorError('FENCED', `${session.worker} reports progress of generation ${generation} of ${session.job}, which is over`, { resource: session.job });
      }
      const [chief] = heldWorkers(job.state);
      if (chief?.worker !== session.worker) return;
      const next = events.reduce(applyProgress, job.record.job);
      await this.store.update(next, events, this.around.nowMs());
      job.record = { ...job.record, job: next };
    });
  }

  /** Deadlines, and whatever admission has missed. */
  async tick(): Promise<void> {
    for (const name of [...this.live.keys()]) await this.input(name, { kind: 'TICK' });
    await this.workersChanged();
  }

  /** From here on sessions end because this process leaves: that is nobody's loss. */
  leave(): void {
    this.leaving = true;
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    for (const job of this.live.values()) for (const session of job.sessions.values()) session.close();
  }

  private later(task: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      task().catch((e: unknown) => this.logger.error({ err: e }, 'a late input failed'));
    }, this.settings.causeGraceMs);
    this.timers.add(timer);
  }

  private jobOf(worker: string): string | undefined {
    for (const [name, job] of this.live) if (heldWorkers(job.state).some((s) => s.worker === worker)) return name;
    return undefined;
  }

  private track(record: JobRecord): void {
    const { spec } = record.job;
    if (!spec) throw new Error(`${record.job.name} has no spec`);
    const maxRuntime = spec.maxRuntime && Number(spec.maxRuntime.seconds) * 1000 + spec.maxRuntime.nanos / 1e6;
    this.live.set(record.job.name, {
      record, state: { kind: 'QUEUED' }, waitsFor: '', fenced: Promise.resolve(), sessions: new Map(), finished: new Map(),
      facts: {
        job: record.job.name, replicas: spec.replicas, strictNumerics: spec.numerics !== Numerics.RELAXED,
        rendezvousTimeoutMs: this.settings.rendezvousTimeoutMs, exportTimeoutMs: this.settings.exportTimeoutMs,
        ...(maxRuntime !== undefined && { maxRuntimeMs: maxRuntime }),
      },
    });
  }

  private async admitAll(): Promise<void> {
    if (this.leaving) return;
    const queued = [...this.live.values()].filter((j) => j.state.kind === 'QUEUED');
    if (queued.length === 0) return;
    const applicants = queued.map(({ record: { job } }) => ({ job: job.name, minWorkers: job.spec?.workers?.min ?? 1, maxWorkers: job.spec?.workers?.max ?? 1 }));
    for (const { job, workers } of admit(applicants, this.agents.free())) {
      const generation = await this.store.nextGeneration();
      await this.apply(job, { kind: 'START', generation, workers });
      this.announce(job, generation);
    }
    for (const job of queued) if (job.state.kind === 'QUEUED') await this.tellWait(job);
  }

  /** A queued job says whom it waits for, whenever that changes. */
  private async tellWait(job: LiveJob): Promise<void> {
    const { min = 1 } = job.record.job.spec?.workers ?? {};
    const [free, attached] = [this.agents.free().length, this.agents.list().length];
    const detail = `waits for ${min} free ${min === 1 ? 'worker' : 'workers'}: ${free} of ${attached} ${attached === 1 ? 'is' : 'are'} free${free >= min ? ', and an older job waits too' : ''}`;
    if (detail === job.waitsFor) return;
    job.waitsFor = detail;
    const value = create(JobStateChangedSchema, { state: job.record.job.state, detail });
    await this.store.update(job.record.job, [{ case: 'stateChanged', value }], this.around.nowMs());
  }

  /** Tells the artifact service of a generation. Not within a decision: the service may be slow, and others must not wait. */
  private announce(name: string, generation: number): void {
    const job = this.live.get(name);
    if (!job) return;
    job.fenced = this.fence.advance(name, generation);
    job.fenced.catch((e: unknown) => {
      const failure: JobFailure = { reason: 'ARTIFACT_UNAVAILABLE', fault: 'CLUSTER', message: `the artifact service did not take note of generation ${generation}: ${e instanceof Error ? e.message : String(e)}` };
      this.input(name, { kind: 'CLUSTER_FAILED', failure }).catch((late: unknown) => this.logger.error({ err: late, job: name }, 'a failed fence could not end its job'));
    });
  }

  /** A job that ended without a model must not publish one later, from a member that was cut off or paused. */
  private fenceOff(name: string): void {
    this.store.nextGeneration().then((generation) => this.fence.advance(name, generation))
      .catch((e: unknown) => this.logger.error({ err: e, job: name }, 'the members of an ended job could not be fenced off'));
  }

  private input(name: string, input: JobInput, change?: (job: TrainJob) => TrainJob): Promise<void> {
    return this.serial.run(() => this.apply(name, input, change));
  }

  /** @param change what the input brings for the job as clients see it; applied only if the input moves the job */
  private async apply(name: string, input: JobInput, change: (job: TrainJob) => TrainJob = (job) => job): Promise<void> {
    const job = this.live.get(name);
    if (!job) return;
    const nowMs = this.around.nowMs();
    const result = transition(job.facts, job.state, input, nowMs);
    if (result.kind === 'UNCHANGED') return;
    if (result.kind === 'FENCED') throw new CoordinatorError('FENCED', result.message, { resource: name });
    const moved = result.state.kind !== job.state.kind;
    const next = withState(change(job.record.job), result.state, nowMs);
    const connected = result.state.kind === 'RENDEZVOUS' && result.effects.some((e) => e.kind === 'ASSIGN');
    const events: NewEvent[] = [];
    if (moved) {
      events.push({ case: 'stateChanged', value: create(JobStateChangedSchema, {
        state: next.state, detail: result.detail, ...(next.error && { error: next.error }), ...(result.state.kind === 'SUCCEEDED' && next.result && { result: next.result }),
      }) });
    }
    if (connected && next.generation) events.push({ case: 'generationFormed', value: { $typeName: 'lockstep.coordinator.v1.GenerationFormed', generation: next.generation } });
    if (events.length > 0) await this.store.update(next, events, nowMs);
    job.record = { ...job.record, job: next };
    job.state = result.state;
    this.logger.info({ job: name, state: result.state.kind }, result.detail);
    for (const effect of result.effects) this.carryOut(job, effect);
    if (jobHasEnded(next)) {
      this.live.delete(name);
      if (next.state !== JobStateNumber.SUCCEEDED && next.generation) this.fenceOff(name);
      await this.admitAll();
    }
  }

  private carryOut(job: LiveJob, effect: JobEffect): void {
    const { name, spec } = job.record.job;
    const session = job.sessions.get(effect.worker);
    const generation = job.record.job.generation?.number ?? 0n;
    switch (effect.kind) {
      case 'START_CHILD':
        if (!this.agents.startChild(effect.worker, { job: name, token: job.record.token }, spec?.mathThreads ?? 1)) {
          this.later(() => this.input(name, { kind: 'WORKER_LOST', worker: effect.worker, detail: 'its agent left before it could start its child' }));
        }
        return undefined;
      case 'ASSIGN': {
        const value = create(AssignmentSchema, {
          ...(spec && { spec }), generation: toGeneration(effect.generation, effect.members), rank: effect.rank,
          shardTables: [...job.record.shardTables], artifactAddress: this.settings.artifactAddress,
        });
        return session?.send({ case: 'assignment', value }, generation);
      }
      case 'PROCEED':
        return session?.send({ case: 'proceed', value: { $typeName: 'lockstep.coordinator.v1.Proceed' } }, generation);
      case 'COMMIT_MODEL':
        // Only when older generations are fenced off. A failure has ended the job by then.
        void job.fenced.then(() => session?.send({ case: 'commitModel', value: { $typeName: 'lockstep.coordinator.v1.CommitModel' } }, generation), () => undefined);
        return undefined;
      case 'STOP_CHILD':
        session?.send({ case: 'abort', value: { $typeName: 'lockstep.coordinator.v1.Abort', reason: effect.reason } }, generation);
        session?.close();
        return this.agents.stopChild(effect.worker, { job: name, token: job.record.token }, effect.reason);
    }
  }

  private ended(job: TrainJob, failure: JobFailure): [TrainJob, NewEvent[], number] {
    const nowMs = this.around.nowMs();
    const next = withState(job, { kind: 'FAILED', failure }, nowMs);
    const value = create(JobStateChangedSchema, { state: next.state, detail: failure.message, error: toJobError(failure) });
    return [next, [{ case: 'stateChanged', value }], nowMs];
  }
}

function sameRequest(earlier: JobRecord, spec: TrainJobSpec, requestId: string): TrainJob {
  const bytes = (s: TrainJobSpec | undefined): Uint8Array => (s ? toBinary(TrainJobSpecSchema, s) : new Uint8Array());
  if (sameBytes(bytes(earlier.job.spec), bytes(spec))) return earlier.job;
  throw new CoordinatorError('REQUEST_ID_REUSED', `request_id "${requestId}" made ${earlier.job.name} from another spec: use a new id for a new job`, { resource: earlier.job.name });
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
