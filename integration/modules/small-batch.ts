// A global batch that is smaller than the number of logical replicas.
import * as tf from '@tensorflow/tfjs';

export async function runFn(): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(tf.ones([16, 2]), tf.ones([16, 1]), { epochs: 1, batchSize: 2 });
}
