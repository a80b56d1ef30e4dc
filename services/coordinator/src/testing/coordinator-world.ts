import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AgentRegisterSchema, CheckpointWrittenSchema, JobResultSchema, JobState, MemberFinishedSchema, MemberHelloSchema, MetricValueSchema, ProgressEntrySchema, StepsCommittedSchema, TrainJobSpecSchema, WorkerCountSchema,
  type AgentCommand, type JobEvent, type MemberCommand, type ProgressEntry, type TrainJob,
} from '@lockstep/contract';
import { toProgressPoint } from '@lockstep/client';
import { createLogger } from '@lockstep/rpc';
import { AgentRegistry, type Agent, type RunningChild } from '../agent-registry';
import { Coordinator } from '../coordinator';
import type { JobUpdate } from '../job-store';
import type { MemberSession } from '../live-job';
import { resolveSpec } from '../resolve-spec';
import { MemoryJobStore } from './memory-job-store';

/** Waits of the coordinator under test; milliseconds. */
export const SETTINGS = {
  artifactAddress: 'artifact:1', rendezvousTimeoutMs: 60_000, exportTimeoutMs: 600_000, prepareTimeoutMs: 30_000, absenceMs: 3000, suspicionMs: 1500, joinRetryMs: 1000,
};

/** A store that refuses every change while it is told to, as one does whose disk is full. */
export class RefusingJobStore extends MemoryJobStore {
  refuses = false;

  override updateAll(updates: readonly JobUpdate[], nowMs: number): Promise<void> {
    return this.refuses ? Promise.reject(new Error('the disk is full')) : super.updateAll(updates, nowMs);
  }
}

/** A member's process as the coordinator sees it: what it says, and what it is told. */
export class FakeMember {
  /** In order: `assignment`, `commitModel`, ... */
  readonly commands: { readonly command: MemberCommand['command']; readonly generation: bigint }[] = [];
  closed = false;
  readonly session: MemberSession;

  constructor(readonly job: string, readonly worker: string, readonly child: string, address: string) {
    this.session = {
      job, worker, address,
      send: (command, generation) => void this.commands.push({ command, generation }),
      close: () => { this.closed = true; },
    };
  }

  get told(): readonly string[] {
    return this.commands.map(({ command }) => command.case ?? 'nothing');
  }

  /** The last assignment, with its generation's number. */
  get assignment() {
    const last = this.commands.findLast(({ command }) => command.case === 'assignment');
    if (last?.command.case !== 'assignment') throw new Error(`${this.worker} was assigned to nothing`);
    return { ...last.command.value, number: Number(last.generation) };
  }

  /** The same process in another session. */
  again(): FakeMember {
    return new FakeMember(this.job, this.worker, this.child, this.session.address);
  }
}

/** A coordinator with a store in memory, a clock that is set by hand, agents and members. */
export class CoordinatorWorld {
  /** Generations that the artifact service was told of, as `jobs/x@1`. */
  readonly fences: string[] = [];
  /** What the artifact service answers. */
  fenceAnswer: () => Promise<void> = () => Promise.resolve();
  /** Which checkpoints the artifact service was told to keep: `jobs/x: artifacts/c/versions/2 ...`. */
  readonly retained: string[] = [];
  retainAnswer: () => Promise<void> = () => Promise.resolve();
  readonly clock = { nowMs: 1_000_000 };
  agents = new AgentRegistry();
  coordinator: Coordinator;
  private readonly agentCommands = new Map<string, AgentCommand[]>();
  private ids = 0;
  private ports = 0;

  constructor(readonly store = new RefusingJobStore()) {
    this.coordinator = this.newCoordinator();
  }

  /** Another process takes the jobs over: all sessions are gone. */
  async restart(): Promise<void> {
    this.coordinator.leave();
    this.agents = new AgentRegistry();
    this.coordinator = this.newCoordinator();
    await this.coordinator.recover();
  }

