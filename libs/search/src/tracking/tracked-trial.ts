import type { Values } from '../space/value';
import type { Fidelity, Measurement, Memo, TrialRecord, TrialState } from '../study/trial-record';

/** Who thought of a trial. */
export type TrialOrigin =
  | 'ALGORITHM'
  | 'ENQUEUED'
  /** Evaluated elsewhere: counts towards no limit. */
  | 'IMPORTED'
  /** Without values: its run tells what there is to search. */
  | 'DISCOVERY';

export type EndedState = Extract<TrialState, { readonly kind: 'SUCCEEDED' | 'INFEASIBLE' | 'FAILED' | 'CANCELLED' }>;

/** Somebody works on it. */
export type HeldState =
  | { readonly kind: 'RUNNING'; readonly holder: string; /** When its holder was last heard of. */ readonly heardMs: number }
  /** Was asked to end with what it has. */
  | { readonly kind: 'STOPPING'; readonly holder: string; readonly heardMs: number; readonly detail: string };

/** Where a trial is in its life, with who works on it. */
export type TrackedState =
  /** Offered to whoever asks next: why it is offered again. */
  | { readonly kind: 'REQUESTED'; readonly detail: string }
  | HeldState
  | EndedState;

/** A measurement with the execution that it is of, from 0; those of several executions count as their mean. */
export interface TrackedMeasurement extends Measurement {
  readonly execution: number;
}

/** Of a trial that a job evaluates. */
export interface TrialLineage {
  /** jobs/{job} of its last try. */
  readonly job: string;
  /** artifacts/{artifact}/versions/{version} of the state that it ended with; undefined until then, and when it did not come to its end. */
  readonly checkpoint: string | undefined;
}

/** A trial as its study keeps it. */
export interface TrackedTrial {
  readonly number: number;
  readonly values: Values;
  readonly fidelity: Fidelity;
  readonly memo: Memo;
  readonly origin: TrialOrigin;
  readonly state: TrackedState;
  /** How often somebody began to work on it. */
  readonly attempts: number;
  /** The last try that failed: a report of it that comes twice is recognised. */
  readonly lastFailure: { readonly holder: string; readonly error: string } | undefined;
  /** How many tries failed. */
  readonly failures: number;
  /** How many who worked on it were lost. */
  readonly losses: number;
  /** Who ended it; undefined while it is pending, and when nobody did. */
  readonly endedBy: string | undefined;
  /** Of the current try. */
  readonly measurements: readonly TrackedMeasurement[];
  /** Absent where clients evaluate. */
  readonly lineage?: TrialLineage;
}

/** A trial that was just thought of. */
export const newTrial = (number: number, origin: TrialOrigin, values: Values, fidelity: Fidelity, memo: Memo): TrackedTrial => ({
  number, values, fidelity, memo, origin, state: { kind: 'REQUESTED', detail: 'it is new' }, attempts: 0, lastFailure: undefined, failures: 0, losses: 0, endedBy: undefined, measurements: [],
});

export const isHeld = (state: TrackedState): state is HeldState => state.kind === 'RUNNING' || state.kind === 'STOPPING';

/** Whether a trial may still come to a score. */
export function isOpen(state: TrackedState): state is Exclude<TrackedState, EndedState> {
  return state.kind === 'REQUESTED' || isHeld(state);
}

/** The trial as algorithms see it. */
export function toTrialRecord({ number, values, fidelity, memo, state, measurements }: TrackedTrial): TrialRecord {
  return { number, values, fidelity, memo, state: toTrialState(state), measurements };
}

function toTrialState(state: TrackedState): TrialState {
  switch (state.kind) {
    case 'REQUESTED':
    case 'RUNNING':
    case 'STOPPING': return { kind: state.kind };
    case 'SUCCEEDED':
    case 'INFEASIBLE':
    case 'FAILED':
    case 'CANCELLED': return state;
  }
}
