/**
 * The process that runs a job's module on one worker: session, exchange and compute, as services/worker/src/child puts them
 * together. The elastic collective's courses are followed in virtual time here: at each wait the compute thread is "blocked"
 * until its answer comes, while the session goes on.
 */
import { ElasticCollective, type Membership } from '@lockstep/membership';
import { CollectiveError, LocalCollective, type Collective } from '@lockstep/reduction';
import type { Witness } from '../checks/witness';
import { VirtualExchange, type AddressBook } from '../exchange/virtual-exchange';
import { VirtualGroup, type Answer, type GroupSettings } from '../exchange/virtual-group';
import type { PeerMessage } from '../exchange/peer-message';
import type { Plans } from '../exchange/plans';
import type { Port } from '../world/connection';
import type { Network } from '../world/network';
import type { SimProcess } from '../world/sim-process';
import type { CallOutcome, UnaryService } from '../world/unary-service';
import { decodeState, digestOf } from '../workload/training-state';
import type { WorkloadData } from '../workload/rows';
import type { Workload } from '../workload/workload';
import type { ArtifactAnswer, ArtifactRequest } from './artifact-service';
import type { PlantedBug } from './bugs';
import { CheckpointWriter } from './checkpoint-writer';
import { MemberSession } from './member-session';
import type { Assignment, MemberCommand, MemberMessage, ProgressEntry } from './messages';
import { joinProgress } from './handed-state';
import { ModuleRun, type Entrance, type ModuleCourse, type ModuleWait } from './module-run';

/** How long survivors hold while nobody tells them how to go on. */
const HOLD_MS = 10 * 60_000;
/** How long the compute thread may take to notice that its part is over. */
const END_WITHIN_MS = 3000;
/** How long the word of a failure may take to arrive before the process exits. */
const FAREWELL_MS = 2000;
/** Peers that wait for a member notice first that it hangs; one that is alone has only itself. */
const OWN_PATIENCE = 1.5;
/** Steps are told of at most this often. */
const STEP_INTERVAL_MS = 200;

export interface MemberParts {
  readonly process: SimProcess;
  readonly network: Network;
  readonly job: string;
  readonly worker: string;
  readonly child: string;
  readonly address: string;
  readonly exchangePort: Port<PeerMessage, PeerMessage>;
  readonly addresses: AddressBook;
  readonly coordinator: Port<MemberMessage, MemberCommand>;
  readonly artifacts: UnaryService<ArtifactRequest, ArtifactAnswer>;
  readonly workload: Workload;
  readonly data: WorkloadData;
  readonly plans: Plans;
  readonly settings: GroupSettings;
  readonly slowness: number;
  readonly bug: PlantedBug | undefined;
  readonly witness: Witness;
}

/** What a course of the compute thread is followed to. */
type Resume = () => IteratorResult<ModuleWait, void>;

export class Member implements Membership {
  private readonly session: MemberSession;
  private readonly exchange: VirtualExchange;
  private readonly collective: ElasticCollective;
  private module: ModuleRun | undefined;
  private course: ModuleCourse<void> | undefined;
  private current: Assignment | undefined;
  private waiting: Assignment | undefined;
  private formed = 0;
  /** Whether the group that was formed last first ends what it is doing. */
  private waitsForBoundary = false;
  /** Answers the FORM that the compute thread waits in. */
  private forming: (() => void) | undefined;
  private hung = false;
  private errand: 'MODULE' | 'NONE' | 'FORMING' | 'BUSY' = 'MODULE';
  private commitFor: number | undefined;
  private readonly checkpoints: CheckpointWriter;
  private pending: ProgressEntry[] = [];
  private lastFlushMs = -Infinity;
  private over: string | undefined;

  constructor(private readonly parts: MemberParts) {
    const { process, network, job, artifacts, worker, child, address, coordinator, workload, settings, exchangePort, addresses, plans } = parts;
    this.session = new MemberSession({
      process, network, port: coordinator, hello: { worker, child, address },
      obey: (command) => this.obey(command), onEnded: (why) => this.endPart(why),
    });
    this.exchange = new VirtualExchange(process, exchangePort, addresses, plans, settings);
    this.collective = new ElasticCollective(workload.replicas, this);
    this.checkpoints = new CheckpointWriter({
      process, job, artifacts, workload,
      written: (checkpoint) => {
        this.flush();
        this.session.state({ kind: 'checkpoint', checkpoint });
      },
    });
  }

