// A learning rate that explodes.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
  model.compile({ optimizer: tf.train.sgd(1e30), loss: 'meanSquaredError' });
  await model.fit(tf.ones([16, 2]), tf.ones([16, 1]), { epochs: 20, batchSize: 4 });
  await fnArgs.exportModel(model);
}
