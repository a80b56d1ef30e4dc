import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from './install';
import { functionalModel, OPTIMIZERS, sequentialModel, testData, weightBits, type ModelOptions, type OptimizerName } from './testing/models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Runs the same program in plain tfjs, and then installed. */
async function both<T>(program: () => Promise<T>, replicas = 1): Promise<[plain: T, adopted: T]> {
  const plain = await program();
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(replicas) });
  try {
    return [plain, await program()];
  } finally {
    training.uninstall();
  }
}

const MODELS: Record<string, { functional: boolean; options: ModelOptions }> = {
  'sequential': { functional: false, options: {} },
  'sequential with BatchNorm': { functional: false, options: { batchNorm: true } },
  'sequential with L2': { functional: false, options: { regularized: true } },
  'two inputs and outputs': { functional: true, options: {} },
  'two inputs and outputs with BatchNorm': { functional: true, options: { batchNorm: true } },
  'two inputs and outputs with a shared BatchNorm': { functional: true, options: { batchNorm: true, shared: true } },
};

const CASES = Object.keys(MODELS).flatMap((model) => (Object.keys(OPTIMIZERS) as OptimizerName[]).map((optimizer) => ({ model, optimizer })));

describe('at V=1 in one process, fit is bit for bit that of plain tfjs', () => {
  test.each(CASES)('$model, $optimizer: weights, History, callbacks, evaluate', async ({ model: name, optimizer }) => {
    const { functional, options } = MODELS[name] ?? { functional: false, options: {} };
    const data = testData(tf, 60);
    const held = testData(tf, 20, 30);
    const xs = (from: typeof data): tf.Tensor | tf.Tensor[] => (functional ? [from.x, from.x2] : from.x);
    const ys = (from: typeof data): tf.Tensor | tf.Tensor[] => (functional ? [from.y, from.y2] : from.y);
    const [plain, adopted] = await both(async () => {
      const model = functional ? functionalModel(tf, options) : sequentialModel(tf, options);
      model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: functional ? ['categoricalCrossentropy', 'meanSquaredError'] : 'categoricalCrossentropy', metrics: ['accuracy'] });
      const called: unknown[] = [];
      const history = await model.fit(xs(data), ys(data), {
        batchSize: 16,
        epochs: 2,
        shuffle: false,
        verbose: 0,
        ...(functional ? {} : { validationData: [xs(held), ys(held)] as [tf.Tensor, tf.Tensor] }),
        callbacks: {
          onTrainBegin: (logs) => void called.push(['train begin', { ...logs }]),
          onEpochBegin: (epoch, logs) => void called.push(['epoch begin', epoch, { ...logs }]),
          onBatchBegin: (batch, logs) => void called.push(['batch begin', batch, { ...logs }]),
          onBatchEnd: (batch, logs) => void called.push(['batch end', batch, { ...logs }]),
          onEpochEnd: (epoch, logs) => void called.push(['epoch end', epoch, { ...logs }]),
          onTrainEnd: (logs) => void called.push(['train end', { ...logs }]),
        },
      });
      const evaluated = model.evaluate(xs(data), ys(data), { batchSize: 25 });
      const values = (Array.isArray(evaluated) ? evaluated : [evaluated]).map((value) => value.dataSync()[0]);
      return { weights: weightBits(model), history: JSON.stringify([history.epoch, history.history]), called, values };
    });
    expect(adopted.weights).toEqual(plain.weights);
    expect(adopted.history).toBe(plain.history);
    expect(adopted.called).toEqual(plain.called);
    // Of several outputs tfjs gives a running total for each: the first output's loss under the name of the total.
    expect(adopted.values).toEqual(functional ? plain.values.slice(1) : plain.values);
  });
});

const data = testData(tf, 50);
const dataset = (rowCount: number, batchSize: number): tf.data.Dataset<tf.TensorContainer> =>
  tf.data
    .zip({ xs: tf.data.array(data.x.slice(0, rowCount).arraySync()), ys: tf.data.array(data.y.slice(0, rowCount).arraySync()) })
    .batch(batchSize);

type Surface = (model: tf.Sequential) => Promise<unknown>;

const compileAgain = (model: tf.Sequential, optimizer: tf.Optimizer): void => model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

