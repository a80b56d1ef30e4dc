import type { SearchSpace } from '../space/search-space';
import type { Values } from '../space/value';
import type { Objective } from './objective';
import type { TrialRecord } from './trial-record';

/** Everything that a suggestion may depend on, besides the settings of the algorithm. */
export interface StudyHistory {
  /** As it is now: it may have grown since the first trial. */
  readonly space: SearchSpace;
  /** At least one. */
  readonly objectives: readonly Objective[];
  /** A non-negative safe integer. */
  readonly seed: number;
  /** In order of suggestion; trial n is at index n. */
  readonly trials: readonly TrialRecord[];
  /** Values that the user wants tried first and that no trial has been made of, the next one first. They may leave parameters out. */
  readonly enqueued: readonly Values[];
}
