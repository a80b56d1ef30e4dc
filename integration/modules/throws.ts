// Throws on the second worker only, after the first epoch.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([16, 2]), tf.ones([16, 1]), { epochs: 2, batchSize: 4, callbacks: { onEpochEnd: () => {
    if (fnArgs.workingDir.includes('worker-2')) throw new Error('no such column: colour');
  } } });
}
