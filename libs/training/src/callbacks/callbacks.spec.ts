import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from '../install';
import { OPTIMIZERS, sequentialModel, testData, weightBits, type OptimizerName } from '../testing/models';
import type { TrainingState } from '../state/training-state';
import { directionOf, type Direction } from './direction';
import { earlyStopping, learningRateScheduler, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN } from './index';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => {
  jest.restoreAllMocks();
  tf.disposeVariables();
});

const rows = testData(tf, 24);

interface Fit {
  readonly callbacks: tf.Callback[];
  readonly optimizer?: OptimizerName;
  readonly epochs?: number;
  readonly resume?: TrainingState;
}

/** A fit of 2 steps an epoch; with the states after each step. */
async function fit({ callbacks, optimizer = 'sgd', epochs = 3, resume }: Fit) {
  const states: TrainingState[] = [];
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(2), observer: { onStep: () => void states.push(training.state()) }, ...(resume && { resume }) });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy' });
    const first = weightBits(model);
    const tensors = tf.memory().numTensors;
    const { history } = await model.fit(rows.x, rows.y, { batchSize: 12, epochs, verbose: 0, callbacks });
    return { history, states, moved: weightBits(model).join() !== first.join(), kept: tf.memory().numTensors - tensors };
  } finally {
    training.uninstall();
  }
}

/** tfjs's type of a list of callbacks leaves its own CustomCallback out. */
const custom = (args: tf.CustomCallbackArgs): tf.Callback => new tf.CustomCallback(args) as unknown as tf.Callback;

/** As JavaScript calls it, where no type is checked. */
type Loose = (tf: unknown, options?: unknown) => unknown;
const [stopping, reducing, scheduling, saving, logging, guarding] = [earlyStopping, reduceLROnPlateau, learningRateScheduler, modelCheckpoint, tensorBoard, terminateOnNaN] as unknown as Loose[] as [Loose, Loose, Loose, Loose, Loose, Loose];

test.each<[string, () => unknown, RegExp]>([
  ['no namespace', () => stopping({ patience: 2 }), /^earlyStopping\(\): the first argument is the namespace of TensorFlow.js: call earlyStopping\(tf, options\)/],
  ['no namespace, and no options either', () => guarding(undefined), /^terminateOnNaN\(\): the first argument is the namespace/],
  ['options that are a string', () => stopping(tf, 'val_loss'), /the options must be an object, got 'val_loss'/],
  ['an option that is not there', () => stopping(tf, { restoreBestWeight: true }), /there is no option restoreBestWeight; there are monitor, mode, minDelta, patience, baseline, restoreBestWeights, startFromEpoch/],
  ['a mode that is not there', () => stopping(tf, { mode: 'maximum' }), /mode must be one of 'auto', 'min', 'max', got 'maximum'/],
  ['a metric whose name does not tell', () => stopping(tf, { monitor: 'val_score' }), /whether more or less of val_score is better cannot be told by its name: pass mode: 'max' or mode: 'min'/],
  ['a metric that is no string', () => stopping(tf, { monitor: 3 }), /monitor must be a string that is not empty, got 3/],
  ['patience below zero', () => stopping(tf, { patience: -1 }), /patience must be an integer of at least 0, got -1/],
  ['patience of half an epoch', () => stopping(tf, { patience: 0.5 }), /patience must be an integer of at least 0, got 0.5/],
  ['minDelta that is NaN', () => stopping(tf, { minDelta: NaN }), /minDelta must be a number, got NaN/],
  ['baseline that is a string', () => stopping(tf, { baseline: '0.5' }), /baseline must be a number, got '0.5'/],
  ['restoreBestWeights that is a number', () => stopping(tf, { restoreBestWeights: 1 }), /restoreBestWeights must be true or false, got 1/],
  ['a factor of 1', () => reducing(tf, { factor: 1 }), /factor must be a number above 0 and below 1, got 1/],
  ['a factor of 0', () => reducing(tf, { factor: 0 }), /factor must be a number above 0 and below 1, got 0/],
  ['a minLr below zero', () => reducing(tf, { minLr: -1 }), /minLr must be a number of at least 0, got -1/],
  ['no schedule', () => scheduling(tf, {}), /schedule must be a function \(epoch, learningRate\) => learningRate, got undefined/],
  ['a schedule that is a number', () => scheduling(tf, { schedule: 0.1 }), /schedule must be a function .*, got 0.1/],
  ['no filepath', () => saving(tf, {}), /filepath must be a string that is not empty, got undefined/],
  ['a relative filepath', () => saving(tf, { filepath: 'best' }), /filepath must be an absolute path, as join\(fnArgs.modelRunDir, 'best'\) is: .*, got 'best'/],
  ['a field that cannot be written', () => saving(tf, { filepath: '/x/{val_loss:.2g}' }), /filepath '\/x\/\{val_loss:.2g\}': the field \{val_loss:.2g\} cannot be written: write \{epoch\}/],
  ['a saveFreq of 0', () => saving(tf, { filepath: '/x', saveFreq: 0 }), /saveFreq must be 'epoch' or a number of batches, got 0/],
  ['a relative logDir', () => logging(tf, { logDir: 'logs' }), /logDir must be an absolute path/],
  ['an updateFreq that is not there', () => logging(tf, { logDir: '/x', updateFreq: 'step' }), /updateFreq must be 'epoch', 'batch' or a number of batches, got 'step'/],
])('%s is refused, with what to do', (_what, make, message) => {
  expect(make).toThrow(expect.objectContaining({ name: 'TrainingError', reason: 'BAD_ARGUMENT', message: expect.stringMatching(message) }));
});

