import type { Tensor } from '@tensorflow/tfjs-core';
import type { Callback, LayersModel, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { CallAware, StatefulCallback } from '../fit/callbacks';
import { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';
import { FitModel } from './fit-model';

/** What one of our callbacks does at the events of a fit. */
export interface FitCallback {
  /** Its name in Keras. */
  readonly name: string;
  readonly endsOnInfiniteLoss?: true;
  /** Begins anew: nothing of an earlier fit is left. */
  trainBegin?(fit: FitModel): void | Promise<void>;
  epochBegin?(fit: FitModel, epoch: number): void | Promise<void>;
  batchEnd?(fit: FitModel, batch: number, logs: Logs): void | Promise<void>;
  /** What is added to `logs` stands in History. */
  epochEnd?(fit: FitModel, epoch: number, logs: Logs): void | Promise<void>;
  trainEnd?(fit: FitModel): void | Promise<void>;
  /** As in StatefulCallback. */
  state?(): JsonValue;
  stateTensors?(tf: Tf): ReadonlyMap<string, Tensor>;
  /** @throws StateError that names what does not fit */
  restore?(fit: FitModel, state: JsonReader, tensors: ReadonlyMap<string, Tensor>): void;
}

/** A tf.Callback, of the given copy of tfjs, that does what `own` does. */
export function asCallback(tf: Tf, own: FitCallback): Callback {
  class Adapted extends tf.Callback implements StatefulCallback, CallAware {
    readonly endsOnInfiniteLoss = own.endsOnInfiniteLoss;
    private call = 0;
    private fit: FitModel | undefined;

    setCall(call: number): void {
      this.call = call;
    }

    override setModel(model: LayersModel): void {
      super.setModel(model);
      this.fit = new FitModel(tf, model, this.call);
    }

    // async: what is thrown rejects the fit.
    override async onTrainBegin(): Promise<void> {
      await own.trainBegin?.(this.current);
    }

    override async onEpochBegin(epoch: number): Promise<void> {
      await own.epochBegin?.(this.current, epoch);
    }

    override async onBatchEnd(batch: number, logs: Logs = {}): Promise<void> {
      await own.batchEnd?.(this.current, batch, logs);
    }

    override async onEpochEnd(epoch: number, logs: Logs = {}): Promise<void> {
      await own.epochEnd?.(this.current, epoch, logs);
    }

    override async onTrainEnd(): Promise<void> {
      await own.trainEnd?.(this.current);
    }

    state(): JsonValue {
      return { callback: own.name, state: own.state?.() ?? null };
    }

    stateTensors(): ReadonlyMap<string, Tensor> {
      return own.stateTensors?.(tf) ?? new Map<string, Tensor>();
    }

    restore(state: JsonValue, tensors: ReadonlyMap<string, Tensor>): void {
      const json = new JsonReader(state, own.name);
      const name = state === null ? 'another callback' : json.field('callback').string();
      if (name !== own.name) throw new TrainingError('CALL_MISMATCH', `the fit has ${own.name} where the run that wrote the state had ${name}: the module's callbacks changed`);
      own.restore?.(this.current, json.field('state'), tensors);
    }

    private get current(): FitModel {
      if (!this.fit) throw new Error(`${own.name} was called before it was given a model`);
      return this.fit;
    }
  }
  return new Adapted();
}
