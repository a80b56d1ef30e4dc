/**
 * The coordinator: turns what happens (clients, agents, members, time) into inputs of the pure job machine, stores each
 * move together with its events, and then carries out its effects.
 *
 * 1. Decisions are taken one after the other, and stored before anything of them is carried out or answered.
 * 2. Everything that a decision rests on is stored with it: another process goes on where this one ended.
 * 3. All members go through the same points, so any of them tells of the job's progress; each point counts once.
 */
import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  JobCreatedSchema, JobState as JobStateNumber, JobStateChangedSchema, TrainJobSchema,
  type CheckpointWritten, type JobError, type JobResult, type MemberActivity, type MemberFinished, type MemberHello, type ProgressEntry, type TrainJob,
} from '@lockstep/contract';
import { addressOf, admit, barredWorkers, heldWorkers, isStanding, QUEUED, refusalOf, transition, type JobFailure, type JobInput, type JobState } from '@lockstep/membership';
import type { Logger } from '@lockstep/rpc';
import type { AgentRegistry, RunningChild } from './agent-registry';
import { CheckpointBook } from './checkpoint-book';
import { CheckpointCleaner, type CheckpointShelf } from './checkpoint-cleaner';
import { CoordinatorError } from './coordinator-error';
import { JobEffects, type Fence } from './job-effects';
import { eventsOf } from './job-events';
import { jobHasEnded, toJobState, withState, type JobRecord } from './job-record';
import type { JobStore } from './job-store';
import { decodeMachine, encodeMachine, factsOf, fromStoredCall, toResumePoint, withoutPeers, type JobTimeouts, type LiveJob, type MemberSession } from './live-job';
import { ProgressBatch } from './progress-batch';
import { sameBytes, sameRequest } from './same-request';
import { Serial } from './serial';
import { StragglerWatch } from './straggler-watch';
import type { Submission } from './submission';
import { tellAllCommitted } from './tell-committed';
import { whatIsMissing } from './what-is-missing';

/** What a member says that cannot read what the job was to go on from. */
const CHECKPOINT_LOST = 'CHECKPOINT_LOST';

/** Time and identity, as arguments. */
export interface Surroundings {
  nowMs(): number;
  newId(): string;
}

export interface CoordinatorSettings extends JobTimeouts {
  readonly artifactAddress: string;
}

export class Coordinator {
  private readonly live = new Map<string, LiveJob>();
  private readonly serial = new Serial();
  private readonly effects: JobEffects;
  private readonly cleaner: CheckpointCleaner;
  private readonly checkpoints: CheckpointBook;
  private readonly progress: ProgressBatch;
  private leaving = false;

  constructor(
    private readonly store: JobStore,
    readonly agents: AgentRegistry,
    private readonly fence: Fence & CheckpointShelf,
    private readonly settings: CoordinatorSettings,
    private readonly around: Surroundings,
    private readonly logger: Logger,
  ) {
    this.cleaner = new CheckpointCleaner(fence, store, (task) => this.serial.run(task), around, logger);
    this.checkpoints = new CheckpointBook(store, this.cleaner, around);
    this.progress = new ProgressBatch(store, this.serial, (job) => this.live.get(job), around);
    this.effects = new JobEffects({
      agents, fence, newId: () => around.newId(), artifactAddress: settings.artifactAddress,
      input: (job, input) => {
        this.input(job, input).catch((e: unknown) => logger.error({ err: e, job }, 'a consequence could not be stored'));
      },
    });
  }

  /** Takes up what an earlier process left: queued jobs wait again; the members of running ones may come back. */
  async recover(): Promise<void> {
    await this.cleaner.recover();
    for (const record of await this.store.unfinished()) {
      const name = record.job.name;
      const machine = decodeMachine(record.machine);
      const job = this.track(record, machine?.state ?? QUEUED);
      job.committed = machine?.committed;
      job.calls.push(...(await this.store.listCalls(name)).map(fromStoredCall));
      job.checkpoint = (await this.store.listCheckpoints(name)).map(toResumePoint)[0];
      await this.input(name, { kind: 'TAKEN_OVER' });
      if (isStanding(job.state)) this.effects.carryOut(job, { kind: 'FENCE', generation: job.state.generation });
    }
  }