const SURFACE: Record<string, Surface> = {
  'validationSplit': (model) => model.fit(data.x, data.y, { epochs: 2, verbose: 0, shuffle: false, validationSplit: 0.3 }),
  'classWeight': (model) => model.fit(data.x, data.y, { epochs: 2, verbose: 0, shuffle: false, classWeight: { 0: 1, 1: 2, 2: 0.5, 3: 1, 4: 3 } }),
  'classWeight with validationSplit': (model) =>
    model.fit(data.x, data.y, { epochs: 2, verbose: 0, shuffle: false, validationSplit: 0.2, classWeight: { 0: 1, 1: 2, 2: 0.5, 3: 1, 4: 3 } }),
  'initialEpoch': (model) => model.fit(data.x, data.y, { epochs: 4, initialEpoch: 2, verbose: 0, shuffle: false }),
  'fitDataset': (model) => model.fitDataset(dataset(50, 16), { epochs: 2, verbose: 0 }),
  'fitDataset, validation on a dataset': (model) => model.fitDataset(dataset(50, 16), { epochs: 2, verbose: 0, validationData: dataset(40, 9) }),
  'fitDataset, validation on some batches': (model) => model.fitDataset(dataset(50, 16), { epochs: 2, verbose: 0, validationData: dataset(40, 9), validationBatches: 2 }),
  'fitDataset, batchesPerEpoch, validation on tensors': (model) =>
    model.fitDataset(dataset(50, 16).repeat(2), { epochs: 2, batchesPerEpoch: 3, verbose: 0, validationData: [data.x, data.y] }),
  'fitDataset, classWeight': (model) => model.fitDataset(dataset(50, 16), { epochs: 1, verbose: 0, classWeight: { 0: 1, 1: 2, 2: 0.5, 3: 1, 4: 3 } }),
  'fitDataset, callbacks': async (model) => {
    const called: unknown[] = [];
    await model.fitDataset(dataset(50, 16), {
      epochs: 2,
      verbose: 0,
      callbacks: {
        onBatchBegin: (batch, logs) => void called.push(['batch begin', batch, { ...logs }]),
        onBatchEnd: (batch, logs) => void called.push(['batch end', batch, { ...logs }]),
        onEpochEnd: (epoch, logs) => void called.push(['epoch end', epoch, { ...logs }]),
      },
    });
    return called;
  },
  'evaluateDataset': async (model) => {
    const values = await model.evaluateDataset(dataset(50, 16) as unknown as Parameters<typeof model.evaluateDataset>[0], {});
    return (values as tf.Scalar[]).map((value) => value.dataSync()[0]);
  },
  'evaluateDataset, some batches': async (model) => {
    const values = await model.evaluateDataset(dataset(50, 16) as unknown as Parameters<typeof model.evaluateDataset>[0], { batches: 2 });
    return (values as tf.Scalar[]).map((value) => value.dataSync()[0]);
  },
  'trainOnBatch': (model) => model.trainOnBatch(data.x, data.y),
  'stopTraining at the end of an epoch': (model) =>
    model.fit(data.x, data.y, { epochs: 3, verbose: 0, shuffle: false, callbacks: { onEpochEnd: (epoch) => void (epoch === 1 && (model.stopTraining = true)) } }),
  'stopTraining at the end of a batch': (model) =>
    model.fit(data.x, data.y, { batchSize: 16, epochs: 3, verbose: 0, shuffle: false, callbacks: { onBatchEnd: (batch) => void (batch === 1 && (model.stopTraining = true)) } }),
  'stopTraining at the end of a batch of a dataset': (model) =>
    model.fitDataset(dataset(50, 16), { epochs: 3, verbose: 0, validationData: dataset(40, 9), callbacks: { onBatchEnd: (batch) => void (batch === 1 && (model.stopTraining = true)) } }),
  'EarlyStopping': (model) =>
    model.fit(data.x, data.y, { epochs: 9, verbose: 0, shuffle: false, callbacks: tf.callbacks.earlyStopping({ monitor: 'acc', patience: 1, minDelta: 0.5 }) }),
  'evaluate in a callback': async (model) => {
    const values: unknown[] = [];
    const onEpochEnd = (): void => void values.push((model.evaluate(data.x, data.y) as tf.Scalar[]).map((value) => value.dataSync()[0]));
    await model.fit(data.x, data.y, { epochs: 2, verbose: 0, shuffle: false, callbacks: { onEpochEnd } });
    return values;
  },
  'setWeights in a callback': (model) =>
    model.fit(data.x, data.y, { epochs: 2, verbose: 0, shuffle: false, callbacks: { onEpochEnd: () => model.setWeights(model.getWeights().map((weight) => weight.mul(0.5))) } }),
  'two fits': async (model) => {
    await model.fit(data.x, data.y, { verbose: 0, shuffle: false });
    return model.fit(data.x, data.y, { verbose: 0, shuffle: false });
  },
  'recompiled': async (model) => {
    await model.fit(data.x, data.y, { verbose: 0, shuffle: false });
    model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: 'meanSquaredError', metrics: ['mse'] });
    return model.fit(data.x, data.y, { verbose: 0, shuffle: false });
  },
  'frozen layer, recompiled': async (model) => {
    await model.fit(data.x, data.y, { verbose: 0, shuffle: false });
    const [hidden] = model.layers;
    if (hidden) hidden.trainable = false;
    compileAgain(model, tf.train.adam(0.01));
    return model.fit(data.x, data.y, { verbose: 0, shuffle: false });
  },
  'learning rate changed in a callback': (model) =>
    model.fit(data.x, data.y, {
      epochs: 3,
      verbose: 0,
      shuffle: false,
      callbacks: { onEpochBegin: () => void ((model.optimizer as tf.AdamOptimizer & { learningRate: number }).learningRate *= 0.5) },
    }),
};

describe('at V=1 in one process, the surface of training is that of plain tfjs', () => {
  test.each(Object.keys(SURFACE))('%s', async (name) => {
    const [plain, adopted] = await both(async () => {
      const model = sequentialModel(tf, { batchNorm: true });
      compileAgain(model, tf.train.adam(0.01));
      const result = await SURFACE[name]?.(model);
      const shown = result instanceof tf.History ? [result.epoch, result.history] : result;
      return { weights: weightBits(model), result: JSON.stringify(shown) };
    });
    expect(adopted.result).toBe(plain.result);
    expect(adopted.weights).toEqual(plain.weights);
  });
});

describe('at V=4 without BatchNorm and dropout, training is that of plain tfjs up to rounding', () => {
  test.each(Object.keys(OPTIMIZERS) as OptimizerName[])('%s', async (optimizer) => {
    const [plain, adopted] = await both(async () => {
      const model = sequentialModel(tf);
      model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy' });
      const history = await model.fit(data.x, data.y, { batchSize: 15, epochs: 2, verbose: 0, shuffle: false });
      return { weights: model.getWeights().flatMap((weight) => Array.from(weight.dataSync())), loss: history.history['loss'] as number[] };
    }, 4);
    adopted.weights.forEach((weight, i) => expect(weight).toBeCloseTo(plain.weights[i] ?? NaN, 5));
    adopted.loss.forEach((loss, i) => expect(loss).toBeCloseTo(plain.loss[i] ?? NaN, 5));
  });
});
