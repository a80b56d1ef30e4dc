import { evenPart, LocalCollective, type Range } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { BATCH_SOURCE, type BatchSource } from '../batch-source';
import { installTraining } from '../install';
import { sequentialModel, testData, weightBits } from '../testing/models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = testData(tf, 26);
const BATCH_ROWS = 8;

/** A dataset that is read by replica, and writes down what it was asked for. */
class Recorded extends tf.data.Dataset<tf.TensorContainer> {
  override readonly size = 4;
  readonly asked: unknown[] = [];

  iterator(): never {
    throw new Error('a dataset that can be read by replica is not iterated');
  }

  [BATCH_SOURCE](): BatchSource {
    return {
      stepCount: 4,
      rowCount: (step) => Math.min(26, (step + 1) * BATCH_ROWS) - step * BATCH_ROWS,
      rows: (step, range) => {
        this.asked.push([step, range]);
        const slice = (tensor: tf.Tensor2D): tf.Tensor => tensor.slice(step * BATCH_ROWS + range.from, range.to - range.from);
        const visits = Array.from({ length: range.to - range.from }, (_, i) => ({ pass: 0, record: step * BATCH_ROWS + range.from + i }));
        return Promise.resolve({ element: { xs: slice(data.x), ys: slice(data.y) }, visits });
      },
      prefetch: (step, ranges) => void this.asked.push(['prefetch', step, ranges]),
    };
  }
}

/** The second of two members, whose peer's part is missing: it shows what a member reads, not what comes out. */
class HalfCollective extends LocalCollective {
  override readonly range: Range = { from: 2, to: 4 };
  override readonly roots: readonly Range[] = [{ from: 2, to: 4 }];
}

const train = async (collective: LocalCollective, dataset: tf.data.Dataset<tf.TensorContainer>): Promise<string[]> => {
  const training = installTraining(tf, { seed: 1, collective });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await model.fitDataset(dataset, { epochs: 1, verbose: 0, validationData: dataset, validationBatches: 1 });
    return weightBits(model);
  } finally {
    training.uninstall();
  }
};

test('a member asks for the rows of its replicas and no others, of every batch and of the validation', async () => {
  const dataset = new Recorded();
  await train(new HalfCollective(4), dataset);
  expect(dataset.asked).toEqual([
    ['prefetch', 0, [{ from: 4, to: 8 }]],
    [0, { from: 4, to: 8 }],
    [1, { from: 4, to: 8 }],
    [2, { from: 4, to: 8 }],
    // The last batch has 2 rows: replica 1 and replica 3 have one each.
    [3, { from: 1, to: 2 }],
    ['prefetch', 0, [{ from: 4, to: 8 }]],
    [0, { from: 4, to: 8 }],
  ]);
  expect(evenPart(2, 4, 3)).toEqual({ from: 1, to: 2 });
});

test('reading by replica trains as iterating over whole batches does', async () => {
  const whole = tf.data.zip({ xs: tf.data.array(data.x.arraySync()), ys: tf.data.array(data.y.arraySync()) }).batch(BATCH_ROWS);
  expect(await train(new LocalCollective(4), new Recorded())).toEqual(await train(new LocalCollective(4), whole));
});
