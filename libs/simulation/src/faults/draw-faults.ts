import type { Moment } from '../checks/witness';
import type { Random } from '../world/random';
import type { Fault, FaultKind, ScheduledFault, Trigger } from './fault';

/** What there is to strike. */
export interface Targets {
  readonly workers: number;
  /** Hosts of the workers, then of the services. */
  readonly hosts: readonly string[];
  /** Faults begin before. */
  readonly untilMs: number;
  /** Workers that may be gone for good. */
  readonly losses: number;
}

/** Kinds and how often they are drawn. */
export const KINDS: readonly (readonly [number, FaultKind])[] = [
  [10, 'CRASH_CHILD'], [3, 'CRASH_AGENT'], [5, 'CRASH_MACHINE'], [5, 'PAUSE_CHILD'], [2, 'PAUSE_AGENT'], [4, 'PAUSE_MACHINE'], [2, 'HANG'], [4, 'LEAVE'],
  [6, 'PARTITION'], [6, 'RESET'], [3, 'SLOW_NETWORK'], [4, 'DISK_ERROR'], [3, 'SLOW_DISK'], [6, 'CRASH_COORDINATOR'], [3, 'PAUSE_COORDINATOR'],
  [2, 'CRASH_ARTIFACT_SERVICE'], [3, 'LOSE_ANSWERS'], [2, 'ARTIFACT_DISK_ERROR'], [2, 'ARTIFACT_SLOW_DISK'], [3, 'CRASH_ALL'], [3, 'REORDER'], [4, 'DUPLICATE'], [4, 'CLOCK_JUMP'],
];

const MOMENTS: readonly (readonly [number, Moment])[] = [
  [3, 'FORMING'], [4, 'RESYNC'], [4, 'JOINING'], [4, 'COMPUTING'], [5, 'WAITING'], [4, 'APPLIED'], [2, 'CALLBACK'], [3, 'FINISHED'], [3, 'COMMITTING'], [3, 'CHECKPOINT'], [4, 'ACKNOWLEDGED'],
];

/** How long the artifact service may fail: its clients try for about 12 s, and a job whose model cannot be committed fails. */
const ARTIFACT_PATIENCE_MS = 6000;

/** Draws a schedule: none at all now and then, mostly a few, sometimes many at once. */
export function drawFaults(random: Random, targets: Targets): readonly ScheduledFault[] {
  const count = random.weighted([[1, 0], [6, random.between(1, 4)], [4, random.between(4, 10)], [1, random.between(10, 25)]]);
  let losses = 0;
  return Array.from({ length: count }, (): ScheduledFault => {
    const fault = drawFault(random, targets, losses < targets.losses);
    if (fault.kind === 'CRASH_MACHINE' && fault.backMs === undefined) losses++;
    return { trigger: drawTrigger(random, targets.untilMs), fault };
  });
}

function drawTrigger(random: Random, untilMs: number): Trigger {
  if (random.chance(0.5)) return { kind: 'AT', ms: random.between(0, untilMs) };
  const delayMs = random.weighted([[2, 0], [2, random.unit() * 3], [1, random.between(3, 60)]]);
  return { kind: 'ON', moment: random.weighted(MOMENTS), nth: random.weighted([[2, 1], [3, random.between(1, 8)], [3, random.between(1, 60)]]), delayMs, strikesIt: random.chance(0.7) };
}

function drawFault(random: Random, { workers, hosts }: Targets, maySkip: boolean): Fault {
  const kind = random.weighted(KINDS);
  const worker = random.between(0, workers - 1);
  const backMs = random.weighted([[1, random.between(50, 500)], [2, random.between(500, 10_000)]]);
  const durationMs = random.weighted([[2, random.between(20, 2000)], [2, random.between(2000, 8000)], [1, random.between(8000, 40_000)]]);
  switch (kind) {
    case 'CRASH_CHILD':
    case 'HANG':
      return { kind, worker };
    case 'CRASH_AGENT':
    case 'LEAVE':
      return { kind, worker, backMs };
    case 'CRASH_MACHINE':
      return { kind, worker, backMs: maySkip && random.chance(0.4) ? undefined : backMs };
    case 'PAUSE_CHILD':
    case 'PAUSE_AGENT':
    case 'PAUSE_MACHINE':
      return { kind, worker, durationMs };
    case 'PARTITION': {
      const cut = hosts.filter(() => random.chance(0.5));
      const from = random.chance(0.6) ? [random.pick(hosts)] : cut;
      const rest = hosts.filter((host) => !from.includes(host));
      const to = random.chance(0.5) ? rest : rest.length > 0 ? [random.pick(rest)] : [];
      return { kind, from, to, twoWay: random.chance(0.5), durationMs };
    }
    case 'RESET':
      return { kind, a: random.pick(hosts), b: random.pick(hosts) };
    case 'SLOW_NETWORK':
      return { kind, extraMs: random.between(5, 600), durationMs };
    case 'REORDER':
      return { kind, extraMs: random.between(20, 2000), durationMs };
    case 'DUPLICATE':
      return { kind, chance: random.pick([0.2, 0.6, 1]), durationMs };
    case 'DISK_ERROR':
      return { kind, chance: random.pick([0.2, 0.6, 1]), durationMs: Math.min(durationMs, 10_000) };
    case 'ARTIFACT_DISK_ERROR':
      return { kind, chance: random.pick([0.2, 0.6, 1]), durationMs: Math.min(durationMs, ARTIFACT_PATIENCE_MS) };
    case 'ARTIFACT_SLOW_DISK':
    case 'SLOW_DISK':
      return { kind, extraMs: random.between(20, 1500), durationMs };
    case 'CRASH_ALL':
    case 'CRASH_COORDINATOR':
      return { kind, backMs };
    case 'PAUSE_COORDINATOR':
      return { kind, durationMs };
    case 'CRASH_ARTIFACT_SERVICE':
      return { kind, backMs: Math.min(backMs, ARTIFACT_PATIENCE_MS) };
    case 'LOSE_ANSWERS':
      return { kind, chance: random.pick([0.1, 0.4]), durationMs };
    case 'CLOCK_JUMP':
      return { kind, host: random.pick(hosts), jumpMs: random.pick([-60_000, -3000, 3000, 600_000]) };
  }
}