  start(): void {
    this.session.connect();
  }

  /** Its compute thread never goes on; its session does, and finds it out if nobody else does. */
  hang(): void {
    if (this.hung) return;
    this.hung = true;
    const { process, settings, worker } = this.parts;
    process.after(settings.timeoutMs * OWN_PATIENCE, () => {
      if (this.over !== undefined) return;
      this.session.state({ kind: 'failed', failure: { reason: 'COMPUTE_STALLED', fault: 'WORKER', worker, message: 'the compute thread has not come to its next step: it hangs' } });
      process.after(500, () => this.endPart('the compute thread hangs'));
    });
  }

  get announced(): boolean {
    return this.waitsForBoundary;
  }

  get changed(): boolean {
    return this.session.newestGeneration > this.formed;
  }

  form(): never {
    throw new Error('in virtual time a group is waited for: FORM');
  }

  equal(): void {
    this.session.state({ kind: 'ready', generation: this.formed });
  }

  private obey(command: MemberCommand): void {
    switch (command.kind) {
      case 'ASSIGNMENT':
        this.waitsForBoundary = command.assignment.atBoundary;
        if (!this.waitsForBoundary) this.exchange.supersede(command.assignment.generation);
        this.waiting = command.assignment;
        if (!this.module) this.enter(command.assignment);
        else this.forming?.();
        this.attend();
        return;
      case 'PREPARE':
        if (!this.module) this.run({ kind: 'JOIN', calls: command.calls, prepared: () => this.session.state({ kind: 'prepared' }) });
        return;
      case 'RELEASE':
        this.waitsForBoundary = true;
        this.attend();
        return;
      case 'COMMIT_MODEL':
        this.commitFor = command.generation;
        this.attend();
        return;
      case 'COMMITTED':
      case 'ABORT':
        return;
    }
  }

  /** Starts with the job: forms the first group, and goes on from the checkpoint if there is one. */
  private enter({ generation, checkpoint }: Assignment): void {
    this.module = this.make({ kind: 'START', resume: undefined });
    this.follow(this.collective.starting(), () => {
      this.parts.witness.resumes(this.parts.worker, generation, checkpoint);
      if (checkpoint === '') return this.run({ kind: 'START', resume: undefined });
      return this.parts.artifacts.call(this.parts.process, { kind: 'READ', version: checkpoint }, (outcome) => {
        if (outcome.kind === 'ANSWERED' && outcome.answer.kind === 'CONTENT') this.run({ kind: 'START', resume: decodeState(outcome.answer.content) });
        else this.broke(new Error(`the checkpoint ${checkpoint} could not be read: ${described(outcome)}`));
      });
    });
  }

  private run(entrance: Entrance): void {
    const module = this.make(entrance);
    this.module = module;
    this.collective.provideState({
      get exact() { return module.exact; },
      take: () => {
        this.parts.witness.moment(this.parts.worker, 'RESYNC');
        this.flush();
        return joinProgress(module.state(), this.session.open);
      },
      check: (bytes, digest) => {
        if (digestOf(bytes) !== digest) throw new Error('the state that was handed over does not have its digest');
      },
    });
    this.follow(module.run(), () => this.checkpoints.whenIdle(() => this.finished(module)));
  }

  private make(entrance: Entrance): ModuleRun {
    const { workload, data, bug, slowness, witness, worker } = this.parts;
    return new ModuleRun({
      workload, data, bug, slowness, entrance, collective: this.collective,
      tell: (entry) => this.tell(entry), handed: (entries) => this.session.tell(entries), stepDone: (at) => this.stepDone(at), moment: (moment) => witness.moment(worker, moment),
    });
  }

