// All that has to survive a change of members: dropout, BatchNorm, Adam, shuffling, validation, early stopping, two fits.
// Its steps take so long that a test can act in the middle of them.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

const ROWS = 192;

/** Slows the module down without touching a bit: every member waits the same. */
class Slow extends tf.CustomCallback {
  constructor(milliseconds: number) {
    super({ onBatchEnd: async () => { await new Promise((resolve) => setTimeout(resolve, milliseconds)); } });
  }
}

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { stepMs = 30, epochs = 4 } = fnArgs.hyperparameters as { stepMs?: number; epochs?: number };
  const x = tf.randomNormal([ROWS, 12], 0, 1, 'float32', 3);
  const y = tf.oneHot(tf.argMax(x.slice([0, 0], [ROWS, 3]), 1).toInt(), 3).toFloat();
  const model = tf.sequential({ layers: [
    tf.layers.dense({ inputShape: [12], units: 24, activation: 'relu' }),
    tf.layers.batchNormalization(),
    tf.layers.dropout({ rate: 0.2 }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fit(x, y, { batchSize: 32, epochs, verbose: 0, validationSplit: 0.25, callbacks: [new Slow(stepMs), tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 3 })] });
  model.evaluate(x, y, { batchSize: 50 });
  await model.fit(x, y, { batchSize: 24, epochs, verbose: 0, callbacks: new Slow(stepMs) });
  await fnArgs.exportModel(model);
}
