import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import type { StateError, StateErrorReason } from '../errors';
import { installTraining } from '../install';
import { OPTIMIZERS, sequentialModel, testData, weightBits, type OptimizerName } from '../testing/models';
import type { TrainingState } from './training-state';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SEED = 3;
const rows = testData(tf, 40);

interface Options {
  readonly seed?: number;
  readonly replicas?: number;
  readonly resume?: TrainingState;
  readonly build?: () => tf.Sequential;
  readonly optimizer?: () => tf.Optimizer;
}

/** A module that fits twice; gives the states after both, the weights, and the weights before a second fit that failed. */
async function fitTwice({ seed = SEED, replicas = 2, resume, build = () => sequentialModel(tf, { batchNorm: true, unseeded: true }), optimizer = OPTIMIZERS.adam.bind(null, tf) }: Options) {
  const states: TrainingState[] = [];
  const training = installTraining(tf, {
    seed,
    collective: new LocalCollective(replicas),
    observer: { onCallEnd: () => void states.push(training.state()) },
    ...(resume ? { resume } : {}),
  });
  const model = build();
  try {
    model.compile({ optimizer: optimizer(), loss: 'categoricalCrossentropy' });
    const before = weightBits(model);
    try {
      await model.fit(rows.x, rows.y, { batchSize: 10, epochs: 1, verbose: 0 });
      await model.fit(rows.x, rows.y, { batchSize: 10, epochs: 1, verbose: 0 });
      return { states, weights: weightBits(model), error: undefined, untouched: false };
    } catch (error) {
      return { states, weights: weightBits(model), error: error as StateError, untouched: weightBits(model).join() === before.join() };
    }
  } finally {
    training.uninstall();
  }
}

const first = (states: readonly TrainingState[]): TrainingState => {
  const [state] = states;
  if (!state) throw new Error('no state was taken');
  return state;
};

describe('a state taken after the first of two fits', () => {
  test.each(Object.keys(OPTIMIZERS) as OptimizerName[])('carries all that %s remembers: the second fit ends with the same bits', async (name) => {
    const optimizer = (): tf.Optimizer => OPTIMIZERS[name](tf);
    const whole = await fitTwice({ optimizer });
    const resumed = await fitTwice({ optimizer, resume: first(whole.states) });
    expect(resumed.error).toBeUndefined();
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.states.map((state) => state.digest)).toEqual(whole.states.map((state) => state.digest));
  });

  test('is refused by a job with another seed or number of replicas, when training is installed', async () => {
    const resume = first((await fitTwice({})).states);
    await expect(fitTwice({ resume, seed: SEED + 1 })).rejects.toMatchObject({ reason: 'OTHER_SEED' });
    await expect(fitTwice({ resume, replicas: 4 })).rejects.toMatchObject({ reason: 'OTHER_REPLICAS' });
  });

  test('is refused when a bit of it was flipped', async () => {
    const { bytes, digest } = first((await fitTwice({})).states);
    const damaged = Uint8Array.from(bytes);
    damaged[damaged.length - 9] = (damaged[damaged.length - 9] ?? 0) ^ 4;
    await expect(fitTwice({ resume: { bytes: damaged, digest } })).rejects.toMatchObject({ reason: 'DIGEST_MISMATCH' });
  });

  const layers = (...units: number[]) => (): tf.Sequential => {
    const model = tf.sequential({ name: 'sequential' });
    units.forEach((count, i) => model.add(tf.layers.dense({ name: `layer_${i}`, units: count, ...(i === 0 ? { inputShape: [20] } : {}), activation: 'softmax' })));
    return model;
  };
  test.each<[string, Options, Options, StateErrorReason, RegExp]>([
    ['a layer of another size', { build: layers(6, 5) }, { build: layers(7, 5) }, 'OTHER_MODEL', /weight\/0\/layer_0\/kernel is float32\[20, 6\] in the state and float32\[20, 7\] here/],
    ['a layer more', { build: layers(6, 5) }, { build: layers(6, 5, 5) }, 'OTHER_MODEL', /the state has no model\/0\/weight\/4\/layer_2/],
    ['a layer fewer', { build: layers(6, 5, 5) }, { build: layers(6, 5) }, 'OTHER_MODEL', /the state has model\/0\/weight\/4\/layer_2/],
    ['another optimizer', {}, { optimizer: () => tf.train.sgd(0.1) }, 'OTHER_OPTIMIZER', /compiled with SGD, the state is of Adam/],
  ])('is refused by a module with %s, and changes nothing', async (_what, wrote, reads, reason, message) => {
    const { states } = await fitTwice(wrote);
    const refused = await fitTwice({ ...reads, resume: first(states) });
    expect(refused.error).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(refused.untouched).toBe(true);
  });
});

test('a slot that the optimizer made after the state is gone after the restore, and one that it has not made is there', async () => {
  const training = installTraining(tf, { seed: SEED, collective: new LocalCollective(1) });
  let bytes: TrainingState;
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: 'categoricalCrossentropy' });
    await model.fit(rows.x, rows.y, { verbose: 0 });
    bytes = training.state();
  } finally {
    training.uninstall();
  }
  const again = installTraining(tf, { seed: SEED, collective: new LocalCollective(1), resume: bytes });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: 'categoricalCrossentropy' });
    const before = tf.memory().numTensors;
    await model.fit(rows.x, rows.y, { verbose: 0 });
    // Answered from the log: the four slots are new, nothing else.
    expect(tf.memory().numTensors - before).toBe(4);
    expect(again.state().digest).toBe(bytes.digest);
  } finally {
    again.uninstall();
  }
});

test.each(Object.keys(OPTIMIZERS) as OptimizerName[])('the models of another job go on with %s where that one stopped, whatever it called', async (name) => {
  const fitted = async (epochs: readonly [number, number], from?: TrainingState): Promise<{ readonly state: TrainingState; readonly weights: readonly string[] }> => {
    const training = installTraining(tf, { seed: SEED, collective: new LocalCollective(2) });
    try {
      const model = sequentialModel(tf, { batchNorm: true, dropout: true, unseeded: true });
      model.compile({ optimizer: OPTIMIZERS[name](tf), loss: 'categoricalCrossentropy' });
      if (from) training.goOnFrom(from, 0);
      const [initialEpoch, end] = epochs;
      await model.fit(rows.x, rows.y, { batchSize: 10, initialEpoch, epochs: end, verbose: 0 });
      return { state: training.state(), weights: weightBits(model) };
    } finally {
      training.uninstall();
    }
  };
  const whole = await fitted([0, 3]);
  const parent = await fitted([0, 1]);
  const child = await fitted([1, 3], parent.state);
  expect(child.weights).toEqual(whole.weights);
  expect(child.weights).not.toEqual(parent.weights);
});
