// Which penguin is it, and how wide should the network be that says so? `tunerFn` says what to search; `runFn` trains with what was found.
import * as tf from '@tensorflow/tfjs';
import { HyperParameters, Hyperband, type FnArgs, type TunerFnResult } from '@lockstep/module';

const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'];

/** Measures with their typical value and spread, so that the network sees numbers around zero. */
const MEASURES: Record<string, [mean: number, deviation: number]> = {
  'Beak Length (mm)': [44, 5.5],
  'Beak Depth (mm)': [17, 2],
  'Flipper Length (mm)': [201, 14],
  'Body Mass (g)': [4200, 800],
};
const MAX_EPOCHS = 4;

const toInputs = (features: Record<string, tf.Tensor>): tf.Tensor =>
  tf.concat(Object.entries(MEASURES).map(([name, [mean, deviation]]) => tf.div(tf.sub(tf.cast(features[name], 'float32'), mean), deviation)), 1);

function data({ dataAccessor, trainFiles, evalFiles }: FnArgs) {
  const rows = (files: readonly string[], shuffle: boolean) => dataAccessor.tfDatasetFactory(files, { batchSize: 8, labelKey: 'Species', numEpochs: 1, shuffle }).mapRows(({ xs, ys }) => ({
    xs: toInputs(xs),
    ys: tf.oneHot(tf.tensor1d(Array.from(ys.dataSync<'string'>(), (name) => SPECIES.indexOf(name)), 'int32'), SPECIES.length),
  }));
  return { train: rows(trainFiles, true), evaluation: rows(evalFiles, false) };
}

function build(hp: HyperParameters): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [4], units: hp.Int('units', { minValue: 4, maxValue: 64, sampling: 'log' }), activation: hp.Choice('activation', ['relu', 'tanh']) }));
  if (hp.Boolean('drop')) model.add(tf.layers.dropout({ rate: hp.conditionalScope('drop', true, () => hp.Float('drop_rate', { minValue: 0.1, maxValue: 0.5 })) ?? 0 }));
  model.add(tf.layers.dense({ units: SPECIES.length, activation: 'softmax' }));
  model.compile({ optimizer: tf.train.adam(hp.Float('rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log' })), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

export function tunerFn(fnArgs: FnArgs): TunerFnResult {
  const { train, evaluation } = data(fnArgs);
  return {
    tuner: new Hyperband({ hypermodel: build, objective: 'val_accuracy', maxEpochs: MAX_EPOCHS, factor: 4, seed: 7 }),
    fitKwargs: { trainDataset: train, validationData: evaluation },
  };
}

export async function runFn(fnArgs: FnArgs): Promise<void> {
  const { train, evaluation } = data(fnArgs);
  const model = build(HyperParameters.fromConfig(fnArgs.hyperparameters));
  await model.fitDataset(train, { epochs: 2 * MAX_EPOCHS, validationData: evaluation });
  await fnArgs.exportModel(model, { examples: { features: Object.keys(MEASURES), featuresToInputs: toInputs } });
}
