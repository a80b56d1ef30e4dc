import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { Tf } from '../tfjs';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { callbackOptions } from './options';

/** Remembers nothing: the stop flag is the fit's. */
class TerminateOnNaN implements FitCallback {
  readonly name = 'TerminateOnNaN';
  readonly endsOnInfiniteLoss = true;

  batchEnd(fit: FitModel, _batch: number, logs: Logs): void {
    const loss = logs['loss'];
    if (loss !== undefined && !Number.isFinite(loss)) fit.stop();
  }
}

/**
 * Ends the training at a batch whose loss is NaN or infinite, as Keras 3 does, where fit() fails without it. That batch
 * is not applied: the model keeps the weights from before it.
 * @param tf the namespace of @tensorflow/tfjs
 */
export function terminateOnNaN(tf: Tf): Callback {
  callbackOptions('terminateOnNaN', tf, {}, []);
  return asCallback(tf, new TerminateOnNaN());
}
