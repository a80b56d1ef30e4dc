/**
 * One job on very many workers: the coordinator's core, its shell, agents and sessions as in every run, and no faults but the
 * loss of one machine. What the data plane would move is planned, not moved.
 */
import { plannedTraffic, planReduction, slotsOf, evenPart, type ExchangeConstants } from '@lockstep/reduction';
import type { JobFacts, JobState } from '@lockstep/membership';
import type { Witness } from '../checks/witness';
import { Agent } from '../cluster/agent';
import { ArtifactService, type ArtifactAnswer, type ArtifactRequest } from '../cluster/artifact-service';
import { Coordinator } from '../cluster/coordinator';
import type { AgentCommand, AgentMessage, Assignment, MemberCommand, MemberMessage } from '../cluster/messages';
import { EMPTY_JOB, type StoredJob } from '../cluster/stored-job';
import { Port } from '../world/connection';
import { DurableStore } from '../world/durable-store';
import { Random } from '../world/random';
import { SimProcess } from '../world/sim-process';
import { UnaryService } from '../world/unary-service';
import { VirtualTime } from '../world/virtual-time';
import { CountingNetwork } from './counting-network';
import { ScaleGroup } from './scale-group';
import { ScaleMember } from './scale-member';

const STEPS = 30;
const STEP_MS = 1000;
const FORM_MS = 50;
/** One write of the coordinators' database. */
export const WRITE_MS = 2;
const LEASE_MS = 3000;
/** Steps that are counted: while nothing else happens. */
const COUNTED = { from: 5, to: 15 } as const;
/** The step after which a machine is lost. */
const LOSS_STEP = 20;
const MAX_VIRTUAL_MS = 30 * 60_000;
const COORDINATOR = 'coordinator';

const CONSTANTS: ExchangeConstants = { oneShotBytes: 65_536, chunkBytes: 1 << 20, headerBytes: 64 };
/** A model of 100 MB in buckets of 4 MB. */
const BUCKET_ELEMENTS = 1 << 20;
const BUCKETS = 25;

/** Figures of one size. */
export interface ScaleReport {
  readonly workers: number;
  readonly outcome: JobState['kind'];
  /** From the start of the first child until the group runs; virtual milliseconds. */
  readonly rendezvousMs: number;
  /** From the word of a loss until the others run. */
  readonly regroupMs: number;
  /** What the coordinator receives and sends while a step of a second runs, all kinds of messages together. */
  readonly receivedAStep: number;
  readonly sentAStep: number;
  /** Writes of the database from the start until the group runs, and the size of the last one. */
  readonly rendezvousWrites: number;
  readonly stateBytes: number;
  /** What one assignment says of its members, as JSON. */
  readonly assignmentBytes: number;
  /** What a worker sends for a step of a model of 100 MB, and in how many messages: as planned, headers included. */
  readonly plannedSentBytes: number;
  readonly plannedSentChunks: number;
}

export function runScale(workers: number): ScaleReport {
  const time = new VirtualTime();
  const network = new CountingNetwork(time, new Random(workers, 'network'), { baseDelayMs: 0.5, jitterMs: 0.5, spikeChance: 0, spikeMs: 0 });
  const store = new DurableStore<StoredJob>(EMPTY_JOB, new Random(workers, 'store'), { latencyMs: WRITE_MS, leaseTtlMs: 3000 }, true);
  const [agentPort, memberPort] = [new Port<AgentMessage, AgentCommand>(network), new Port<MemberMessage, MemberCommand>(network)];
  const artifacts = new UnaryService<ArtifactRequest, ArtifactAnswer>(network, new Random(workers, 'calls'));
  const process = (name: string, host: string): SimProcess => new SimProcess(time, name, host, { offsetMs: 0, rate: 1 });
  const facts: JobFacts = {
    job: 'jobs/scale', replicas: workers, strictNumerics: true, maxRestarts: 0, rendezvousTimeoutMs: MAX_VIRTUAL_MS, regroupTimeoutMs: MAX_VIRTUAL_MS,
    exportTimeoutMs: MAX_VIRTUAL_MS, prepareTimeoutMs: MAX_VIRTUAL_MS, absenceMs: LEASE_MS, suspicionMs: 1500, joinRetryMs: 1000,
  };
  const watch = new Watch(time);
  const random = new Random(workers, 'cluster');
  const group = new ScaleGroup(time, { steps: STEPS, stepMs: STEP_MS, formMs: FORM_MS });
  network.count(COORDINATOR);
  new ArtifactService(new Random(workers, 'artifact'), 1, true).serve(process('artifact', 'artifact'), artifacts);
  let names = 0;
  new Coordinator({
    process: process(COORDINATOR, COORDINATOR), store, agentPort, memberPort, artifacts, facts, leaseMs: LEASE_MS, leaderLeaseMs: 3000, workers: { min: workers, max: workers },
    checkpointKeep: 1, newChild: () => `child-${++names}`, bug: undefined, witness: watch,
  }).start();
  const machines = Array.from({ length: workers }, (_, i) => {
    const [worker, host] = [`workers/w${i}`, `worker-${i}`];
    const machine = process(`agent-${i}`, host);
    const agent = new Agent({
      process: machine, worker, coordinator: agentPort, leaseMs: LEASE_MS,
      spawn: (child) => {
        const own = process(child, host);
        const member = new ScaleMember(own, network, memberPort, worker, child, group);
        own.after(random.between(50, 200), () => member.start());
        return own;
      },
    });
    time.at(random.between(0, 1000), () => agent.open());
    return machine;
  });
  const counts = { sent: 0, received: 0 };
  const lose = (): void => {
    for (const machine of machines.slice(-1)) machine.kill('MACHINE');
  };
  let lost = false;
  const note = (sign: 1 | -1): void => {
    const { sent, received } = network.counts;
    counts.sent += sign * sent;
    counts.received += sign * received;
  };
  for (let before = 0; time.nowMs < MAX_VIRTUAL_MS && watch.outcome !== 'SUCCEEDED' && watch.outcome !== 'FAILED' && time.step();) {
    if (group.steps === before) continue;
    before = group.steps;
    if (before === COUNTED.from) note(-1);
    if (before === COUNTED.to) note(1);
    if (before === LOSS_STEP && !lost) {
      lost = true;
      lose();
    }
  }
  const slots = slotsOf(workers, Array.from({ length: workers }, (_, rank) => evenPart(workers, workers, rank)));
  const present = new Array<boolean>(workers).fill(true);
  const planned = plannedTraffic(CONSTANTS, workers, 0, slots, planReduction(workers, slots, present).present, [BUCKET_ELEMENTS]);
  const counted = COUNTED.to - COUNTED.from;
  return {
    workers, outcome: watch.outcome, rendezvousMs: watch.rendezvousMs, regroupMs: watch.regroupMs, receivedAStep: counts.received / counted, sentAStep: counts.sent / counted,
    rendezvousWrites: watch.rendezvousWrites, stateBytes: watch.stateBytes, assignmentBytes: watch.assignmentBytes,
    plannedSentBytes: planned.sentBytes * BUCKETS, plannedSentChunks: planned.sentChunks * BUCKETS,
  };
}

