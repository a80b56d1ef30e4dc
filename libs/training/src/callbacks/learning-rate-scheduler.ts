import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { OptionReader } from '../options';
import type { Tf } from '../tfjs';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { callbackOptions } from './options';

/** Options of learningRateScheduler. */
export interface LearningRateSchedulerOptions {
  /**
   * The learning rate of an epoch (from 0). It must depend on its arguments alone: another process may go on in the middle.
   * @param learningRate the present one, a float32
   */
  readonly schedule: (epoch: number, learningRate: number) => number;
}

/** Remembers nothing: the learning rate is the optimizer's. */
class LearningRateScheduler implements FitCallback {
  readonly name = 'LearningRateScheduler';

  constructor(
    private readonly schedule: LearningRateSchedulerOptions['schedule'],
    private readonly read: OptionReader<LearningRateSchedulerOptions>,
  ) {}

  epochBegin(fit: FitModel, epoch: number): void {
    const rate: unknown = this.schedule(epoch, fit.learningRate);
    if (typeof rate !== 'number' || !Number.isFinite(rate)) throw this.read.refuse(`schedule must return a finite number, for epoch ${epoch} it returned ${String(rate)}`);
    fit.learningRate = rate;
  }

  epochEnd(fit: FitModel, _epoch: number, logs: Logs): void {
    logs['learning_rate'] = fit.learningRate;
  }
}

/**
 * Sets the optimizer's learning rate at the beginning of each epoch, as Keras 3 does. The rate of each epoch stands in
 * the logs and in History as `learning_rate`.
 * @param tf the namespace of @tensorflow/tfjs
 * @throws TrainingError (BAD_ARGUMENT) that names the option; in fit(), when the optimizer has no learning rate or the schedule gives none
 */
export function learningRateScheduler(tf: Tf, options: LearningRateSchedulerOptions): Callback {
  const read = callbackOptions('learningRateScheduler', tf, options, ['schedule']);
  const { schedule } = options;
  if (typeof schedule !== 'function') throw read.wrong('schedule', 'a function (epoch, learningRate) => learningRate');
  return asCallback(tf, new LearningRateScheduler(schedule, read));
}
