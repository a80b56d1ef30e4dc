import type { Tensor } from '@tensorflow/tfjs-core';
import type { Callback, CustomCallbackArgs, Logs } from '@tensorflow/tfjs-layers';
import type { RunningCall } from '../calls/call-sequence';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import { readTensor, toTensor } from '../state/tensor-bytes';
import type { StateTensor } from '../state/training-state';
import type { CallbackInternals, ModelInternals, Tf } from '../tfjs';
import type { CallbackState } from './run';

/** `callbacks` as fit() takes it. */
export type CallbackArguments = Callback | CustomCallbackArgs | (Callback | CustomCallbackArgs)[] | undefined;

/**
 * A callback (a tf.Callback) whose own state is part of the TrainingState, so that a process that enters a fit in its
 * middle has it. It lives as long as one fit: onTrainBegin() begins anew. What is in it must be the same on every member,
 * so no time, path or rank.
 */
export interface StatefulCallback {
  /** What it remembers, but for tensors. */
  state(): JsonValue;
  /** Tensors that it remembers (float32, int32, bool), by name. Called in a tidy: those that it makes here are disposed of. */
  stateTensors?(): ReadonlyMap<string, Tensor>;
  /**
   * Called after onTrainBegin() when a process enters a fit in its middle.
   * @param tensors disposed of when it returns: clone what is kept
   */
  restore(state: JsonValue, tensors: ReadonlyMap<string, Tensor>): void;
}

/** A callback that keeps the files of different fits apart. Called before onTrainBegin(). */
export interface CallAware {
  /** @param call number of the collective call, the same on every member */
  setCall(call: number): void;
}

/** A callback that takes a loss that is not finite as the end of the training, not as its failure. */
export interface LossGuard {
  readonly endsOnInfiniteLoss: true;
}

const isStateful = (callback: object): callback is StatefulCallback =>
  'state' in callback && typeof callback.state === 'function' && 'restore' in callback && typeof callback.restore === 'function';

const isCallAware = (callback: object): callback is CallAware => 'setCall' in callback && typeof callback.setCall === 'function';

const isLossGuard = (callback: object): callback is LossGuard => 'endsOnInfiniteLoss' in callback && callback.endsOnInfiniteLoss === true;

/** Makes callbacks of what fitDataset() is given, as tfjs does for fit(). */
export function standardizeCallbacks(tf: Tf, callbacks: CallbackArguments, yieldEvery: ConstructorParameters<Tf['CustomCallback']>[1]): readonly CallbackInternals[] {
  // BaseCallback is not exported; it is what CustomCallback extends.
  const base = Object.getPrototypeOf(tf.CustomCallback) as new () => CallbackInternals;
  const list: readonly object[] = Array.isArray(callbacks) ? callbacks : callbacks ? [callbacks] : [];
  return list.map((callback) => (callback instanceof base ? callback : new tf.CustomCallback(callback, yieldEvery)));
}

/** tfjs's EarlyStopping keeps these fields between epochs. */
const EARLY_STOPPING_FIELDS = ['wait', 'stoppedEpoch', 'best'] as const;

function stateOf(tf: Tf, callback: object): JsonValue {
  if (isStateful(callback)) return callback.state();
  if (!(callback instanceof tf.EarlyStopping)) return null;
  const fields = callback as unknown as Readonly<Record<(typeof EARLY_STOPPING_FIELDS)[number], number>>;
  return Object.fromEntries(EARLY_STOPPING_FIELDS.map((name) => [name, fields[name]]));
}

function tensorsOf(tf: Tf, callback: object): readonly StateTensor[] {
  if (!isStateful(callback) || !callback.stateTensors) return [];
  let read: readonly StateTensor[] = [];
  tf.tidy(() => {
    read = [...(callback.stateTensors?.() ?? [])].map(([name, tensor]) => readTensor(name, tensor));
  });
  return read;
}

/** @throws TrainingError (CALL_MISMATCH) for the state of a callback that keeps one, given to one that does not */
function restoreState(tf: Tf, callback: object, { json, tensors }: CallbackState): void {
  if (isStateful(callback)) {
    const made = new Map(tensors.map((tensor) => [tensor.name, toTensor(tf, tensor)]));
    try {
      callback.restore(json, made);
    } finally {
      tf.dispose([...made.values()]);
    }
  } else if (callback instanceof tf.EarlyStopping && json !== null) {
    Object.assign(callback, json);
  } else if (json !== null) {
    throw new TrainingError('CALL_MISMATCH', "a callback keeps no state, and in the run that wrote the state it did: the module's callbacks changed");
  }
}

type Event = (callback: CallbackInternals) => Promise<void>;

/** The callbacks of one fit, called in order; evaluations that they make belong to the fit. */
export class Callbacks {
  constructor(
    private readonly tf: Tf,
    private readonly list: readonly CallbackInternals[],
    private readonly call: RunningCall,
  ) {}

  begin(params: Parameters<CallbackInternals['setParams']>[0], model: ModelInternals): Promise<void> {
    for (const callback of this.list) callback.setParams(params);
    for (const callback of this.list) if (isCallAware(callback)) callback.setCall(this.call.info.number);
    for (const callback of this.list) callback.setModel(model as unknown as Parameters<CallbackInternals['setModel']>[0]);
    return this.each((callback) => callback.onTrainBegin({}));
  }

  epochBegin(epoch: number): Promise<void> {
    const logs: Logs = {};
    return this.each((callback) => callback.onEpochBegin(epoch, logs));
  }

  batchBegin(batch: number, logs: Logs): Promise<void> {
    return this.each((callback) => callback.onBatchBegin(batch, logs));
  }

  batchEnd(batch: number, logs: Logs): Promise<void> {
    return this.each((callback) => callback.onBatchEnd(batch, logs));
  }

  epochEnd(epoch: number, logs: Logs): Promise<void> {
    return this.each((callback) => callback.onEpochEnd(epoch, logs));
  }

  end(): Promise<void> {
    const logs: Logs = {};
    return this.each((callback) => callback.onTrainEnd(logs));
  }

  /** Whether a loss that is not finite is told to the callbacks, instead of failing the fit. */
  get endOnInfiniteLoss(): boolean {
    return this.list.some(isLossGuard);
  }

  states(): CallbackState[] {
    return this.list.map((callback) => ({ json: stateOf(this.tf, callback), tensors: tensorsOf(this.tf, callback) }));
  }

  /** @throws TrainingError (CALL_MISMATCH) when the fit has other callbacks than the one that wrote the states */
  restore(states: readonly CallbackState[]): void {
    if (states.length !== this.list.length) {
      throw new TrainingError(
        'CALL_MISMATCH',
        `${this.call.info.label} has ${this.list.length} callbacks, in the run that wrote the state it had ${states.length}: the module changed, or its callbacks depend on something else than the job`,
        { position: this.call.position },
      );
    }
    states.forEach((state, i) => {
      const callback = this.list[i];
      if (callback) restoreState(this.tf, callback, state);
    });
  }

  private async each(event: Event): Promise<void> {
    this.call.inCallbacks = true;
    try {
      for (const callback of this.list) await event(callback);
    } finally {
      this.call.inCallbacks = false;
    }
  }
}