/** What happens when, as the coordinator shows it. */
class Watch implements Witness {
  outcome: JobState['kind'] = 'QUEUED';
  rendezvousMs = 0;
  regroupMs = 0;
  rendezvousWrites = 0;
  stateBytes = 0;
  assignmentBytes = 0;
  private sinceMs = 0;
  private writes = 0;

  constructor(private readonly time: VirtualTime) {}

  stored(state: JobState): void {
    const before = this.outcome;
    this.writes++;
    this.outcome = state.kind;
    if (state.kind === before) return;
    const { nowMs } = this.time;
    if (state.kind === 'STARTING' || (state.kind === 'CONNECTING' && before === 'RUNNING')) this.sinceMs = nowMs;
    if (state.kind !== 'RUNNING') return;
    if (this.rendezvousMs === 0) {
      this.rendezvousMs = nowMs - this.sinceMs;
      this.rendezvousWrites = this.writes;
      this.stateBytes = JSON.stringify(state).length;
    } else {
      this.regroupMs = nowMs - this.sinceMs;
    }
  }

  assigned({ members }: Assignment): void {
    if (this.assignmentBytes === 0) this.assignmentBytes = JSON.stringify(members).length;
  }

  told(): void {}
  finished(): void {}
  broke(): void {}
  moment(): void {}
  resumes(): void {}
  committed(): void {}
  checkpointAcknowledged(): void {}
  lost(): void {}
  trace(): void {}
}

/** The figures as a table in Markdown. */
export function scaleTable(reports: readonly ScaleReport[]): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000).toLocaleString('en')} KB`;
  const rows: readonly (readonly [string, (report: ScaleReport) => string])[] = [
    ['outcome', ({ outcome }) => outcome],
    ['rendezvous: from the first child\'s start until the group runs', ({ rendezvousMs }) => seconds(rendezvousMs)],
    ['of it, writes of the database, one after the other', ({ rendezvousWrites }) => rendezvousWrites.toLocaleString('en')],
    ['the job\'s state, written each time', ({ stateBytes }) => kilobytes(stateBytes)],
    ['an assignment\'s list of members, one for each member', ({ assignmentBytes }) => kilobytes(assignmentBytes)],
    ['regroup: from the word of a loss until the others run', ({ regroupMs }) => seconds(regroupMs)],
    ['messages to the coordinator in a step of 1 s', ({ receivedAStep }) => Math.round(receivedAStep).toLocaleString('en')],
    ['messages from the coordinator in a step of 1 s', ({ sentAStep }) => Math.round(sentAStep).toLocaleString('en')],
    ['sent by a worker in a step, 100 MB of gradients (planned)', ({ plannedSentBytes }) => `${(plannedSentBytes / 1e6).toFixed(1)} MB`],
    ['of it in messages (planned)', ({ plannedSentChunks }) => plannedSentChunks.toLocaleString('en')],
  ];
  return [
    `| | ${reports.map(({ workers }) => `${workers.toLocaleString('en')} workers`).join(' | ')} |`,
    `|---|${reports.map(() => '---:|').join('')}`,
    ...rows.map(([name, of]) => `| ${name} | ${reports.map(of).join(' | ')} |`), '',
  ].join('\n');
}
