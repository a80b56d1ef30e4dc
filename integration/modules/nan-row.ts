// One row of the data is NaN: the loss of one replica's worker is, and so is everybody's sum.
import * as tf from '@tensorflow/tfjs';
import { terminateOnNaN, type FnArgs } from '@lockstep/module';

const ROWS = 64;
const BAD_ROW = 47;

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { terminates } = fnArgs.customConfig as { terminates: boolean };
  const values = Array.from({ length: ROWS }, (_, row) => [row === BAD_ROW ? NaN : row / ROWS, 1]);
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
  await model.fit(tf.tensor2d(values), tf.ones([ROWS, 1]), { epochs: 3, batchSize: 16, shuffle: false, verbose: 0, callbacks: terminates ? [terminateOnNaN(tf)] : [] });
  await fnArgs.exportModel(model);
}
