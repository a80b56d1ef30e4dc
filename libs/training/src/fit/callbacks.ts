import type { Callback, CustomCallbackArgs, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import type { CallbackInternals, ModelInternals, Tf } from '../tfjs';
import type { RunningCall } from '../calls/call-sequence';

/** `callbacks` as fit() takes it. */
export type CallbackArguments = Callback | CustomCallbackArgs | (Callback | CustomCallbackArgs)[] | undefined;

/**
 * A callback whose own state is part of the TrainingState. restore() is called after onTrainBegin() when a process
 * enters a fit in its middle.
 */
export interface StatefulCallback {
  state(): JsonValue;
  restore(state: JsonValue): void;
}

const isStateful = (callback: object): callback is StatefulCallback =>
  'state' in callback && typeof callback.state === 'function' && 'restore' in callback && typeof callback.restore === 'function';

/** Makes callbacks of what fitDataset() is given, as tfjs does for fit(). */
export function standardizeCallbacks(tf: Tf, callbacks: CallbackArguments, yieldEvery: ConstructorParameters<Tf['CustomCallback']>[1]): readonly CallbackInternals[] {
  // BaseCallback is not exported; it is what CustomCallback extends.
  const base = Object.getPrototypeOf(tf.CustomCallback) as new () => CallbackInternals;
  const list: readonly object[] = Array.isArray(callbacks) ? callbacks : callbacks ? [callbacks] : [];
  if (list[0] instanceof base) return list as readonly CallbackInternals[];
  return list.map((callback) => new tf.CustomCallback(callback, yieldEvery));
}

/** tfjs's EarlyStopping keeps these fields between epochs. */
const EARLY_STOPPING_FIELDS = ['wait', 'stoppedEpoch', 'best'] as const;

function stateOf(tf: Tf, callback: object): JsonValue {
  if (isStateful(callback)) return callback.state();
  if (!(callback instanceof tf.EarlyStopping)) return null;
  const fields = callback as unknown as Readonly<Record<(typeof EARLY_STOPPING_FIELDS)[number], number>>;
  return Object.fromEntries(EARLY_STOPPING_FIELDS.map((name) => [name, fields[name]]));
}

function restoreState(tf: Tf, callback: object, state: JsonValue): void {
  if (isStateful(callback)) callback.restore(state);
  else if (callback instanceof tf.EarlyStopping && state !== null) Object.assign(callback, state);
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

  states(): JsonValue[] {
    return this.list.map((callback) => stateOf(this.tf, callback));
  }

  restore(states: readonly JsonValue[]): void {
    this.list.forEach((callback, i) => restoreState(this.tf, callback, states[i] ?? null));
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