  /** Follows a course to its end, an answer at a time. */
  private follow(course: ModuleCourse<void>, done: () => void): void {
    this.course = course;
    const go = (resume: Resume): void => {
      if (this.hung || !this.parts.process.alive || this.course !== course) return;
      let next: IteratorResult<ModuleWait, void>;
      try {
        next = resume();
      } catch (e) {
        this.broke(e);
        return;
      }
      if (next.done) done();
      else this.perform(next.value, (value) => go(() => course.next(value)), (error) => go(() => course.throw(error)));
    };
    go(() => course.next());
  }

  private perform(wait: ModuleWait, answer: (value: Collective | Float32Array | undefined) => void, fail: (error: unknown) => void): void {
    const settle = <T extends Collective | Float32Array | undefined>(outcome: Answer<T>): void => {
      if (outcome.kind === 'DONE') answer(outcome.value);
      else fail(outcome.error);
    };
    switch (wait.kind) {
      case 'COMPUTE':
        return this.parts.process.after(wait.durationMs, () => answer(undefined));
      case 'FORM':
        return this.performForm(wait.why, answer, fail);
      case 'AGREE':
        if (wait.inner instanceof VirtualGroup) return wait.inner.askAgree(wait.position, wait.claim, settle);
        wait.inner.agree(wait.position, wait.claim);
        return answer(undefined);
      case 'SUMS':
        if (wait.inner instanceof VirtualGroup) return wait.inner.askSums(wait.bucket, (outcome) => settle(this.spoiled(wait.inner, outcome)));
        return answer(wait.inner.wait(wait.bucket));
    }
  }

  /** With its bug planted, what a joiner has not been handed whole is taken for handed over. */
  private spoiled(inner: Collective, outcome: Answer<Float32Array>): Answer<Float32Array> {
    if (this.parts.bug !== 'STATE_OF_A_DYING_PEER' || outcome.kind === 'DONE' || !(inner instanceof VirtualGroup)) return outcome;
    const partial = this.module?.isJoining === true ? inner.partialCopy() : undefined;
    return partial ? { kind: 'DONE', value: partial } : outcome;
  }

  private performForm(why: CollectiveError | undefined, answer: (value: Collective) => void, fail: (error: unknown) => void): void {
    const { process, worker, witness } = this.parts;
    if (why && this.current && !this.changed) {
      this.session.state({ kind: 'suspended', generation: this.formed, why: why.message, ranks: why.details.indirect === true ? [] : why.details.ranks ?? [], joinDeferred: why.reason === 'JOIN_DEFERRED' });
      witness.trace(worker, `holds: ${why.reason} ${why.message}`);
    }
    const take = (): void => {
      if (this.over !== undefined) {
        this.forming = undefined;
        return fail(new CollectiveError('OVER', this.over));
      }
      const { waiting } = this;
      if (!waiting) return undefined;
      this.forming = undefined;
      this.waiting = undefined;
      this.current = waiting;
      this.formed = waiting.generation;
      witness.moment(worker, 'FORMING');
      const { generation, rank, members, replicas } = waiting;
      if (members.length === 1) return answer(new LocalCollective(replicas));
      return this.exchange.form({ generation, rank, members, replicas }, (outcome) => {
        if (outcome.kind === 'DONE') answer(outcome.value);
        else fail(outcome.error);
      });
    };
    this.forming = take;
    process.after(HOLD_MS, () => {
      if (this.forming !== take) return;
      this.forming = undefined;
      fail(new CollectiveError('OVER', `no generation after ${this.formed} was assigned within ${HOLD_MS / 1000} s`));
    });
    take();
  }

  private tell(entry: ProgressEntry): void {
    const { process, witness, worker } = this.parts;
    witness.told(worker, entry);
    this.pending.push(entry);
    if (entry.point.kind !== 'STEP' || process.nowMs() - this.lastFlushMs >= STEP_INTERVAL_MS) this.flush();
  }

  private flush(): void {
    const entries = this.pending;
    this.pending = [];
    if (entries.length === 0) return;
    this.lastFlushMs = this.parts.process.nowMs();
    this.session.tell(entries);
  }

