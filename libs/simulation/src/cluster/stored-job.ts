import { QUEUED, type CheckpointMark, type JobState, type ProgressPoint } from '@lockstep/membership';
import type { LoggedCall } from '../workload/training-state';
import type { ProgressEntry } from './messages';

export interface StoredCheckpoint extends CheckpointMark {
  readonly stateDigest: string;
  /** Finished calls in its log. */
  readonly calls: number;
}

/** What the coordinators' database holds of the job. */
export interface StoredJob {
  /** The machine's state and what is committed, as JSON: exactly what another process would read. */
  readonly machine: string;
  readonly entries: readonly ProgressEntry[];
  readonly calls: readonly LoggedCall[];
  /** Newest first. */
  readonly checkpoints: readonly StoredCheckpoint[];
}

interface Machine {
  readonly state: JobState;
  readonly committed: ProgressPoint | null;
}

export const encodeMachine = (state: JobState, committed: ProgressPoint | undefined): string => JSON.stringify({ state, committed: committed ?? null } satisfies Machine);

export function decodeMachine(machine: string): { readonly state: JobState; readonly committed: ProgressPoint | undefined } {
  const { state, committed } = JSON.parse(machine) as Machine;
  return { state, committed: committed ?? undefined };
}

export const EMPTY_JOB: StoredJob = { machine: encodeMachine(QUEUED, undefined), entries: [], calls: [], checkpoints: [] };