test('a metric that is not in the logs is warned of once a fit, by name, and decides nothing', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
  const callback = earlyStopping(tf, { monitor: 'val_loss', patience: 1 });
  expect((await fit({ callbacks: [callback], epochs: 4 })).history['loss']).toHaveLength(4);
  expect(warn.mock.calls).toEqual([['EarlyStopping watches val_loss, which is not in the logs; there are: loss', { code: 'LOCKSTEP_NO_METRIC' }]]);
  await fit({ callbacks: [callback], epochs: 2 });
  expect(warn).toHaveBeenCalledTimes(2);
});

describe('a learning rate', () => {
  test.each(Object.keys(OPTIMIZERS) as OptimizerName[])('of zero stops %s, and stands in History', async (optimizer) => {
    const { moved, history } = await fit({ optimizer, epochs: 2, callbacks: [learningRateScheduler(tf, { schedule: () => 0 })] });
    expect([moved, history['learning_rate']]).toEqual([false, [0, 0]]);
  });

  test('that is no number fails the fit, with the epoch', async () => {
    const schedule = (epoch: number): number => (epoch < 1 ? 0.1 : NaN);
    await expect(fit({ callbacks: [learningRateScheduler(tf, { schedule })] })).rejects.toMatchObject({ reason: 'BAD_ARGUMENT', message: expect.stringContaining('schedule must return a finite number, for epoch 1 it returned NaN') });
  });

  test('is seen by callbacks that come later in the list', async () => {
    const seen: unknown[] = [];
    const later = custom({ onEpochEnd: (_epoch, logs) => void seen.push(logs?.['learning_rate']) });
    await fit({ epochs: 2, callbacks: [learningRateScheduler(tf, { schedule: (epoch) => 0.5 / (epoch + 1) }), later] });
    expect(seen).toEqual([0.5, 0.25]);
  });
});

test('best weights leave no tensor behind, whether they were kept, given back or replaced', async () => {
  const callback = earlyStopping(tf, { monitor: 'loss', patience: 9, restoreBestWeights: true });
  expect((await fit({ callbacks: [callback] })).kept).toBe(0);
  expect((await fit({ callbacks: [callback] })).kept).toBe(0);
});

test('weights that are given back are those of the best epoch, in plain tfjs too', async () => {
  const best: string[] = [];
  const restored = sequentialModel(tf);
  restored.compile({ optimizer: OPTIMIZERS.momentum(tf), loss: 'categoricalCrossentropy' });
  // Worse from the third epoch on.
  const worse = custom({
    onEpochEnd: (epoch, logs) => {
      if (logs) logs['val_loss'] = [0.5, 0.4, 0.6, 0.7, 0.8][epoch] ?? NaN;
      if (epoch === 1) best.push(...weightBits(restored));
    },
  });
  const { epoch } = await restored.fit(rows.x, rows.y, { batchSize: 12, epochs: 5, verbose: 0, callbacks: [worse, earlyStopping(tf, { patience: 2, restoreBestWeights: true })] });
  expect(epoch).toEqual([0, 1, 2, 3]);
  expect(weightBits(restored)).toEqual(best);
});

