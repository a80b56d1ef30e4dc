import type { Tensor } from '@tensorflow/tfjs-core';
import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import type { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { KeptWeights } from './kept-weights';
import { readMonitor, type Monitor, type MonitorOptions } from './monitor';
import { callbackOptions } from './options';

/** Options of earlyStopping: Keras 3's. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** A change of at most this is no improvement. Default: 0. */
  readonly minDelta?: number;
  /** Epochs without improvement after which training stops. Default: 0. */
  readonly patience?: number;
  /** Epochs wait until the metric is better than this, too. */
  readonly baseline?: number;
  /** Whether the model ends with the weights of its best epoch, also when training was not stopped. Default: false. */
  readonly restoreBestWeights?: boolean;
  /** The first epoch that counts. Default: 0. */
  readonly startFromEpoch?: number;
}

const BEST = 'best';

/** Keras 3's decisions. */
class EarlyStopping implements FitCallback {
  readonly name = 'EarlyStopping';
  private wait = 0;
  private best: number | null = null;
  private bestWeights: KeptWeights | undefined;

  constructor(
    private readonly monitor: Monitor,
    private readonly options: Required<Omit<EarlyStoppingOptions, 'monitor' | 'mode' | 'minDelta' | 'baseline'>> & { readonly baseline: number | null },
  ) {}

  trainBegin(): void {
    this.monitor.reset();
    this.wait = 0;
    this.best = null;
    this.keep(undefined);
  }

  epochEnd(fit: FitModel, epoch: number, logs: Logs): void {
    const { monitor } = this;
    const { baseline, patience, restoreBestWeights, startFromEpoch } = this.options;
    const value = monitor.read(logs);
    if (value === undefined || epoch < startFromEpoch) return;
    this.wait++;
    if (monitor.improves(value, this.best)) {
      this.best = value;
      if (restoreBestWeights) this.keep(KeptWeights.now(fit));
      if (baseline === null || monitor.improves(value, baseline)) this.wait = 0;
    } else if (this.wait >= patience) {
      fit.stop();
    }
  }

  trainEnd(): void {
    this.bestWeights?.apply();
    this.keep(undefined);
  }

  state(): JsonValue {
    return { wait: this.wait, best: this.best };
  }

  stateTensors(): ReadonlyMap<string, Tensor> {
    return new Map(this.bestWeights?.stateTensors(BEST));
  }

  restore(fit: FitModel, state: JsonReader, tensors: ReadonlyMap<string, Tensor>): void {
    this.wait = state.field('wait').integer(0);
    this.best = state.field('best').nullable((best) => best.number());
    if (this.best !== null && this.options.restoreBestWeights) this.keep(KeptWeights.fromState(fit, BEST, tensors));
  }

  private keep(weights: KeptWeights | undefined): void {
    this.bestWeights?.dispose();
    this.bestWeights = weights;
  }
}

/**
 * Stops training when a metric has stopped getting better, with Keras 3's options and decisions. On every member alike,
 * and a process that takes over in the middle goes on with the same count, best value and best weights.
 * @param tf the namespace of @tensorflow/tfjs
 * @throws TrainingError (BAD_ARGUMENT) that names the option
 */
export function earlyStopping(tf: Tf, options: EarlyStoppingOptions = {}): Callback {
  const read = callbackOptions('earlyStopping', tf, options, ['monitor', 'mode', 'minDelta', 'patience', 'baseline', 'restoreBestWeights', 'startFromEpoch']);
  const monitor = readMonitor('EarlyStopping', read, read.number('minDelta', 0));
  return asCallback(tf, new EarlyStopping(monitor, {
    patience: read.number('patience', 0, { minimum: 0, integer: true }),
    baseline: read.optionalNumber('baseline'),
    restoreBestWeights: read.boolean('restoreBestWeights'),
    startFromEpoch: read.number('startFromEpoch', 0, { minimum: 0, integer: true }),
  }));
}
