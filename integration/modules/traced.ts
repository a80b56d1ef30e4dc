// Writes down when each step ended, for measurements of what disturbances cost.
import { appendFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { log, steps, epochs = 1 } = fnArgs.customConfig as { log: string; steps: number; epochs?: number };
  const worker = dirname(dirname(fnArgs.workingDir)).split('/').at(-1)?.replace('workers-', '') ?? '';
  const model = tf.sequential({ layers: [
    tf.layers.dense({ inputShape: [784], units: 256, activation: 'relu' }), tf.layers.batchNormalization(), tf.layers.dense({ units: 10, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
  let step = 0;
  const trace = new tf.CustomCallback({ onBatchEnd: async () => {
    appendFileSync(log, `${JSON.stringify({ worker, step: step++, ms: Date.now(), rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20) })}\n`);
    return Promise.resolve();
  } });
  const x = tf.randomNormal([64 * steps, 784], 0, 1, 'float32', 3);
  const y = tf.oneHot(tf.argMax(x.slice([0, 0], [64 * steps, 10]), 1).toInt(), 10).toFloat();
  await model.fit(x, y, { batchSize: 64, epochs, verbose: 0, callbacks: trace });
  await fnArgs.exportModel(model);
}
