// The chief goes on for longer than the others after they have all exported.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ name: 'd', inputShape: [2], units: 1 })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([16, 2]), tf.ones([16, 1]), { epochs: 1, batchSize: 8, verbose: 0 });
  await fnArgs.exportModel(model);
  if (fnArgs.workingDir.includes('worker-1')) await new Promise((resolve) => { setTimeout(resolve, 3000); });
}
