/** One run of the world: everything that happens follows from the seed. */
import { hasEnded, type JobState } from '@lockstep/membership';
import type { PlantedBug } from './cluster/bugs';
import { Cluster } from './cluster/cluster';
import { decodeMachine } from './cluster/stored-job';
import { Checker } from './checks/checker';
import type { Witness } from './checks/witness';
import { Injector } from './faults/injector';
import { drawPlan, type Plan } from './plan';
import { VirtualTime } from './world/virtual-time';
import { computeUndisturbed } from './workload/undisturbed';

/** How long what a job held may take to be gone after it has ended. */
const GHOST_MS = 45_000;

export interface RunOptions {
  readonly bug?: PlantedBug;
  /** Told of everything that happens. */
  readonly trace?: (line: string) => void;
}

/** What a run came to. */
export interface RunReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly outcome: JobState['kind'];
  readonly workers: number;
  /** By name. */
  readonly faults: ReadonlyMap<string, number>;
  /** Steps of the job, and how often a member did a step or a round of an evaluation again. */
  readonly steps: number;
  readonly redos: number;
  readonly generations: number;
  readonly joins: number;
  readonly restarts: number;
  /** How often a coordinator took the job over from another process. */
  readonly takeovers: number;
  readonly events: number;
  readonly messages: number;
  readonly virtualMs: number;
}

/** Runs a seed to its end. The same seed and bug give the same run. */
export function runSeed(seed: number, options: RunOptions = {}): RunReport {
  return runPlan(drawPlan(seed), options);
}

export function runPlan(plan: Plan, { bug, trace }: RunOptions = {}): RunReport {
  const time = new VirtualTime();
  const undisturbed = computeUndisturbed(plan.workload);
  const counts = { redos: 0, joins: 0, restarts: 0, generations: 0 };
  const say = (who: string, what: string): void => trace?.(`${time.nowMs.toFixed(1).padStart(10)} ${who.padEnd(14)} ${what}`);
  const checker: Checker = new Checker(undisturbed, { nowMs: () => time.nowMs, touched: (worker) => injector.touched(worker) });
  const witness: Witness = {
    told: (worker, entry) => checker.told(worker, entry),
    finished: (worker, digest, steps, stranger) => {
      if (!stranger) checker.finished(worker, digest, steps);
    },
    broke: (worker, error) => checker.broke(worker, error),
    moment: (worker, moment) => {
      if (moment === 'JOINING') counts.joins++;
      if (moment === 'REDOING') counts.redos++;
      injector.moment(worker, moment);
    },
    assigned: (assignment) => {
      counts.generations = Math.max(counts.generations, assignment.generation);
      checker.assigned(assignment);
    },
    stored: (state) => {
      if ('restarts' in state) counts.restarts = Math.max(counts.restarts, state.restarts);
    },
    committed: (entries) => checker.committed(entries),
    resumes: (worker, generation, checkpoint) => checker.resumes(worker, generation, checkpoint),
    checkpointAcknowledged: (report) => {
      checker.checkpointAcknowledged(report);
      injector.moment(undefined, 'ACKNOWLEDGED');
    },
    lost: (worker, detail) => checker.lost(worker, detail),
    trace: say,
  };
  const cluster = new Cluster(time, plan, bug, witness);
  const injector = new Injector(time, plan.faults, plan.faultsUntilMs, cluster, (what) => say('fault', what));
  cluster.start();
  injector.start();
  const { store } = cluster;
  let { content } = store;
  let state = decodeMachine(content.machine).state;
  let untilMs = plan.faultsUntilMs + plan.patienceMs;
  while (time.nowMs <= untilMs && time.step()) {
    if (store.content === content) continue;
    ({ content } = store);
    checker.database(content);
    if (hasEnded(state)) continue;
    ({ state } = decodeMachine(content.machine));
    if (hasEnded(state)) untilMs = time.nowMs + GHOST_MS + Math.max(0, plan.faultsUntilMs - time.nowMs);
  }
  checker.ended(state, content, cluster.artifactService.versions, plan.facts.maxRestarts, hasEnded(state) ? cluster.ghosts : []);
  return {
    seed: plan.seed, violations: checker.violations, outcome: state.kind, workers: plan.arrivalsMs.length, faults: injector.injected,
    steps: undisturbed.steps, redos: counts.redos, generations: counts.generations, joins: counts.joins, restarts: counts.restarts, takeovers: Math.max(0, store.leasesGiven - 1),
    events: time.events, messages: cluster.network.messages, virtualMs: time.nowMs,
  };
}
