// Dropout, BatchNorm, Adam, a short last batch, two fit calls, an evaluation, unseeded shuffles: whatever could make bytes differ.
import * as tf from '@tensorflow/tfjs';
import type { FnArgs } from '@lockstep/module';

const FEATURES = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];
const SCALE = [0.1, 0.1, 0.01, 0.001];
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

const toInputs = (features: Record<string, tf.Tensor>): tf.Tensor => tf.concat(FEATURES.map((name, i) => tf.mul(tf.cast(features[name], 'float32'), SCALE[i])), 1);

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const toRow = ({ xs, ys }: { xs: Record<string, tf.Tensor>; ys: tf.Tensor }) => ({
    xs: toInputs(xs),
    ys: tf.oneHot(tf.tensor1d(Array.from(ys.dataSync<'string'>(), (name) => SPECIES.indexOf(name)), 'int32'), SPECIES.length),
  });
  const options = { batchSize: 25, labelKey: 'Species', numEpochs: 1 };
  const train = fnArgs.dataAccessor.tfDatasetFactory(fnArgs.trainFiles, options).mapRows(toRow);
  const evaluation = fnArgs.dataAccessor.tfDatasetFactory(fnArgs.evalFiles, { ...options, shuffle: false }).mapRows(toRow);
  const model = tf.sequential({ layers: [
    tf.layers.dense({ inputShape: [4], units: 16, activation: 'relu' }),
    tf.layers.batchNormalization(),
    tf.layers.dropout({ rate: 0.3 }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fitDataset(train, { epochs: 2, validationData: evaluation });

  // In-memory rows: 26 in batches of 8 leave two for the last one, so that at V=4 two replicas have none.
  const xs = tf.tidy(() => tf.randomUniform([26, 4], 0, 1, 'float32', 3));
  const ys = tf.tidy(() => tf.oneHot(tf.randomUniform([26], 0, 3, 'int32', 4), 3));
  await model.fit(xs, ys, { epochs: 2, batchSize: 8, verbose: 0 });
  await model.evaluateDataset(evaluation as unknown as tf.data.Dataset<tf.TensorContainerObject>, {});
  await fnArgs.exportModel(model, { examples: { features: FEATURES, featuresToInputs: toInputs } });
}
