// Trains for so long that a test can end a worker in the middle.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([64, 2]), tf.ones([64, 1]), { epochs: 100_000, batchSize: 8 });
  await fnArgs.exportModel(model);
}
