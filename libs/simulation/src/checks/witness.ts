/** What the actors show to the checks, which see everything at once, as nobody in a real cluster does. */
import type { JobState } from '@lockstep/membership';
import type { Assignment, CheckpointReport, ProgressEntry } from '../cluster/messages';

/** Names of what must hold, in a run and at its end. */
export const INVARIANTS = [
  /** A position that is applied or committed, by whomever and however often, leaves the undisturbed run's state. */
  'SAME_BYTES',
  /** Every position is committed once, in order, with the rows that the plan gives it. */
  'EXACTLY_ONCE',
  /** What was acknowledged is there whatever died since. */
  'DURABLE',
  /** A generation's number names one group. */
  'GENERATION_ONCE',
  /** Who belongs to an older generation publishes nothing. */
  'FENCED',
  /** A job goes on from the newest checkpoint that was acknowledged: what it had reached is not undone. */
  'NEWEST_CHECKPOINT',
  /** No member meets what no schedule of faults explains. */
  'NO_INNER_ERROR',
  /** Nobody is given up whom no fault has touched. */
  'NO_FALSE_BLAME',
  /** A job fails for the reasons that are allowed, and for no other. */
  'ALLOWED_FAILURE',
  /** Once the faults have stopped, the job ends. */
  'LIVENESS',
  /** Whatever ends a job ends its processes. */
  'NO_GHOSTS',
] as const;

export type Invariant = (typeof INVARIANTS)[number];

/** A moment of a member's life that a fault can be tied to; ACKNOWLEDGED is the coordinator's, of a checkpoint. */
export type Moment = 'FORMING' | 'RESYNC' | 'JOINING' | 'COMPUTING' | 'REDOING' | 'WAITING' | 'APPLIED' | 'CALLBACK' | 'FINISHED' | 'COMMITTING' | 'CHECKPOINT' | 'ACKNOWLEDGED';

export interface Witness {
  /** A member reports something of its own training. */
  told(worker: string, entry: ProgressEntry): void;
  /** A member ended its module. */
  finished(worker: string, stateDigest: string, steps: number, joinedAfterEnd: boolean): void;
  /** A member's course was ended by an error that no next generation mends. */
  broke(worker: string, error: unknown): void;
  /** A member comes to a moment. */
  moment(worker: string, moment: Moment): void;
  assigned(assignment: Assignment): void;
  /** A member that starts with the job goes on from a checkpoint; empty: from the beginning. */
  resumes(worker: string, generation: number, checkpoint: string): void;
  stored(state: JobState): void;
  committed(entries: readonly ProgressEntry[]): void;
  checkpointAcknowledged(report: CheckpointReport): void;
  lost(worker: string, detail: string): void;
  trace(who: string, what: string): void;
}
