// The penguins of penguins.ts, so slowly that one can watch what happens to the workers: the pause after each step changes no bit.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

/** Measures with their typical value and spread, so that the network sees numbers around zero. */
const MEASURES: Record<string, [mean: number, deviation: number]> = {
  'Beak Length (mm)': [44, 5.5],
  'Beak Depth (mm)': [17, 2],
  'Flipper Length (mm)': [201, 14],
  'Body Mass (g)': [4200, 800],
};

/** From features by name to the model's input [rows, 4]; the exported model does the same with serialized examples. */
const toInputs = (features: Record<string, tf.Tensor>): tf.Tensor =>
  tf.concat(Object.entries(MEASURES).map(([name, [mean, deviation]]) => tf.div(tf.sub(tf.cast(features[name], 'float32'), mean), deviation)), 1);

const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
  xs: toInputs(xs),
  ys: tf.oneHot(tf.tensor1d(Array.from(ys.dataSync<'string'>(), (name) => SPECIES.indexOf(name)), 'int32'), SPECIES.length),
});

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { epochs = 30, batchSize = 32, learningRate = 0.02 } = fnArgs.hyperparameters as { epochs?: number; batchSize?: number; learningRate?: number };
  const options = { batchSize, labelKey: 'Species' };
  const train = fnArgs.dataAccessor.tfDatasetFactory(fnArgs.trainFiles, { ...options, numEpochs: 1 }).mapRows(toRow);
  const evaluation = fnArgs.dataAccessor.tfDatasetFactory(fnArgs.evalFiles, { ...options, numEpochs: 1, shuffle: false }).mapRows(toRow);

  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: 'hidden', inputShape: [4], units: 32, activation: 'relu' }),
      tf.layers.batchNormalization({ name: 'normal' }),
      tf.layers.dropout({ name: 'dropout', rate: 0.2 }),
      tf.layers.dense({ name: 'species', units: SPECIES.length, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(learningRate), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const pause = new tf.CustomCallback({ onBatchEnd: async () => { await new Promise((resolve) => setTimeout(resolve, 40)); } });
  await model.fitDataset(train, { epochs, validationData: evaluation, callbacks: pause });
  await fnArgs.exportModel(model, { examples: { features: Object.keys(MEASURES), featuresToInputs: toInputs } });
}