  /** An agent attaches, as its session does. */
  async attach(worker: string, child?: RunningChild): Promise<Agent> {
    const agent = this.agents.attach(create(AgentRegisterSchema, { worker, host: 'h', pid: 1, ...(child && { child }) }), this.clock.nowMs);
    if (!agent) throw new Error(`${worker} is taken`);
    const commands: AgentCommand[] = [];
    this.agentCommands.set(worker, commands);
    void (async () => { for await (const command of agent.commands) commands.push(command); })();
    await this.coordinator.agentAttached(worker, agent.child);
    return agent;
  }

  /** What an agent was told since it attached: `startChild jobs/x`. */
  async toldAgent(worker: string): Promise<readonly string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return (this.agentCommands.get(worker) ?? []).map(({ command }) => (command.case === 'startChild' || command.case === 'stopChild' ? `${command.case} ${command.value.job}` : command.case ?? 'nothing'));
  }

  /** Its child has exited: it may take another. */
  async exited(worker: string, detail = 'its child process was ended by SIGKILL'): Promise<void> {
    const child = this.agents.get(worker)?.child;
    if (child) await this.coordinator.childExited(worker, child.job, child.child, detail);
  }

  submit(min: number, spec: MessageInitShape<typeof TrainJobSpecSchema> = {}, requestId = ''): Promise<TrainJob> {
    const resolution = resolveSpec(create(TrainJobSpecSchema, { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/1'], output: 'artifacts/o', workers: create(WorkerCountSchema, { min }), ...spec }));
    if (resolution.kind !== 'RESOLVED') throw new Error(resolution.violations.map((v) => `${v.field} ${v.description}`).join('; '));
    return this.coordinator.submit({ spec: resolution.spec, shardTables: [] }, requestId);
  }

  /** The process that the agent was told to start says hello. */
  async join(job: string, worker: string, { token, child, fingerprint = 'f' }: { readonly token?: Uint8Array; readonly child?: string; readonly fingerprint?: string } = {}): Promise<FakeMember> {
    const member = new FakeMember(job, worker, child ?? this.agents.get(worker)?.child?.child ?? 'c', `${worker}:${++this.ports}`);
    await this.hello(member, false, 0, fingerprint, token);
    return member;
  }

  /** The same process says hello in a new session. @param generation the one that it believes in */
  async rejoin(before: FakeMember, generation: number): Promise<FakeMember> {
    const member = before.again();
    await this.hello(member, true, generation, 'f');
    return member;
  }

  /** Attaches workers, starts a job on them, and lets it run. */
  async run(workers: readonly string[], spec: MessageInitShape<typeof TrainJobSpecSchema> = {}): Promise<{ readonly name: string; readonly members: readonly FakeMember[] }> {
    for (const worker of workers) await this.attach(worker);
    const { name } = await this.submit(workers.length, { workers: create(WorkerCountSchema, { min: 1, max: workers.length }), ...spec });
    const members: FakeMember[] = [];
    for (const worker of workers) members.push(await this.join(name, worker));
    await this.ready(members);
    return { name, members };
  }

  /** A member's session ends. @param silent because it was not heard of for too long */
  async ended({ session }: FakeMember, detail = 'the session of its child process ended', silent = false): Promise<void> {
    this.coordinator.sessionEnded(session, detail, silent);
    await this.coordinator.workersChanged(); // in its turn
  }

  /** An agent's session ends. */
  async detached(worker: string, detail = 'its agent is gone', silent = false): Promise<void> {
    const agent = this.agents.get(worker);
    if (agent) this.agents.detach(agent);
    await this.coordinator.agentGone(worker, detail, silent);
  }

  /** All say that they are connected in the generation that they were assigned to last. */
  async ready(members: readonly FakeMember[]): Promise<void> {
    for (const member of members) await this.coordinator.memberReady(member.session, member.assignment.number);
  }

  finish(member: FakeMember, { digest = 'd', steps = 3n, hasModel = true, computations = 1n }: { readonly digest?: string; readonly steps?: bigint; readonly hasModel?: boolean; readonly computations?: bigint } = {}): Promise<void> {
    return this.coordinator.memberFinished(member.session, create(MemberFinishedSchema, { stateDigest: digest, steps, hasModel, report: { replicaComputations: computations } }));
  }

  commit(member: FakeMember): Promise<void> {
    return this.coordinator.modelCommitted(member.session, create(JobResultSchema, { model: 'artifacts/o/versions/1', modelDigest: 'm', stateDigest: 'd', steps: 3n }));
  }

  /** @param call the one in which it was taken */
  checkpoint(member: FakeMember, steps: number, version = `artifacts/c/versions/${steps}`, call = 0): Promise<void> {
    return this.coordinator.memberCheckpoint(member.session, create(CheckpointWrittenSchema, { version, stateDigest: `s${steps}`, steps: BigInt(steps), position: { call } }));
  }

  /** Time passes, and the coordinator looks at its deadlines. */
  async pass(ms: number, silentMs: ReadonlyMap<string, number> = new Map()): Promise<void> {
    this.clock.nowMs += ms;
    await this.coordinator.tick(silentMs);
  }

  async job(name: string): Promise<TrainJob> {
    return (await this.coordinator.require(name)).job;
  }

  async state(name: string): Promise<string | undefined> {
    return JobState[(await this.job(name)).state];
  }

  async events(name: string): Promise<readonly JobEvent['event'][]> {
    return (await this.store.readEvents(name, 0n, 1000)).map((e) => e.event);
  }

  private newCoordinator(): Coordinator {
    const advance = (job: string, generation: number): Promise<void> => {
      this.fences.push(`${job}@${generation}`);
      return this.fenceAnswer();
    };
    const retain = (job: string, kept: readonly string[]): Promise<void> => {
      this.retained.push(`${job}: ${kept.join(' ')}`);
      return this.retainAnswer();
    };
    return new Coordinator(this.store, this.agents, { advance, retain }, SETTINGS, { nowMs: () => this.clock.nowMs, newId: () => `id${++this.ids}` }, createLogger('test', 'silent'));
  }

  private async hello({ job, worker, child, session }: FakeMember, rejoins: boolean, generation: number, canonical: string, token?: Uint8Array): Promise<void> {
    const shown = token ?? (await this.store.get(job))?.token ?? new Uint8Array();
    await this.coordinator.join(create(MemberHelloSchema, { job, worker, token: shown, exchangeAddress: session.address, fingerprint: { canonical }, rejoins, child }), generation, session);
  }
}

/** What a step consumes, by its number: four of them pass 2^64. */
const visitsOf = (number: number): { readonly records: bigint; readonly sum: bigint } => ({ records: 8n, sum: 2n ** 62n + BigInt(number) });

/** A step of the first epoch of a call, as members tell of it. */
export const step = (number: number, call = 0): ProgressEntry => create(ProgressEntrySchema, {
  point: toProgressPoint({ kind: 'STEP', call, epoch: 0, step: number }),
  entry: { case: 'step', value: create(StepsCommittedSchema, { position: { call, step: number }, steps: 1, rows: 8n, ledger: visitsOf(number), metrics: [create(MetricValueSchema, { name: 'loss', value: 1 / (1 + number) })] }) },
});

/** The end of a call, as members tell of it. */
export const callEnded = (call: number, resultJson = '1'): ProgressEntry => create(ProgressEntrySchema, {
  point: toProgressPoint({ kind: 'CALL_ENDED', call, epoch: 0, step: 0 }),
  entry: { case: 'callEnded', value: { $typeName: 'lockstep.coordinator.v1.FinishedCall', number: call, kind: 'fit', label: 'fit()', digest: `d${call}`, resultJson } },
});
