import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import type { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { readMonitor, type Monitor, type MonitorOptions } from './monitor';
import { callbackOptions } from './options';

/** Options of reduceLROnPlateau: Keras 3's. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** The learning rate is multiplied by this. Default: 0.1. */
  readonly factor?: number;
  /** Epochs without improvement after which the learning rate is reduced. Default: 10. */
  readonly patience?: number;
  /** A change of at most this is no improvement. Default: 0.0001. */
  readonly minDelta?: number;
  /** Epochs after a reduction that do not count. Default: 0. */
  readonly cooldown?: number;
  /** The learning rate is never reduced below this. Default: 0. */
  readonly minLr?: number;
}

/** Keras 3's decisions; the learning rate is a float32, as there. */
class ReduceLROnPlateau implements FitCallback {
  readonly name = 'ReduceLROnPlateau';
  private best: number | null = null;
  private wait = 0;
  /** Epochs of the cooldown that are left. */
  private cooldown = 0;

  constructor(
    private readonly monitor: Monitor,
    private readonly options: Required<Pick<ReduceLROnPlateauOptions, 'factor' | 'patience' | 'cooldown' | 'minLr'>>,
  ) {}

  trainBegin(): void {
    this.monitor.reset();
    this.best = null;
    this.wait = 0;
    this.cooldown = 0;
  }

  epochEnd(fit: FitModel, _epoch: number, logs: Logs): void {
    const { monitor, options } = this;
    logs['learning_rate'] = fit.learningRate;
    const value = monitor.read(logs);
    if (value === undefined) return;
    if (this.cooldown > 0) this.cooldown--;
    if (monitor.improves(value, this.best)) {
      this.best = value;
      this.wait = 0;
      return;
    }
    if (this.cooldown > 0) return;
    this.wait++;
    const rate = fit.learningRate;
    if (this.wait < options.patience || rate <= Math.fround(options.minLr)) return;
    fit.learningRate = Math.max(rate * options.factor, options.minLr);
    this.cooldown = options.cooldown;
    this.wait = 0;
  }

  state(): JsonValue {
    return { best: this.best, wait: this.wait, cooldown: this.cooldown };
  }

  restore(_fit: FitModel, state: JsonReader): void {
    this.best = state.field('best').nullable((best) => best.number());
    this.wait = state.field('wait').integer(0);
    this.cooldown = state.field('cooldown').integer(0);
  }
}

/**
 * Reduces the optimizer's learning rate when a metric has stopped getting better, with Keras 3's options and decisions.
 * The rate of each epoch stands in the logs and in History as `learning_rate`, as in Keras 3.
 * @param tf the namespace of @tensorflow/tfjs
 * @throws TrainingError (BAD_ARGUMENT) that names the option; in fit(), when the optimizer has no learning rate
 */
export function reduceLROnPlateau(tf: Tf, options: ReduceLROnPlateauOptions = {}): Callback {
  const read = callbackOptions('reduceLROnPlateau', tf, options, ['monitor', 'mode', 'factor', 'patience', 'minDelta', 'cooldown', 'minLr']);
  const monitor = readMonitor('ReduceLROnPlateau', read, read.number('minDelta', 1e-4));
  return asCallback(tf, new ReduceLROnPlateau(monitor, {
    factor: read.number('factor', 0.1, { above: 0, below: 1 }),
    patience: read.number('patience', 10, { minimum: 0, integer: true }),
    cooldown: read.number('cooldown', 0, { minimum: 0, integer: true }),
    minLr: read.number('minLr', 0, { minimum: 0 }),
  }));
}
