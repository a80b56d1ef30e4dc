import type { Collective, Position } from '@lockstep/reduction';
import type { ExamplesPlanOptions, TallySummary } from '@lockstep/sharding';
import type { RandomRouter } from './random/random-router';
import type { Reducer } from './step/reducer';
import type { CallRecord, TrainingState } from './state/training-state';
import type { Tf } from './tfjs';

/** Kinds of collective calls. */
export type CallKind = 'fit' | 'fitDataset' | 'trainOnBatch' | 'evaluate' | 'evaluateDataset' | 'export';

/** How much there is to do in a call. */
export interface CallExtent {
  readonly epochs: number;
  /** Absent where only the data's end tells. */
  readonly stepsPerEpoch?: number;
}

/** Data of which it can be said beforehand which records each step consumes. */
export type PlannedData =
  /** A dataset of a data accessor. `continues`: one iteration goes on from epoch to epoch; otherwise every epoch is one. */
  | { readonly kind: 'EXAMPLES'; readonly patterns: readonly string[]; readonly options: ExamplesPlanOptions; readonly continues: boolean }
  /** Rows in memory, each of which is read once in an epoch. */
  | { readonly kind: 'ROWS'; readonly rowCount: number };

/** A collective call, as an observer sees it. */
export interface CallInfo {
  readonly number: number;
  readonly kind: CallKind;
  /** In words: `fit(epochs=3, batchSize=32, rows=101)`. */
  readonly label: string;
  /** Of fit() and fitDataset(). */
  readonly extent?: CallExtent;
  /** What it trains on, where that can be planned. */
  readonly data?: PlannedData;
  /** Answered from the call log: nothing was computed. */
  readonly replayed: boolean;
}

/** A training step that was applied. */
export interface StepInfo {
  readonly position: Position;
  /** Rows of the global batch. */
  readonly rows: number;
  /**
   * The records that the step consumed, of all members together: counted where gradients are added, so the same on every member,
   * and once for every step of the job, however often it was begun.
   */
  readonly visits: TallySummary;
  /** Loss and metrics of the global batch by their names in History, the same on every member. */
  readonly values: Readonly<Record<string, number>>;
  /** The logical replicas whose gradients this member computed; none where it came to the step's end alone. */
  readonly computedReplicas: readonly number[];
  /** Zeros where this member came to the step's end alone. */
  readonly durationsMs: {
    /** Waiting for and slicing the batch's rows. */
    readonly rows: number;
    /** Gradients of this member's replicas. */
    readonly gradients: number;
    /** Adding, reading out and waiting for the group. */
    readonly exchange: number;
    readonly apply: number;
  };
}

/** Follows a training. Called synchronously on the compute thread: an observer that throws fails the call. */
export interface TrainingObserver {
  onCallBegin?(call: CallInfo): void;
  /** `digest` and `result` as the call log holds them. */
  onCallEnd?(call: CallInfo & Pick<CallRecord, 'digest' | 'result'>): void;
  /** After the callbacks of the step's batch: a state that is taken here goes on with the next step. */
  onStep?(step: StepInfo): void;
  /** After the callbacks of the epoch; logs by their names in History. */
  onEpochEnd?(epoch: { readonly position: Position; readonly logs: Readonly<Record<string, number>> }): void;
  /** An evaluation, of its own or at the end of an epoch. */
  onEvaluation?(evaluation: { readonly position: Position; readonly rows: number; readonly values: Readonly<Record<string, number>> }): void;
}

/** A job that runs, as a member sees it that comes later. */
export interface JoinSource {
  /** Calls that the job has finished: their results are the answers, before this member has any state. */
  readonly calls: readonly CallRecord[];
  /** Blocks until the others take this member in, at its first call that is not finished; gives the state to go on from. */
  enter(): TrainingState;
}

/**
 * What a dataset of the module's own, when it is iterated again from its start, must give: the same bits, or at least the
 * same shapes; NONE where nobody iterates it again.
 */
export type Replay = 'SAME_BITS' | 'SAME_SHAPES' | 'NONE';

/** What training runs on. */
export interface TrainingRuntime {
  /** The job's seed: a safe integer. With the module, its data and V it determines every bit. */
  readonly seed: number;
  /** The members of the job; of one process, a LocalCollective. Its `replicas` is V. */
  readonly collective: Collective;
  readonly observer?: TrainingObserver;
  /** Where to go on: finished calls are answered from its log, the running one is entered in its middle. */
  readonly resume?: TrainingState;
  /** How this member enters a job that runs; excludes `resume`. */
  readonly join?: JoinSource;
  /** For jobs whose processes may come later or start again. Default: NONE. */
  readonly replay?: Replay;
}

/** What the parts of a training share. */
export interface TrainingContext {
  readonly tf: Tf;
  readonly collective: Collective;
  readonly reducer: Reducer;
  readonly router: RandomRouter;
  readonly observer: TrainingObserver;
  readonly replay: Replay;
}
