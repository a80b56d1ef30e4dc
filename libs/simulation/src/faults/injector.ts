/** Carries out a schedule of faults, and mends what they broke when their time is over. */
import type { Moment } from '../checks/witness';
import type { Network } from '../world/network';
import type { VirtualTime } from '../world/virtual-time';
import { nameOf, type Fault, type ScheduledFault } from './fault';

/** What faults do to the cluster. */
export interface Victims {
  readonly network: Network;
  readonly workers: number;
  crashChild(worker: number): void;
  crashAgent(worker: number, backMs: number): void;
  crashMachine(worker: number, backMs: number | undefined): void;
  crashAll(backMs: number): void;
  /** @returns ends the pause */
  pause(worker: number, what: 'CHILD' | 'AGENT' | 'MACHINE'): () => void;
  hang(worker: number): void;
  leave(worker: number, backMs: number): void;
  disk(errorChance: number, slownessMs: number): void;
  crashCoordinator(backMs: number): void;
  pauseCoordinator(): () => void;
  crashArtifactService(backMs: number): void;
  loseAnswers(chance: number): void;
  artifactDisk(errorChance: number, slownessMs: number): void;
  jumpClock(host: string, jumpMs: number): void;
  workerHosts(worker: number): string;
  /** Number of a worker by name. */
  numberOf(worker: string): number;
}

/** Longest that a fault's consequences may still be found: the peers' own deadlines. */
const AFTERMATH_MS = 100_000;

export class Injector {
  /** By name. */
  readonly injected = new Map<string, number>();
  private readonly moments = new Map<Moment, number>();
  private readonly touchedMs = new Map<number, number>();
  private allTouchedMs = -Infinity;
  private open = true;

  constructor(
    private readonly time: VirtualTime,
    private readonly schedule: readonly ScheduledFault[],
    private readonly untilMs: number,
    private readonly victims: Victims,
    private readonly trace: (what: string) => void,
  ) {}

  start(): void {
    for (const { trigger, fault } of this.schedule) {
      if (trigger.kind === 'AT') this.time.at(trigger.ms, () => this.strike(fault));
    }
    this.time.at(this.untilMs, () => { this.open = false; });
  }

  /** A member comes to a moment. @param worker undefined for a moment that is nobody's */
  moment(worker: string | undefined, moment: Moment): void {
    const count = (this.moments.get(moment) ?? 0) + 1;
    this.moments.set(moment, count);
    for (const { trigger, fault } of this.schedule) {
      if (trigger.kind !== 'ON' || trigger.moment !== moment || trigger.nth !== count) continue;
      const struck = trigger.strikesIt && worker !== undefined && 'worker' in fault ? { ...fault, worker: this.victims.numberOf(worker) } : fault;
      this.time.after(trigger.delayMs, () => this.strike(struck));
    }
  }

  /** Whether a fault struck a worker, its links or everybody, lately enough to explain its loss. */
  touched(worker: string): boolean {
    const lastMs = Math.max(this.allTouchedMs, this.touchedMs.get(this.victims.numberOf(worker)) ?? -Infinity);
    return this.time.nowMs - lastMs <= AFTERMATH_MS;
  }

  private strike(fault: Fault): void {
    if (!this.open) return;
    this.injected.set(nameOf(fault), (this.injected.get(nameOf(fault)) ?? 0) + 1);
    this.trace(`fault ${JSON.stringify(fault)}`);
    const { victims, time } = this;
    const { network } = victims;
    const lasting = (durationMs: number, end: () => void): void => time.after(Math.min(durationMs, this.untilMs + 2000 - time.nowMs), () => {
      this.trace(`over: ${fault.kind}`);
      this.touch(fault);
      end();
    });
    this.touch(fault);
    switch (fault.kind) {
      case 'CRASH_CHILD': return victims.crashChild(fault.worker);
      case 'CRASH_AGENT': return victims.crashAgent(fault.worker, fault.backMs);
      case 'CRASH_MACHINE': return victims.crashMachine(fault.worker, fault.backMs);
      case 'CRASH_ALL': return victims.crashAll(fault.backMs);
      case 'PAUSE_CHILD': return lasting(fault.durationMs, victims.pause(fault.worker, 'CHILD'));
      case 'PAUSE_AGENT': return lasting(fault.durationMs, victims.pause(fault.worker, 'AGENT'));
      case 'PAUSE_MACHINE': return lasting(fault.durationMs, victims.pause(fault.worker, 'MACHINE'));
      case 'HANG': return victims.hang(fault.worker);
      case 'LEAVE': return victims.leave(fault.worker, fault.backMs);
      case 'PARTITION': {
        const pairs = fault.from.flatMap((from) => fault.to.flatMap((to) => (fault.twoWay ? [[from, to], [to, from]] as const : [[from, to]] as const)));
        for (const [from, to] of pairs) network.close(from, to);
        return lasting(fault.durationMs, () => {
          for (const [from, to] of pairs) network.open(from, to);
        });
      }
      case 'RESET':
        network.reset(fault.a, fault.b);
        return undefined;
      case 'SLOW_NETWORK':
        network.slownessMs += fault.extraMs;
        return lasting(fault.durationMs, () => { network.slownessMs -= fault.extraMs; });
      case 'REORDER':
        network.disorderMs = fault.extraMs;
        return lasting(fault.durationMs, () => { network.disorderMs = 0; });
      case 'DUPLICATE':
        network.duplicateChance = fault.chance;
        return lasting(fault.durationMs, () => { network.duplicateChance = 0; });
      case 'DISK_ERROR':
        victims.disk(fault.chance, 0);
        return lasting(fault.durationMs, () => victims.disk(0, 0));
      case 'SLOW_DISK':
        victims.disk(0, fault.extraMs);
        return lasting(fault.durationMs, () => victims.disk(0, 0));
      case 'CRASH_COORDINATOR': return victims.crashCoordinator(fault.backMs);
      case 'PAUSE_COORDINATOR': return lasting(fault.durationMs, victims.pauseCoordinator());
      case 'CRASH_ARTIFACT_SERVICE': return victims.crashArtifactService(fault.backMs);
      case 'ARTIFACT_DISK_ERROR':
        victims.artifactDisk(fault.chance, 0);
        return lasting(fault.durationMs, () => victims.artifactDisk(0, 0));
      case 'ARTIFACT_SLOW_DISK':
        victims.artifactDisk(0, fault.extraMs);
        return lasting(fault.durationMs, () => victims.artifactDisk(0, 0));
      case 'CLOCK_JUMP': return victims.jumpClock(fault.host, fault.jumpMs);
      case 'LOSE_ANSWERS':
        victims.loseAnswers(fault.chance);
        return lasting(fault.durationMs, () => victims.loseAnswers(0));
    }
  }

  /** Whom a fault touches: its worker, the ends of its links, or everybody. */
  private touch(fault: Fault): void {
    if ('worker' in fault) {
      this.touchedMs.set(fault.worker, this.time.nowMs);
      return;
    }
    const hosts = fault.kind === 'PARTITION' ? [...fault.from, ...fault.to] : fault.kind === 'RESET' ? [fault.a, fault.b] : [];
    const workers = Array.from({ length: this.victims.workers }, (_, i) => i);
    if (hosts.some((host) => !workers.some((worker) => this.victims.workerHosts(worker) === host)) || hosts.length === 0) this.allTouchedMs = this.time.nowMs;
    for (const worker of workers) if (hosts.includes(this.victims.workerHosts(worker))) this.touchedMs.set(worker, this.time.nowMs);
  }
}