  private stepDone(module: ModuleRun): void {
    const { witness, worker } = this.parts;
    const begun = this.checkpoints.stepDone(this.current?.rank === 0, { generation: this.formed, steps: module.books.steps, calls: module.finishedCalls, state: () => module.state() });
    if (begun) witness.moment(worker, 'CHECKPOINT');
  }

  private finished(module: ModuleRun): void {
    const { worker, witness } = this.parts;
    this.flush();
    const { digest } = module.state();
    witness.finished(worker, digest, module.books.steps, this.current === undefined);
    witness.moment(worker, 'FINISHED');
    this.session.state({ kind: 'finished', report: { worker, stateDigest: digest, steps: module.books.steps, hasModel: module.exported !== undefined } });
    this.errand = 'NONE';
    this.attend();
  }

  /** Others may still work and need this member, or it is to commit: until the coordinator ends the job. */
  private attend(): void {
    if (this.errand === 'FORMING' && this.commitFor !== undefined) {
      // All have finished: nobody needs the generation that this member waits for.
      this.course = undefined;
      this.forming = undefined;
      this.errand = 'NONE';
    }
    if (this.errand !== 'NONE') return;
    if (this.waiting) {
      this.errand = 'FORMING';
      this.follow(this.collective.attending(), () => {
        this.errand = 'NONE';
        this.attend();
      });
      return;
    }
    if (this.commitFor !== undefined) {
      const generation = this.commitFor;
      this.commitFor = undefined;
      this.errand = 'BUSY';
      this.commit(generation);
    }
  }

  private commit(generation: number): void {
    const { job, process, artifacts, witness, worker } = this.parts;
    const digest = this.module?.exported ?? '';
    witness.moment(worker, 'COMMITTING');
    artifacts.call(process, { kind: 'COMMIT', artifact: 'model', digest, content: Buffer.from(digest), fence: { job, generation }, requestId: `${worker} ${this.parts.child} ${generation}` }, (outcome) => {
      if (outcome.kind === 'ANSWERED' && outcome.answer.kind === 'VERSION') this.session.state({ kind: 'modelCommitted', digest });
      // A newer generation is there: whoever commits in it is told so.
      else if (outcome.kind === 'UNAVAILABLE' || outcome.answer.kind !== 'REFUSED' || outcome.answer.reason !== 'FENCED') {
        this.session.state({ kind: 'failed', failure: { reason: 'ARTIFACT_UNAVAILABLE', fault: 'CLUSTER', worker, message: `the model could not be committed: ${described(outcome)}` } });
        process.after(FAREWELL_MS, () => this.exit('its model could not be committed'));
        return;
      }
      this.errand = 'NONE';
      this.attend();
    });
  }

  private endPart(why: string): void {
    this.over = why;
    this.exchange.abort(why);
    // A compute thread that hangs is not asked.
    this.parts.process.after(this.hung ? END_WITHIN_MS : 5, () => this.exit(why));
    this.forming?.();
  }

  private broke(error: unknown): void {
    const { process, worker, witness } = this.parts;
    if (this.over !== undefined || (error instanceof CollectiveError && error.reason === 'OVER')) {
      process.after(1, () => this.exit(error instanceof Error ? error.message : String(error)));
      return;
    }
    witness.broke(worker, error);
    const message = error instanceof Error ? error.message : String(error);
    this.session.state({ kind: 'failed', failure: { reason: error instanceof CollectiveError ? error.reason : 'MODULE_THREW', fault: error instanceof CollectiveError && error.reason !== 'CALL_MISMATCH' ? 'WORKER' : 'MODULE', worker, message } });
    process.after(FAREWELL_MS, () => this.exit(message));
  }

  private exit(why: string): void {
    if (!this.parts.process.alive) return;
    this.parts.witness.trace(this.parts.worker, `exits: ${why}`);
    this.session.close();
    this.parts.process.kill();
  }
}

const described = (outcome: CallOutcome<ArtifactAnswer>): string =>
  (outcome.kind === 'UNAVAILABLE' ? outcome.why : outcome.answer.kind === 'REFUSED' ? outcome.answer.message : outcome.answer.kind);

