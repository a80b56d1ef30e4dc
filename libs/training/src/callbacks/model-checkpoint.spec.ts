import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from '../install';
import { OPTIMIZERS, sequentialModel, testData, weightBits } from '../testing/models';
import { loadCheckpoint, loadCheckpointWeights, modelCheckpoint, type ModelCheckpointOptions } from './index';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lockstep-checkpoint-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
  tf.disposeVariables();
});

const rows = testData(tf, 24);

/** Fits 3 epochs of 2 steps; with the weights after each. */
async function fit(options: Omit<ModelCheckpointOptions, 'filepath'> & { readonly filepath?: string } = {}) {
  const weights: string[] = [];
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(2), observer: { onEpochEnd: () => void weights.push(weightBits(model).join()) } });
  const model = sequentialModel(tf, { batchNorm: true, dropout: true });
  try {
    model.compile({ optimizer: OPTIMIZERS.adam(tf), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const tensors = tf.memory().numTensors;
    const callbacks = [modelCheckpoint(tf, { filepath: join(folder, 'model'), ...options })];
    await model.fit(rows.x, rows.y, { batchSize: 12, epochs: 3, verbose: 0, callbacks });
    return { model, weights, kept: tf.memory().numTensors - tensors };
  } finally {
    training.uninstall();
  }
}

test('a saved model is loaded with its layers and weights, and predicts the same bits', async () => {
  const { model } = await fit({ monitor: 'loss' });
  const loaded = await loadCheckpoint(tf, join(folder, 'model'));
  expect(weightBits(loaded)).toEqual(weightBits(model));
  expect((loaded.predict(rows.x) as tf.Tensor).arraySync()).toEqual((model.predict(rows.x) as tf.Tensor).arraySync());
  expect(readdirSync(folder)).toEqual(['model']);
});

test('each epoch has its file', async () => {
  const { weights } = await fit({ monitor: 'loss', filepath: join(folder, 'deep', '{epoch:02d}') });
  const saved = await Promise.all(['01', '02', '03'].map(async (name) => weightBits(await loadCheckpoint(tf, join(folder, 'deep', name))).join()));
  expect(saved).toEqual(weights);
});

test.each([false, true])('weights are put into another model of the same layers (saved alone: %s)', async (saveWeightsOnly) => {
  const { model } = await fit({ monitor: 'loss', saveWeightsOnly });
  const other = sequentialModel(tf, { batchNorm: true, dropout: true });
  expect(weightBits(other)).not.toEqual(weightBits(model));
  await loadCheckpointWeights(tf, other, join(folder, 'model'));
  expect(weightBits(other)).toEqual(weightBits(model));
  await expect(loadCheckpointWeights(tf, sequentialModel(tf), join(folder, 'model'))).rejects.toThrow(/weight/);
});

test('weights alone are a manifest and their bytes', async () => {
  const { model } = await fit({ monitor: 'loss', saveWeightsOnly: true });
  const [group] = JSON.parse(readFileSync(join(folder, 'model', 'weights.json'), 'utf8')) as tf.io.WeightsManifestConfig;
  expect(group?.paths).toEqual(['weights.bin']);
  expect(readFileSync(join(folder, 'model', 'weights.bin')).toString('hex')).toBe(weightBits(model).join(''));
  await expect(loadCheckpoint(tf, join(folder, 'model'))).rejects.toMatchObject({ reason: 'BAD_LAYERS_MODEL' });
});

test('what an earlier process left half-written is in nobody\'s way', async () => {
  for (const name of ['.model.next', '.model.previous', 'model']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'model.json'), '{');
  }
  const { model } = await fit({ monitor: 'loss' });
  expect(weightBits(await loadCheckpoint(tf, join(folder, 'model')))).toEqual(weightBits(model));
  expect(readdirSync(folder)).toEqual(['model']);
});

test('what is kept to be saved again by others leaves no tensor behind', async () => {
  // Adam's two moments of each of six trained weights.
  expect((await fit({ monitor: 'loss' })).kept).toBe(12);
});

test('a folder that cannot be written fails the fit, with its path', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(fit({ monitor: 'loss', filepath: join(folder, 'file', 'model') })).rejects.toMatchObject({
    reason: 'BAD_ARGUMENT', message: expect.stringMatching(/modelCheckpoint\(\): the model could not be saved to .*\/file\/model: .*Pass a filepath in a folder that can be written/),
  });
});

test('a field that is not in the logs fails the fit, with those that are', async () => {
  await expect(fit({ monitor: 'loss', filepath: join(folder, '{val_loss:.2f}') })).rejects.toMatchObject({
    reason: 'BAD_ARGUMENT', message: 'modelCheckpoint(): filepath has a field {val_loss} that is not there; there are acc, epoch, loss',
  });
});
