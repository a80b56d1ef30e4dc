/** The processes of a run, on their hosts: what starts, dies and comes back. */
import { ARTIFACT_HOST, coordinatorHost, workerHost, type Plan } from '../plan';
import type { Witness } from '../checks/witness';
import type { Victims } from '../faults/injector';
import type { PeerMessage } from '../exchange/peer-message';
import { Plans } from '../exchange/plans';
import { Port } from '../world/connection';
import { DurableStore } from '../world/durable-store';
import { Network } from '../world/network';
import { Random } from '../world/random';
import { SimProcess } from '../world/sim-process';
import { UnaryService } from '../world/unary-service';
import type { VirtualTime } from '../world/virtual-time';
import { WorkloadData } from '../workload/rows';
import { Agent } from './agent';
import { ArtifactService, type ArtifactAnswer, type ArtifactRequest } from './artifact-service';
import type { PlantedBug } from './bugs';
import { Coordinator } from './coordinator';
import { Member } from './member';
import type { AgentCommand, AgentMessage, MemberCommand, MemberMessage } from './messages';
import { EMPTY_JOB, type StoredJob } from './stored-job';

/** How long a supervised service that ended takes to run again. */
const RESTART_MS = 400;

interface Worker {
  agent: Agent | undefined;
  process: SimProcess | undefined;
  member: Member | undefined;
}

export class Cluster implements Victims {
  readonly network: Network;
  readonly store: DurableStore<StoredJob>;
  readonly artifactService: ArtifactService;
  readonly workers: number;
  private readonly random: Random;
  private readonly agentPort: Port<AgentMessage, AgentCommand>;
  private readonly memberPort: Port<MemberMessage, MemberCommand>;
  private readonly artifacts: UnaryService<ArtifactRequest, ArtifactAnswer>;
  private readonly addresses = new Map<string, Port<PeerMessage, PeerMessage>>();
  private readonly plans = new Plans();
  private readonly data: WorkloadData;
  private readonly pool: readonly Worker[];
  private readonly coordinators: (SimProcess | undefined)[];
  private artifactProcess: SimProcess | undefined;
  private readonly children = new Map<SimProcess, string>();
  private readonly processes = new Set<SimProcess>();
  /** How far a host's clock was set, by host. */
  private readonly jumpsMs = new Map<string, number>();
  private names = 0;
  private closing = false;

  constructor(readonly time: VirtualTime, private readonly plan: Plan, private readonly bug: PlantedBug | undefined, private readonly witness: Witness) {
    const { seed } = plan;
    this.random = new Random(seed, 'cluster');
    this.network = new Network(time, new Random(seed, 'network'), plan.network);
    this.store = new DurableStore(EMPTY_JOB, new Random(seed, 'store'), plan.store, true);
    this.artifactService = new ArtifactService(new Random(seed, 'artifact'), plan.artifactLatencyMs, bug !== 'MISSING_FENCE');
    this.agentPort = new Port(this.network);
    this.memberPort = new Port(this.network);
    this.artifacts = new UnaryService(this.network, new Random(seed, 'calls'));
    this.data = new WorkloadData(plan.workload);
    this.workers = plan.arrivalsMs.length;
    this.pool = plan.arrivalsMs.map(() => ({ agent: undefined, process: undefined, member: undefined }));
    this.coordinators = Array.from({ length: plan.coordinators }, () => undefined);
  }

  start(): void {
    this.startArtifactService();
    this.coordinators.forEach((_, i) => this.startCoordinator(i));
    this.plan.arrivalsMs.forEach((ms, worker) => this.time.at(ms, () => this.startAgent(worker)));
  }

  /** Nothing is started again from here on. */
  close(): void {
    this.closing = true;
  }

  /** Processes of the job that live, by name. */
  get ghosts(): readonly string[] {
    return [...this.children].filter(([process]) => process.alive).map(([, name]) => name);
  }

  workerHosts(worker: number): string {
    return workerHost(worker);
  }

  numberOf(worker: string): number {
    return Number(worker.slice('workers/w'.length));
  }

  crashChild(worker: number): void {
    this.pool[worker]?.agent?.childProcess?.kill();
  }

  crashAgent(worker: number, backMs: number): void {
    this.end(worker, 'PROCESS', backMs);
  }

  crashMachine(worker: number, backMs: number | undefined): void {
    this.end(worker, 'MACHINE', backMs);
  }

  crashAll(backMs: number): void {
    this.pool.forEach((_, worker) => this.end(worker, 'MACHINE', backMs * (1 + this.random.unit())));
  }

  pause(worker: number, what: 'CHILD' | 'AGENT' | 'MACHINE'): () => void {
    const { agent, process } = this.pool[worker] ?? {};
    const paused = [...(what === 'AGENT' ? [] : [agent?.childProcess]), ...(what === 'CHILD' ? [] : [process])];
    for (const one of paused) one?.pause();
    return () => {
      for (const one of paused) one?.resume();
    };
  }

  hang(worker: number): void {
    this.pool[worker]?.member?.hang();
  }

  leave(worker: number, backMs: number): void {
    const { agent, process } = this.pool[worker] ?? {};
    if (!agent || !process?.alive) return;
    process.run(() => agent.leave());
    process.onDeath(() => this.time.after(backMs, () => this.startAgent(worker)));
  }