  /** Stores a checked submission, or answers with the job that the same request made before. */
  submit(submission: Submission, requestId: string): Promise<TrainJob> {
    return this.serial.run(async () => {
      const earlier = requestId === '' ? undefined : await this.store.findByRequestId(requestId);
      if (earlier) return sameRequest(earlier, submission.spec, requestId);
      const nowMs = this.around.nowMs();
      const name = `jobs/${this.around.newId()}`;
      const job = create(TrainJobSchema, { name, spec: submission.spec, state: toJobState(QUEUED.kind), createTime: timestampFromMs(nowMs) });
      const record: JobRecord = { job, requestId, token: randomBytes(32), shardTables: submission.shardTables };
      await this.store.insert(record, [{ case: 'created', value: create(JobCreatedSchema, { job }) }], nowMs);
      this.track(record, QUEUED);
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

  /** A worker became free. */
  workersChanged(): Promise<void> {
    return this.serial.run(() => this.admitAll());
  }

  /** An agent came, or came back with the child that it runs. */
  agentAttached(worker: string, child: RunningChild | undefined): Promise<void> {
    return this.serial.run(async () => {
      const held = this.jobOf(worker);
      if (child && child.job !== held) this.agents.stopChild(worker, child.job, `${child.job} goes on without ${worker}, or has ended`);
      // It would be heard of sooner or later: nothing runs there any more, or a start never arrived.
      if (held !== undefined && child?.job !== held) await this.apply(held, { kind: 'WORKER_LOST', worker, detail: 'its agent came back without its child process' });
      // A child that has not joined yet starts still, and has the time that any start has.
      else if (held !== undefined && this.isAwaited(held, worker)) await this.apply(held, { kind: 'WORKER_BACK', worker, generation: 0 });
      await this.admitAll();
    });
  }

  /** A worker's agent is gone, and may come back. @param lost whether it has been silent for too long */
  agentGone(worker: string, detail: string, lost: boolean): Promise<void> {
    return this.serial.run(async () => {
      const job = this.jobOf(worker);
      if (job === undefined || this.leaving) return;
      // A child works on without its agent, as long as it is heard of.
      if (!lost && this.live.get(job)?.sessions.has(worker) === true) return;
      await this.apply(job, { kind: lost ? 'WORKER_LOST' : 'WORKER_ABSENT', worker, detail });
    });
  }

  /** A worker wants to go: its job goes on without it. */
  agentLeaving(worker: string): Promise<void> {
    return this.serial.run(async () => {
      const agent = this.agents.get(worker);
      if (agent) agent.leaving = true;
      const job = this.jobOf(worker);
      if (job !== undefined) await this.apply(job, { kind: 'LEAVING', worker });
    });
  }

  /** The child of a job exited: a loss unless the job had ended. */
  async childExited(worker: string, job: string, child: string, detail: string): Promise<void> {
    const agent = this.agents.get(worker);
    if (!agent || (agent.child && agent.child.child !== child)) return;
    agent.child = undefined;
    if (!this.leaving) await this.input(job, { kind: 'WORKER_LOST', worker, detail });
    await this.workersChanged();
  }

  /** @throws CoordinatorError BAD_TOKEN, NO_SUCH_JOB or FENCED */
  join(hello: MemberHello, generation: number, session: MemberSession): Promise<void> {
    return this.serial.run(async () => {
      const { worker } = hello;
      const job = this.live.get(hello.job);
      if (!job) throw new CoordinatorError('FENCED', `${hello.job} is not running here: ${worker} must stop`, { resource: hello.job });
      if (!sameBytes(job.record.token, hello.token)) throw new CoordinatorError('BAD_TOKEN', `${worker} does not show the token of ${hello.job}`, { resource: hello.job });
      const before = job.sessions.get(worker);
      const refusal = refusalOf(hello.job, job.state, { worker, address: session.address, child: hello.child, rejoins: hello.rejoins }, { running: this.agents.get(worker)?.child?.child, hasSession: before !== undefined });
      if (refusal !== undefined) throw new CoordinatorError('FENCED', refusal, { resource: hello.job });
      const isKnown = addressOf(job.state, worker) !== undefined;
      const isBack = hello.rejoins || this.isAwaited(hello.job, worker);
      job.sessions.set(worker, session);
      before?.close();
      try {
        if (isBack) await this.apply(hello.job, { kind: 'WORKER_BACK', worker, generation });
        if (!isKnown) await this.apply(hello.job, { kind: 'JOINED', worker, address: session.address, fingerprint: hello.fingerprint?.canonical ?? '' });
      } catch (e) {
        if (job.sessions.get(worker) === session) job.sessions.delete(worker);
        throw e;
      }
    });
  }

  /** A member's session ended; its process may come back. @param lost whether it has been silent for too long */
  sessionEnded(session: MemberSession, detail: string, lost: boolean): void {
    const job = this.live.get(session.job);
    if (job?.sessions.get(session.worker) !== session) return;
    job.sessions.delete(session.worker);
    if (this.leaving) return;
    this.input(session.job, { kind: lost ? 'WORKER_LOST' : 'WORKER_ABSENT', worker: session.worker, detail })
      .catch((e: unknown) => this.logger.error({ err: e, job: session.job }, 'the end of a session could not be stored'));
  }

  /** What a member says it does. */
  memberActive({ job, worker }: MemberSession, activity: MemberActivity): void {
    this.live.get(job)?.stragglers.hear(worker, activity, this.around.nowMs());
  }

  /** A job as clients see it at this moment. @throws CoordinatorError NO_SUCH_JOB */
  async show(name: string): Promise<TrainJob> {
    const { job } = await this.require(name);
    const live = this.live.get(name);
    return live ? { ...job, awaited: live.stragglers.awaited(live, this.around.nowMs()) } : job;
  }

  memberReady(session: MemberSession, generation: number): Promise<void> {
    return this.memberInput(session, { kind: 'READY', worker: session.worker, generation });
  }

  memberPrepared(session: MemberSession): Promise<void> {
    return this.memberInput(session, { kind: 'PREPARED', worker: session.worker });
  }

  memberSuspended(session: MemberSession, generation: number, why: string, ranks: readonly number[], joinDeferred: boolean): Promise<void> {
    return this.memberInput(session, { kind: 'SUSPENDED', worker: session.worker, generation, why, ranks, joinDeferred });
  }

  memberFinished(session: MemberSession, { stateDigest, steps, hasModel, report }: MemberFinished): Promise<void> {
    const { worker } = session;
    return this.memberInput(session, { kind: 'FINISHED', report: { worker, stateDigest, steps: Number(steps), hasModel } }, (job) => (
      report ? { ...job, reports: [...job.reports, { ...report, worker }] } : job
    ));
  }

  modelCommitted(session: MemberSession, result: JobResult): Promise<void> {
    return this.memberInput(session, { kind: 'MODEL_COMMITTED', worker: session.worker }, (job) => ({ ...job, result }));
  }

  memberFailed(session: MemberSession, reported: JobError, failure: JobFailure): Promise<void> {
    if (reported.reason === CHECKPOINT_LOST) return this.checkpointLost(session, reported.message);
    return this.memberInput(session, { kind: 'MEMBER_FAILED', worker: session.worker, failure }, (job, state) => (state.kind === 'FAILED' ? { ...job, error: reported } : job));
  }

  /** A member's progress, stored with the job's new position in one transaction. */
  memberProgress(session: MemberSession, entries: readonly ProgressEntry[]): Promise<void> {
    return this.progress.tell(session, entries);
  }

  /** A checkpoint is in the artifact service: from here on the job goes on from it if it has to. */
  memberCheckpoint(session: MemberSession, written: CheckpointWritten): Promise<void> {
    return this.withMember(session, (job) => this.checkpoints.written(job, written));
  }

  /** What the job was to go on from cannot be read: it goes on from the checkpoint before, or from its beginning. */
  private checkpointLost(session: MemberSession, detail: string): Promise<void> {
    return this.withMember(session, async (job) => {
      await this.checkpoints.lost(job);
      await this.apply(session.job, { kind: 'CHECKPOINT_LOST', worker: session.worker, detail });
    });
  }

  /** Deadlines, and whatever could not be stored when it happened. @param silentMs how long the process of each worker has not been heard of */
  async tick(silentMs: ReadonlyMap<string, number>): Promise<void> {
    if (this.leaving) return;
    for (const [name, job] of [...this.live]) await this.serial.run(() => this.tickJob(name, job, silentMs));
    for (const job of this.live.values()) tellAllCommitted(job);
    await this.workersChanged();
  }

  private async tickJob(name: string, job: LiveJob, silentMs: ReadonlyMap<string, number>): Promise<void> {
    for (const worker of heldWorkers(job.state).filter((held) => !job.sessions.has(held))) {
      if (addressOf(job.state, worker) !== undefined) await this.apply(name, { kind: 'WORKER_ABSENT', worker, detail: 'its child process has no session' });
      // An agent that is there knows better how its child ended, and is about to say so.
      const patienceMs = this.agents.get(worker) ? this.settings.suspicionMs / 2 : 0;
      const gone = withoutPeers(job.state, worker, this.around.nowMs() - patienceMs);
      if (gone !== undefined) await this.apply(name, { kind: 'WORKER_LOST', worker, detail: gone });
    }
    await this.apply(name, { kind: 'TICK', silentMs });
    const awaited = job.stragglers.news(job, this.around.nowMs());
    if (awaited.length > 0) await this.store.update(job.record.job, awaited.map((value) => ({ case: 'memberAwaited', value })), this.around.nowMs());
  }

  /** From here on sessions end because this process leaves: that is nobody's loss. */
  leave(): void {
    this.leaving = true;
  }

  close(): void {
    for (const job of this.live.values()) for (const session of job.sessions.values()) session.close();
  }

  /** Whether a worker is taken for away whose child has not joined the job yet. */
  private isAwaited(name: string, worker: string): boolean {
    const state = this.live.get(name)?.state;
    return state !== undefined && 'absences' in state && addressOf(state, worker) === undefined && state.absences.some((one) => one.worker === worker);
  }

  private jobOf(worker: string): string | undefined {
    for (const [name, job] of this.live) if (heldWorkers(job.state).includes(worker)) return name;
    return undefined;
  }

  private track(record: JobRecord, state: JobState): LiveJob {
    const job: LiveJob = {
      record, state, waitsFor: '', fenced: Promise.resolve(), sessions: new Map(), committed: undefined, told: undefined, calls: [], checkpoint: undefined,
      facts: factsOf(record, this.settings), stragglers: new StragglerWatch(), lostOn: new Set(),
    };
    this.live.set(record.job.name, job);
    return job;
  }

  private async admitAll(): Promise<void> {
    if (this.leaving) return;
    const jobs = [...this.live.values()];
    const queued = jobs.filter((j) => j.state.kind === 'QUEUED');
    const nowMs = this.around.nowMs();
    const applicants = queued.map(({ record: { job }, state, lostOn }) => ({ job: job.name, minWorkers: job.spec?.workers?.min ?? 1, maxWorkers: job.spec?.workers?.max ?? 1, barred: barredWorkers(state, nowMs), avoided: [...lostOn] }));
    for (const { job: name, workers } of admit(applicants, this.agents.free())) {
      const { checkpoint, calls } = this.live.get(name) ?? { checkpoint: undefined, calls: [] };
      await this.apply(name, { kind: 'START', workers, calls: { resumed: checkpoint?.calls ?? 0, stored: calls.length } });
    }
    const waiting = queued.filter((job) => job.state.kind === 'QUEUED');
    for (const job of waiting) await this.tellWait(job);
    // Who runs grows only when nobody waits.
    if (waiting.length === 0) for (const job of jobs) await this.growJob(job);
  }

  private async growJob({ record: { job }, state }: LiveJob): Promise<void> {
    if (state.kind !== 'RUNNING') return;
    const room = (job.spec?.workers?.max ?? 1) - heldWorkers(state).length;
    const barred = barredWorkers(state, this.around.nowMs());
    const free = this.agents.free().filter((worker) => !barred.includes(worker));
    if (room > 0 && free.length > 0) await this.apply(job.name, { kind: 'GROW', workers: free.slice(0, room) });
  }

  /** A queued job says whom it waits for, whenever that changes. */
  private async tellWait(job: LiveJob): Promise<void> {
    const detail = whatIsMissing(job, this.agents, this.around.nowMs());
    if (detail === job.waitsFor) return;
    const value = create(JobStateChangedSchema, { state: job.record.job.state, detail });
    await this.store.update(job.record.job, [{ case: 'stateChanged', value }], this.around.nowMs());
    job.waitsFor = detail;
  }

  /** A job that ended without a model must not publish one later, from a member that was cut off or paused. */
  private fenceOff(name: string, generation: number): Promise<void> {
    const fenced = this.fence.advance(name, generation);
    fenced.catch((e: unknown) => this.logger.error({ err: e, job: name }, 'the members of an ended job could not be fenced off'));
    return fenced;
  }

  private input(name: string, input: JobInput): Promise<void> {
    return this.serial.run(() => this.apply(name, input));
  }

  private memberInput(session: MemberSession, input: JobInput, change?: ChangeOfJob): Promise<void> {
    return this.withMember(session, () => this.apply(session.job, input, change));
  }

  /** Does what a member asks for, unless its job has ended. @throws CoordinatorError FENCED when the worker's session is another by now, or over */
  private withMember(session: MemberSession, task: (job: LiveJob) => Promise<void>): Promise<void> {
    return this.serial.run(async () => {
      const job = this.live.get(session.job);
      if (!job) return;
      if (job.sessions.get(session.worker) !== session) throw new CoordinatorError('FENCED', `${session.worker} speaks in a session of ${session.job} that is over`, { resource: session.job });
      await task(job);
    });
  }

  /** @param change what the input brings for the job as clients see it; applied only if the input moves the job */
  private async apply(name: string, input: JobInput, change: ChangeOfJob = (job) => job): Promise<void> {
    const job = this.live.get(name);
    if (!job) return;
    const nowMs = this.around.nowMs();
    const result = transition(job.facts, job.state, input, nowMs);
    if (result.kind === 'UNCHANGED') return;
    if (result.kind === 'FENCED') throw new CoordinatorError('FENCED', result.message, { resource: name });
    const { state, effects, notices, detail } = result;
    const next = withState(change(job.record.job, state), state, nowMs);
    const formed = state.kind === 'CONNECTING' && effects.some(({ kind }) => kind === 'ASSIGN');
    const events = eventsOf(job.record.job, next, state, notices, formed, detail);
    await this.store.update(next, events, nowMs, { machine: encodeMachine(state, job.committed) });
    const generation = isStanding(job.state) ? job.state.generation : 0;
    for (const notice of notices) if (notice.kind === 'MEMBER_LOST') job.lostOn.add(notice.worker);
    job.record = { ...job.record, job: next };
    job.state = state;
    this.logger.info({ job: name, state: state.kind }, detail);
    for (const effect of effects) this.effects.carryOut(job, effect);
    if (jobHasEnded(next)) {
      this.live.delete(name);
      if (next.state === JobStateNumber.SUCCEEDED) this.cleaner.succeeded(next);
      else await this.cleaner.ended(name, generation > 0 ? this.fenceOff(name, generation + 1) : Promise.resolve());
      await this.admitAll();
    }
  }
}

type ChangeOfJob = (job: TrainJob, state: JobState) => TrainJob;
