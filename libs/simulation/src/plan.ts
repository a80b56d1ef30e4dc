/** All that a run depends on, drawn from its seed. */
import type { JobFacts } from '@lockstep/membership';
import { drawFaults } from './faults/draw-faults';
import type { ScheduledFault } from './faults/fault';
import type { NetworkSettings } from './world/network';
import { Random } from './world/random';
import type { StoreSettings } from './world/durable-store';
import { drawWorkload, type Workload } from './workload/workload';

export interface Plan {
  readonly seed: number;
  readonly workload: Workload;
  readonly facts: JobFacts;
  /** Fewest that the job starts with, and most that it takes. */
  readonly workers: { readonly min: number; readonly max: number };
  /** When each worker's agent comes; milliseconds from the start. */
  readonly arrivalsMs: readonly number[];
  /** How much longer than the workload says each worker computes. */
  readonly slowness: readonly number[];
  readonly coordinators: number;
  readonly leaseMs: number;
  readonly leaderLeaseMs: number;
  readonly network: NetworkSettings;
  readonly store: StoreSettings;
  readonly artifactLatencyMs: number;
  /** Of the peers' waits for one another. */
  readonly stepTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly faults: readonly ScheduledFault[];
  /** No fault begins later, and none lasts longer than a little after it. */
  readonly faultsUntilMs: number;
  /** How long after that the job may take. */
  readonly patienceMs: number;
}

const MAX_SLOWNESS = 5;
/** A peer takes an assignment up when its step is over. */
const CONNECT_SLACK_MS = 10_000;

export const workerHost = (worker: number): string => `worker-${worker}`;
export const coordinatorHost = (coordinator: number): string => `coordinator-${coordinator}`;
export const ARTIFACT_HOST = 'artifact';

export function drawPlan(seed: number): Plan {
  const random = new Random(seed, 'plan');
  const workers = random.weighted([[1, 1], [5, random.between(2, 4)], [4, random.between(3, 8)], [2, random.between(8, 16)], [0.4, random.between(16, 32)], [0.15, random.between(32, 64)]]);
  const light = workers > 16;
  const max = Math.max(1, random.chance(0.7) ? workers : random.between(1, workers));
  const replicas = Math.min(64, random.weighted([[2, max], [3, max + random.between(0, 3)], [1, max + random.between(0, 24)]]));
  const min = random.chance(0.5) ? 1 : random.between(1, max);
  const faultsUntilMs = random.between(4000, 30_000);
  const coordinators = random.chance(0.4) ? 2 : 1;
  const leaseMs = random.pick([2000, 3000]);
  const stepTimeoutMs = random.pick([15_000, 60_000]);
  const drawn = drawWorkload(random, seed, replicas, light);
  // A step may take a quarter of its time limit where one slow worker computes all of it.
  const workload = { ...drawn, computeMs: Math.min(drawn.computeMs, stepTimeoutMs / (4 * MAX_SLOWNESS * replicas)) };
  const rendezvousTimeoutMs = random.pick([20_000, 60_000]);
  const hosts = [
    ...Array.from({ length: workers }, (_, i) => workerHost(i)), ...Array.from({ length: coordinators }, (_, i) => coordinatorHost(i)), ARTIFACT_HOST,
  ];
  return {
    seed, workload, coordinators, leaseMs, faultsUntilMs, workers: { min, max },
    leaderLeaseMs: 3000,
    facts: {
      job: 'jobs/simulated', replicas, strictNumerics: true, maxRestarts: random.chance(0.1) ? random.between(0, 1) : 1000,
      rendezvousTimeoutMs, regroupTimeoutMs: rendezvousTimeoutMs + stepTimeoutMs, exportTimeoutMs: 60_000, prepareTimeoutMs: 60_000, absenceMs: leaseMs, suspicionMs: 1500, joinRetryMs: 1000,
    },
    arrivalsMs: Array.from({ length: workers }, (_, i) => (i < min || random.chance(0.7) ? random.between(0, 300) : random.between(300, 20_000))),
    slowness: Array.from({ length: workers }, () => random.weighted([[4, 1], [2, 1 + random.unit()], [0.3, MAX_SLOWNESS]])),
    network: { baseDelayMs: random.pick([0.1, 0.5, 5]), jitterMs: random.pick([0.1, 2, 30]), spikeChance: random.pick([0, 0.01]), spikeMs: random.between(20, 400) },
    store: { latencyMs: random.pick([0.5, 5, 40]), leaseTtlMs: 3000 },
    artifactLatencyMs: random.pick([1, 20, 300]),
    stepTimeoutMs, connectTimeoutMs: stepTimeoutMs + CONNECT_SLACK_MS,
    faults: drawFaults(random, { workers, hosts, untilMs: faultsUntilMs, losses: Math.max(0, workers - min) }),
    patienceMs: 20 * 60_000,
  };
}
