import type { Position } from '@lockstep/reduction';
import type { JsonValue } from '../canonical-json';
import { StateError } from '../errors';
import type { EvaluationProgress, RunState } from '../fit/run';

/** A TrainingState as it travels: the bytes of state-codec and their SHA-256 in lowercase hex. */
export interface TrainingState {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export type StateDtype = 'float32' | 'int32' | 'bool';

/** One tensor of the state, little endian, row-major. */
export interface StateTensor {
  /** `model/0/weight/2/dense_1/kernel`, `model/0/optimizer/accumulatedFirstMoment/2/m`; of a callback, its own name for it. */
  readonly name: string;
  readonly dtype: StateDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What the optimizer of a model remembers besides tensors. */
export interface OptimizerState {
  readonly className: string;
  readonly numbers: Readonly<Record<string, number | boolean | null>>;
}

/** A finished collective call: a worker that runs the module from its first line gets `result` as the call's answer. */
export interface CallRecord {
  readonly kind: string;
  readonly label: string;
  /** SHA-256 of kind and arguments, hex. */
  readonly digest: string;
  readonly result: JsonValue;
}

/** The collective call in which the state was taken. */
export interface RunningCallState {
  readonly kind: string;
  readonly label: string;
  readonly digest: string;
  /** Null when the call keeps nothing between its steps. */
  readonly run: RunState | null;
  readonly evaluation: EvaluationProgress | null;
}

/** Everything that training goes on from. */
export interface StateSnapshot {
  readonly seed: number;
  /** V. */
  readonly replicas: number;
  /** What is done next: all before it is applied. */
  readonly position: Position;
  /** Of each model, in the order in which they were compiled; null for one that was disposed of. */
  readonly models: readonly ({ readonly optimizer: OptimizerState } | null)[];
  readonly calls: readonly CallRecord[];
  readonly running: RunningCallState | null;
  /** Of the models. */
  readonly tensors: readonly StateTensor[];
}

/** @throws StateError (OTHER_SEED, OTHER_REPLICAS) when the state belongs to another job. */
export function checkStateOfJob(state: StateSnapshot, job: { readonly seed: number; readonly replicas: number }): void {
  if (state.seed !== job.seed) {
    throw new StateError('OTHER_SEED', `the state is of a job with seed ${state.seed}, this job's seed is ${job.seed}: it belongs to another job`);
  }
  if (state.replicas !== job.replicas) {
    throw new StateError('OTHER_REPLICAS', `the state is of a job with ${state.replicas} logical replicas, this job has ${job.replicas}: results depend on that number, so start with replicas ${state.replicas}`);
  }
}