  disk(errorChance: number, slownessMs: number): void {
    this.store.errorChance = errorChance;
    this.store.slownessMs = slownessMs;
  }

  crashCoordinator(backMs: number): void {
    const found = this.coordinators.findIndex((process) => process?.alive);
    if (found < 0) return;
    // Whether its lease is given up or expires.
    if (this.random.chance(0.5)) this.time.after(1, () => this.store.free());
    this.coordinators[found]?.kill();
    this.time.after(backMs, () => this.startCoordinator(found));
  }

  pauseCoordinator(): () => void {
    const found = this.coordinators.find((process) => process?.alive === true && !process.paused);
    found?.pause();
    return () => found?.resume();
  }

  crashArtifactService(backMs: number): void {
    if (this.artifactProcess?.alive !== true) return;
    this.artifactProcess.kill();
    this.time.after(backMs, () => this.startArtifactService());
  }

  loseAnswers(chance: number): void {
    this.artifacts.answerLossChance = chance;
  }

  artifactDisk(errorChance: number, slownessMs: number): void {
    this.artifactService.errorChance = errorChance;
    this.artifactService.slownessMs = slownessMs;
  }

  jumpClock(host: string, jumpMs: number): void {
    this.jumpsMs.set(host, (this.jumpsMs.get(host) ?? 0) + jumpMs);
    for (const process of this.processes) if (process.host === host) process.jump(jumpMs);
  }

  private end(worker: number, death: 'PROCESS' | 'MACHINE', backMs: number | undefined): void {
    const { process } = this.pool[worker] ?? {};
    if (process?.alive !== true) return;
    process.kill(death);
    if (backMs !== undefined) this.time.after(backMs, () => this.startAgent(worker));
  }

  private startAgent(worker: number): void {
    const slot = this.pool[worker];
    if (!slot || slot.process?.alive === true || this.closing) return;
    const host = workerHost(worker);
    const process = this.process(`agent-${worker}`, host);
    const name = `workers/w${worker}`;
    slot.process = process;
    slot.agent = new Agent({ process, worker: name, coordinator: this.agentPort, leaseMs: this.plan.leaseMs, spawn: (child) => this.startChild(worker, name, child) });
    slot.agent.open();
    // One that gave up is started again.
    process.onDeath((death) => {
      if (death === 'PROCESS') this.time.after(20_000, () => this.startAgent(worker));
    });
  }

  private startChild(worker: number, name: string, child: string): SimProcess {
    const { plan, network, addresses, artifacts, data, plans, bug, witness } = this;
    const process = this.process(child, workerHost(worker));
    const address = `${child}:1`;
    const exchangePort = new Port<PeerMessage, PeerMessage>(network);
    addresses.set(address, exchangePort);
    this.children.set(process, child);
    process.onDeath(() => addresses.delete(address));
    const member = new Member({
      process, worker: name, child, address, exchangePort, addresses, artifacts, data, plans, bug, witness, network, job: plan.facts.job, coordinator: this.memberPort,
      workload: plan.workload, slowness: plan.slowness[worker] ?? 1,
      settings: {
        constants: { oneShotBytes: plan.workload.oneShotBytes, chunkBytes: plan.workload.chunkBytes, headerBytes: 64 }, timeoutMs: plan.stepTimeoutMs, connectTimeoutMs: plan.connectTimeoutMs,
        addsAsTheyCome: bug === 'SUM_IN_ARRIVAL_ORDER', saysNothingWhenEmpty: bug === 'LOST_EMPTY_CONTRIBUTION',
      },
    });
    const slot = this.pool[worker];
    if (slot) slot.member = member;
    process.after(this.random.between(20, 400), () => member.start());
    return process;
  }

  private startCoordinator(index: number): void {
    if (this.coordinators[index]?.alive === true || this.closing) return;
    const { plan, store, agentPort, memberPort, artifacts, bug, witness } = this;
    const process = this.process(`coordinator-${index}`, coordinatorHost(index));
    this.coordinators[index] = process;
    process.onDeath(() => this.time.after(RESTART_MS, () => this.startCoordinator(index)));
    const coordinator = new Coordinator({
      process, store, agentPort, memberPort, artifacts, bug, witness, facts: plan.facts, leaseMs: plan.leaseMs, leaderLeaseMs: plan.leaderLeaseMs,
      workers: plan.workers, checkpointKeep: plan.workload.checkpointKeep, newChild: () => `child-${++this.names}`,
    });
    process.after(this.random.between(5, 200), () => coordinator.start());
  }

  private startArtifactService(): void {
    if (this.artifactProcess?.alive === true || this.closing) return;
    this.artifactProcess = this.process('artifact', ARTIFACT_HOST);
    this.artifactService.serve(this.artifactProcess, this.artifacts);
  }

  /** A process with a clock of its own: minutes off, and a little too fast or slow. */
  private process(name: string, host: string): SimProcess {
    const process = new SimProcess(this.time, name, host, { offsetMs: 1e9 + this.random.between(-600_000, 600_000) + (this.jumpsMs.get(host) ?? 0), rate: 1 + (this.random.unit() - 0.5) * 0.004 });
    this.processes.add(process);
    process.onDeath(() => this.processes.delete(process));
    return process;
  }
}
