/** What can go wrong, as data: a seed draws a schedule of it. Durations in milliseconds. */
import type { Moment } from '../checks/witness';

/** Whose process a fault strikes; names of hosts are those of the cluster. */
export type Fault =
  /** Its process dies; the agent starts another when it is asked. */
  | { readonly kind: 'CRASH_CHILD'; readonly worker: number }
  /** The agent dies and its child with it; a new one comes after a while. */
  | { readonly kind: 'CRASH_AGENT'; readonly worker: number; readonly backMs: number }
  /** The machine is gone without a word; never comes back when `backMs` is undefined. */
  | { readonly kind: 'CRASH_MACHINE'; readonly worker: number; readonly backMs: number | undefined }
  /** All workers' machines are gone at once, and come back one after the other. */
  | { readonly kind: 'CRASH_ALL'; readonly backMs: number }
  | { readonly kind: 'PAUSE_CHILD'; readonly worker: number; readonly durationMs: number }
  | { readonly kind: 'PAUSE_AGENT'; readonly worker: number; readonly durationMs: number }
  | { readonly kind: 'PAUSE_MACHINE'; readonly worker: number; readonly durationMs: number }
  /** Its compute thread never goes on, though its session does. */
  | { readonly kind: 'HANG'; readonly worker: number }
  /** It is told to end; a new agent comes after a while. */
  | { readonly kind: 'LEAVE'; readonly worker: number; readonly backMs: number }
  /** Nothing passes from the first hosts to the second. */
  | { readonly kind: 'PARTITION'; readonly from: readonly string[]; readonly to: readonly string[]; readonly twoWay: boolean; readonly durationMs: number }
  /** The connections between two hosts break; what was not acknowledged is said again. */
  | { readonly kind: 'RESET'; readonly a: string; readonly b: string }
  | { readonly kind: 'SLOW_NETWORK'; readonly extraMs: number; readonly durationMs: number }
  /** Calls and attempts to connect overtake one another: each takes up to that much longer. */
  | { readonly kind: 'REORDER'; readonly extraMs: number; readonly durationMs: number }
  /** What members say and callers ask arrives again, a while later, behind what was said since. */
  | { readonly kind: 'DUPLICATE'; readonly chance: number; readonly durationMs: number }
  /** Of the coordinators' database. */
  | { readonly kind: 'DISK_ERROR'; readonly chance: number; readonly durationMs: number }
  | { readonly kind: 'SLOW_DISK'; readonly extraMs: number; readonly durationMs: number }
  | { readonly kind: 'CRASH_COORDINATOR'; readonly backMs: number }
  | { readonly kind: 'PAUSE_COORDINATOR'; readonly durationMs: number }
  | { readonly kind: 'CRASH_ARTIFACT_SERVICE'; readonly backMs: number }
  | { readonly kind: 'ARTIFACT_DISK_ERROR'; readonly chance: number; readonly durationMs: number }
  | { readonly kind: 'ARTIFACT_SLOW_DISK'; readonly extraMs: number; readonly durationMs: number }
  /** Answers of the artifact service are lost: callers ask again for what is done. */
  | { readonly kind: 'LOSE_ANSWERS'; readonly chance: number; readonly durationMs: number }
  /** The clock of a host is set: its processes, and those that start there later, read another time. Besides, no two processes' clocks agree. */
  | { readonly kind: 'CLOCK_JUMP'; readonly host: string; readonly jumpMs: number };

export type FaultKind = Fault['kind'];

/** What a fault is counted as: a partition by whether it cuts both ways. */
export const nameOf = (fault: Fault): string => (fault.kind === 'PARTITION' ? `PARTITION_${fault.twoWay ? 'TWO' : 'ONE'}_WAY` : fault.kind);

/** When a fault strikes. */
export type Trigger =
  | { readonly kind: 'AT'; readonly ms: number }
  /** When any member comes to a moment for the nth time; faults of one worker then strike that very member. */
  | { readonly kind: 'ON'; readonly moment: Moment; readonly nth: number; readonly delayMs: number; readonly strikesIt: boolean };

export interface ScheduledFault {
  readonly trigger: Trigger;
  readonly fault: Fault;
}
