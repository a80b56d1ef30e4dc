import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining, type Training } from '../install';
import { testData, weightBits } from '../testing/models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** What a module does in a process of its own with training installed. */
async function installed<T>(run: (training: Training) => T | Promise<T>, seed = 1): Promise<T> {
  const training = installTraining(tf, { seed, collective: new LocalCollective(2) });
  try {
    return await run(training);
  } finally {
    training.uninstall();
  }
}

const weights = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => {
      const layer = tf.layers.dense({ name, units: 3, inputShape: [4] });
      return [name, weightBits(tf.sequential({ layers: [layer] })).join()];
    }),
  );

describe('unseeded initialisers', () => {
  test('give a weight of a path the same value, whatever else is built and when', async () => {
    const both = await installed(() => weights(['first', 'second']));
    expect(await installed(() => weights(['second', 'first']))).toEqual(both);
    expect(await installed(() => weights(['second']))).toEqual({ second: both['second'] });
    expect(both['first']).not.toBe(both['second']);
  });

  test('give other values for another seed, and for a second weight of the same path', async () => {
    const [once, again] = await installed(() => [weights(['first']), weights(['first'])]);
    expect(again).not.toEqual(once);
    expect(await installed(() => weights(['first']), 2)).not.toEqual(once);
  });
});

describe('Math.random', () => {
  test('is a stream of the seed in the module, and its own again after uninstall', async () => {
    const own = Math.random;
    const draw = (): number[] => [Math.random(), Math.random()];
    const drawn = await installed(draw);
    expect(await installed(draw)).toEqual(drawn);
    expect(await installed(draw, 2)).not.toEqual(drawn);
    expect(Math.random).toBe(own);
  });
});

const order = async (dataset: tf.data.Dataset<number>): Promise<number[]> => (await dataset.toArray());
const numbers = (): tf.data.Dataset<number> => tf.data.array(Array.from({ length: 20 }, (_, i) => i));

describe('Dataset.shuffle', () => {
  test.each<[string, string | undefined]>([['unseeded', undefined], ['seeded', 'seed']])('%s: the same orders in every process, another in each iteration', async (_what, seed) => {
    const run = async (): Promise<number[][]> => {
      const shuffled = numbers().shuffle(20, seed);
      return [await order(shuffled), await order(shuffled)];
    };
    const [first = [], second = []] = await installed(run);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(second).not.toEqual(first);
    expect(await installed(run)).toEqual([first, second]);
  });

  test('without reshuffling every iteration has the same order', async () => {
    const [first, second] = await installed(async () => {
      const shuffled = numbers().shuffle(20, undefined, false);
      return [await order(shuffled), await order(shuffled)];
    });
    expect(second).toEqual(first);
  });

  test('depends on the seed when unseeded, and on its own alone when seeded', async () => {
    expect(await installed(() => order(numbers().shuffle(20)), 1)).not.toEqual(await installed(() => order(numbers().shuffle(20)), 2));
    expect(await installed(() => order(numbers().shuffle(20, 'seed')), 1)).toEqual(await installed(() => order(numbers().shuffle(20, 'seed')), 2));
  });

  test('a repeat() inside a pass opens it in another order', async () => {
    const repeated = await installed(() => order(numbers().shuffle(20).repeat(2)));
    expect(repeated.slice(20)).not.toEqual(repeated.slice(0, 20));
  });
});

/** What dropout lets through in each step of a training, seen by a layer behind it. */
async function masks(seed: number | undefined, jobSeed: number): Promise<string[]> {
  const seen: string[] = [];
  class Watch extends tf.layers.Layer {
    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
      const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
      if (kwargs['training'] === true) seen.push(Array.from(input.dataSync(), (value) => (value === 0 ? '.' : 'x')).join(''));
      return input;
    }
    override computeOutputShape(shape: tf.Shape): tf.Shape {
      return shape;
    }
    static readonly className = 'Watch';
  }
  await installed(async () => {
    const data = testData(tf, 8);
    const model = tf.sequential({ name: 'masked' });
    model.add(tf.layers.dropout({ name: 'drop', rate: 0.5, inputShape: [20], ...(seed === undefined ? {} : { seed }) }));
    model.add(new Watch({ name: 'watch' }));
    model.add(tf.layers.dense({ name: 'out', units: 5, activation: 'softmax' }));
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await model.fit(data.x, data.y, { batchSize: 4, epochs: 2, verbose: 0, shuffle: false });
  }, jobSeed);
  // The first replica of the first step is computed twice, to see whether it can be.
  expect(seen[1]).toBe(seen[0]);
  return seen.slice(1);
}

describe('dropout', () => {
  test.each<[string, number | undefined]>([['unseeded', undefined], ['seeded', 7]])('%s: another mask in each replica of each step, the same in every process', async (_what, seed) => {
    const first = await masks(seed, 1);
    // 2 epochs of 2 batches of 2 replicas.
    expect(first).toHaveLength(8);
    expect(new Set(first).size).toBe(8);
    expect(await masks(seed, 1)).toEqual(first);
  });

  test('unseeded depends on the job, seeded on its own seed', async () => {
    expect(await masks(undefined, 2)).not.toEqual(await masks(undefined, 1));
    expect(await masks(7, 1)).not.toEqual(await masks(8, 1));
  });
});
