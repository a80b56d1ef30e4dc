// Every callback that remembers: learning rates, a stop, the best weights, what was saved and what was logged.
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { earlyStopping, learningRateScheduler, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN, type FnArgs } from '@lockstep/module';

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { epochs = 12 } = fnArgs.hyperparameters as { readonly epochs?: number };
  const xs = tf.tidy(() => tf.randomUniform([90, 4], 0, 1, 'float32', 3));
  const ys = tf.tidy(() => tf.oneHot(tf.randomUniform([90], 0, 3, 'int32', 4), 3));
  const model = tf.sequential({ layers: [
    tf.layers.dense({ inputShape: [4], units: 16, activation: 'relu' }),
    tf.layers.batchNormalization(),
    tf.layers.dropout({ rate: 0.3 }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fit(xs, ys, {
    epochs, batchSize: 16, verbose: 0, validationSplit: 0.2,
    callbacks: [
      terminateOnNaN(tf),
      learningRateScheduler(tf, { schedule: (epoch, rate) => (epoch === 0 ? 0.2 : rate) }),
      reduceLROnPlateau(tf, { patience: 1, factor: 0.5, minDelta: 0.01 }),
      earlyStopping(tf, { patience: 4, minDelta: 0.01, restoreBestWeights: true }),
      modelCheckpoint(tf, { filepath: join(fnArgs.modelRunDir, 'best'), saveBestOnly: true }),
      tensorBoard(tf, { logDir: join(fnArgs.modelRunDir, 'logs'), updateFreq: 'batch' }),
    ],
  });
  await fnArgs.exportModel(model);
}
