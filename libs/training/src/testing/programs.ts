import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { History } from '@tensorflow/tfjs-layers';
import type { Tf } from '../tfjs';
import { earlyStopping, learningRateScheduler, modelCheckpoint, reduceLROnPlateau, tensorBoard } from '../callbacks';
import { precision } from '../metrics';
import { functionalModel, OPTIMIZERS, sequentialModel, testData, type OptimizerName } from './models';

/** A module's runFn, for tests: trains, and gives all that its user sees. */
export type Program = (tf: Tf, optimizer: OptimizerName) => Promise<unknown>;

const shown = (history: History): unknown => [history.epoch, history.history];

/**
 * Two fits with an evaluation between them: BatchNorm, dropout, two inputs and outputs, validation, shuffling.
 * 90 rows train in batches of 16: the last has 10; the second fit's 98 rows leave 2, fewer than there are replicas.
 */
const fitTwice: Program = async (tf, optimizer) => {
  const data = testData(tf, 101);
  const model = functionalModel(tf, { batchNorm: true, dropout: true, unseeded: true });
  model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: ['categoricalCrossentropy', 'meanSquaredError'], metrics: ['accuracy'] });
  const first = await model.fit([data.x, data.x2], [data.y, data.y2], { batchSize: 16, epochs: 2, verbose: 0, validationSplit: 0.1 });
  const evaluated = model.evaluate([data.x, data.x2], [data.y, data.y2], { batchSize: 30 });
  const cut = [data.x, data.x2, data.y, data.y2].map((tensor) => tensor.slice([0, 0], [98, tensor.shape[1]])) as [typeof data.x, typeof data.x, typeof data.x, typeof data.x];
  const second = await model.fit([cut[0], cut[1]], [cut[2], cut[3]], { batchSize: 16, epochs: 3, verbose: 0, callbacks: tf.callbacks.earlyStopping({ monitor: 'loss', patience: 5 }) });
  return [shown(first), (Array.isArray(evaluated) ? evaluated : [evaluated]).map((value) => value.dataSync()[0]), shown(second)];
};

/** fitDataset with an unseeded shuffle, random augmentation, validation on a generator, a mergeable metric, trainOnBatch. */
const fitDatasets: Program = async (tf, optimizer) => {
  const data = testData(tf, 70);
  const model = sequentialModel(tf, { batchNorm: true, dropout: true });
  model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy', metrics: ['accuracy', precision(tf)] });
  const rows = tf.data.zip({ xs: tf.data.array(data.x.arraySync()), ys: tf.data.array(data.y.arraySync()) });
  const generated = tf.data.generator(function* () {
    for (let row = 0; row < data.x.shape[0]; row++) yield { xs: data.x.slice(row, 1).squeeze([0]), ys: data.y.slice(row, 1).squeeze([0]) };
  });
  const augment = (row: TensorContainer): TensorContainer => {
    const { xs, ys } = row as { xs: number[]; ys: number[] };
    return { xs: xs.map((value) => value + 0.1 * Math.random()), ys };
  };
  const training = rows.shuffle(30).map(augment).batch(16);
  const first = await model.fitDataset(training, { epochs: 2, verbose: 0, validationData: generated.batch(9) });
  // tfjs's type asks for a Dataset<{}>, which no batch() gives.
  const evaluated = await model.evaluateDataset(rows.batch(9) as unknown as Parameters<typeof model.evaluateDataset>[0], {});
  const batch = await model.trainOnBatch(data.x, data.y);
  const second = await model.fitDataset(training.repeat(), { epochs: 3, batchesPerEpoch: 4, verbose: 0 });
  return [shown(first), (Array.isArray(evaluated) ? evaluated : [evaluated]).map((value) => value.dataSync()[0]), batch, shown(second)];
};

/** A fit with callbacks that remember: which learning rates, when it stops, the best weights, and what was saved. */
const fitWithCallbacks: Program = async (tf, optimizer) => {
  const data = testData(tf, 70);
  const model = sequentialModel(tf, { batchNorm: true, dropout: true, unseeded: true });
  model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-callbacks-'));
  try {
    const { epoch, history } = await model.fit(data.x, data.y, {
      batchSize: 16, epochs: 9, verbose: 0, validationSplit: 0.2,
      callbacks: [
        learningRateScheduler(tf, { schedule: (number, rate) => (number === 0 ? 0.1 : rate) }),
        reduceLROnPlateau(tf, { patience: 1, factor: 0.5, minDelta: 0.02 }),
        earlyStopping(tf, { patience: 3, minDelta: 0.02, restoreBestWeights: true }),
        modelCheckpoint(tf, { filepath: join(folder, 'best'), saveBestOnly: true }),
        tensorBoard(tf, { logDir: join(folder, 'logs'), updateFreq: 'batch' }),
      ],
    });
    const [events] = readdirSync(join(folder, 'logs', 'train'));
    return [epoch, history, readFileSync(join(folder, 'best', 'group1-shard1of1.bin')).toString('base64'), readFileSync(join(folder, 'logs', 'train', String(events))).length];
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A dataset that is another one on every member. */
const fitUnlike: Program = async (tf, optimizer) => {
  const data = testData(tf, 16);
  const model = sequentialModel(tf);
  model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy' });
  const dataset = tf.data.generator(function* () {
    yield { xs: tf.mul(data.x, threadId), ys: data.y };
  });
  return shown(await model.fitDataset(dataset, { epochs: 1, verbose: 0 }));
};

export const PROGRAMS = { fitTwice, fitDatasets, fitWithCallbacks, fitUnlike } as const;

export type ProgramName = keyof typeof PROGRAMS;
