/**
 * A study while trials are asked for and told of: what is decided about it, and nothing of where it is kept.
 *
 * 1. Pure: every change is a function of the study, what happened, and the time. It gives the next study and what of it is to be
 *    stored and told, or throws a TrackingError and changes nothing.
 * 2. Only pending trials are held: what has ended is counted, and kept elsewhere.
 * 3. A trial is one holder's. Who was not heard of for a lease has lost it, also when nobody has taken it up yet.
 * 4. When a holder was last heard of is the only thing that is not stored: after a restart each has a whole lease again.
 */
import type { SearchSpace } from '../space/search-space';
import type { Values } from '../space/value';
import type { StudyLimits } from '../study/limits';
import type { Objective } from '../study/objective';
import type { RetryPolicy } from '../study/retry-policy';
import type { TrackedMeasurement, TrackedTrial } from './tracked-trial';

export type StudyState =
  | { readonly kind: 'ACTIVE' }
  | { readonly kind: 'STOPPED' }
  /** It has done all that it may or can. */
  | { readonly kind: 'COMPLETED'; readonly detail: string }
  | { readonly kind: 'FAILED'; readonly error: string };

/** What is searched; unknown until the first trial has told it. */
export type KnownSpace = { readonly kind: 'KNOWN'; readonly space: SearchSpace } | { readonly kind: 'DISCOVERING' };

/** What a study allows. */
export interface StudyRules {
  readonly limits: StudyLimits;
  /** Trials that run at once; undefined: as many as are asked for. */
  readonly maxParallelTrials: number | undefined;
  readonly retry: RetryPolicy;
  /** Who is not heard of for so long loses its trials. */
  readonly leaseMs: number;
}

/** How many trials ended in which way. */
export interface EndedCounts {
  readonly succeeded: number;
  readonly infeasible: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface TrackedStudy {
  /** studies/{study}, for messages. */
  readonly name: string;
  readonly state: StudyState;
  readonly space: KnownSpace;
  /** At least one. */
  readonly objectives: readonly Objective[];
  readonly rules: StudyRules;
  readonly createdMs: number;
  /** Of the trial that is suggested next. */
  readonly nextNumber: number;
  /** Trials that were evaluated elsewhere. */
  readonly imported: number;
  /** By number, in the order of suggestion. */
  readonly pending: ReadonlyMap<number, TrackedTrial>;
  readonly ended: EndedCounts;
  /** Measurements that were taken after an epoch: epochs trained, of all trials and tries. */
  readonly epochCount: number;
  /** Trials that failed since one did not. */
  readonly consecutiveFailed: number;
  /** The next one first. */
  readonly enqueued: readonly Values[];
  /** Absent until it was over for the first time, and where clients evaluate. */
  readonly results?: CommittedResults;
}

/** What was committed of a study that is over: versions and an execution by their names. */
export interface CommittedResults {
  readonly hyperparameters: string;
  readonly results: string;
  readonly execution: string;
  /** How many trials there were then. */
  readonly trials: number;
}

/** What of a move is to be stored and told, in order. */
export type StudyChange =
  /** State, limits, space or counts. `told`: those who watch the study are to know. */
  | { readonly kind: 'STUDY'; readonly told: boolean }
  /** A new trial, or a new state of one. A new try begins without measurements. */
  | { readonly kind: 'TRIAL'; readonly trial: TrackedTrial }
  | { readonly kind: 'MEASURED'; readonly number: number; readonly measurement: TrackedMeasurement }
  | { readonly kind: 'ENQUEUED'; readonly values: Values };

/** A move: the study after it, what changed, and what its caller asked for. */
export interface Move<T> {
  readonly study: TrackedStudy;
  /** Empty: nothing is to be stored. */
  readonly changes: readonly StudyChange[];
  readonly result: T;
}

/** A study that nothing has happened to. */
export function newStudy(name: string, space: KnownSpace, objectives: readonly Objective[], rules: StudyRules, createdMs: number): TrackedStudy {
  return {
    name, state: { kind: 'ACTIVE' }, space, objectives, rules, createdMs, nextNumber: 0, imported: 0, pending: new Map(),
    ended: { succeeded: 0, infeasible: 0, failed: 0, cancelled: 0 }, epochCount: 0, consecutiveFailed: 0, enqueued: [],
  };
}

/** studies/{study}/trials/{trial} */
export const trialName = ({ name }: Pick<TrackedStudy, 'name'>, number: number): string => `${name}/trials/${number}`;

/** The study with another version of some pending trials. */
export function withTrials(study: TrackedStudy, trials: readonly TrackedTrial[]): TrackedStudy {
  const pending = new Map(study.pending);
  for (const trial of trials) pending.set(trial.number, trial);
  return { ...study, pending };
}