describe('a state of other callbacks is refused', () => {
  const wrote = (): tf.Callback[] => [earlyStopping(tf, { monitor: 'loss', patience: 5 }), learningRateScheduler(tf, { schedule: () => 0.1 })];
  test.each<[string, () => tf.Callback[], RegExp]>([
    ['fewer', () => wrote().slice(0, 1), /fit\(.*\) has 1 callbacks, in the run that wrote the state it had 2/],
    ['more', () => [...wrote(), terminateOnNaN(tf)], /has 3 callbacks, .* it had 2/],
    ['others', () => [earlyStopping(tf, { monitor: 'loss' }), reduceLROnPlateau(tf, { monitor: 'loss' })], /the fit has ReduceLROnPlateau where the run that wrote the state had LearningRateScheduler/],
    ['one that keeps no state', () => [custom({}), learningRateScheduler(tf, { schedule: () => 0.1 })], /a callback keeps no state, and in the run that wrote the state it did/],
  ])('%s', async (_what, callbacks, message) => {
    const { states } = await fit({ callbacks: wrote() });
    const resume = states[2];
    if (!resume) throw new Error('no state was taken');
    await expect(fit({ callbacks: callbacks(), resume })).rejects.toMatchObject({ reason: 'CALL_MISMATCH', message: expect.stringMatching(message) });
  });
});

test('a loss that is not finite ends the training, where terminateOnNaN says so: the batch is not applied', async () => {
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(2) });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: OPTIMIZERS.adam(tf), loss: 'categoricalCrossentropy' });
    const bad = tf.concat<tf.Tensor2D>([rows.x.slice(0, 12), tf.fill([12, 20], NaN)]);
    const weights: string[] = [];
    const watch = custom({ onBatchEnd: () => void weights.push(weightBits(model).join()) });
    const args = { batchSize: 6, epochs: 5, shuffle: false, verbose: 0 } as const;
    const { epoch, history } = await model.fit(bad, rows.y, { ...args, callbacks: [watch, terminateOnNaN(tf)] });
    expect([epoch, history]).toEqual([[0], { loss: [NaN] }]);
    expect(weights).toHaveLength(3);
    expect(weights[2]).toBe(weights[1]);
    await expect(model.fit(bad, rows.y, { ...args, callbacks: [watch] })).rejects.toMatchObject({ reason: 'NAN_LOSS' });
  } finally {
    training.uninstall();
  }
});

test.each(['fit', 'fitDataset'] as const)('%s() takes callbacks and plain objects in one list, in any order', async (method) => {
  const seen: string[] = [];
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(2) });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const dataset = tf.data.array([{ xs: rows.x, ys: rows.y }]);
    const plain = { onEpochEnd: (epoch: number) => void seen.push(`epoch ${epoch}`) };
    const args = { epochs: 2, verbose: 0 as const, callbacks: [plain, learningRateScheduler(tf, { schedule: () => 0.5 }), plain] as tf.Callback[] };
    const { history } = method === 'fit' ? await model.fit(rows.x, rows.y, args) : await model.fitDataset(dataset, args);
    expect([seen, history['learning_rate']]).toEqual([['epoch 0', 'epoch 0', 'epoch 1', 'epoch 1'], [0.5, 0.5]]);
  } finally {
    training.uninstall();
  }
});

test.each<[string, Direction | undefined]>([
  ['loss', 'min'], ['val_loss', 'min'], ['digit_loss', 'min'], ['acc', 'max'], ['val_acc', 'max'], ['val_digit_acc', 'max'], ['binaryAccuracy', 'max'], ['top_k_categorical_accuracy', 'max'],
  ['val_precision', 'max'], ['auc', 'max'], ['mse', 'min'], ['MAE', 'min'], ['meanSquaredError', 'min'], ['cosine', 'min'], ['score', undefined], ['learning_rate', undefined], ['', undefined],
])('%s is better when it is %s', (name, direction) => {
  expect(directionOf(name)).toBe(direction);
});
