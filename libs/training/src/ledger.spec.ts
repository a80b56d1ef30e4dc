/** What a step's sum says that it consumed, against what the data and the plan say. */
import { LocalCollective } from '@lockstep/reduction';
import { EMPTY_TALLY, iterationOf, mergeTallies, passOf, planExamples, RecordNumbers, SHARD_POLICIES, VisitTally, type ExamplesPlanOptions, type TallySummary, type Visit } from '@lockstep/sharding';
import type { Columns, RowReader, RowRequest } from '@lockstep/examples';
import * as tf from '@tensorflow/tfjs';
import { ExamplesDataset } from './data';
import { installTraining } from './install';
import type { StepInfo } from './runtime';
import { Reducer } from './step/reducer';
import { sequentialModel, testData } from './testing/models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = testData(tf, 26);
const rows = tf.data.zip({ xs: tf.data.array(data.x.arraySync()), ys: tf.data.array(data.y.arraySync()) });
const REPLICAS = 4;

type TestModel = ReturnType<typeof sequentialModel>;

/** The steps of a module, by their positions. */
async function stepsOf(module: (model: TestModel) => Promise<unknown>): Promise<readonly StepInfo[]> {
  const steps: StepInfo[] = [];
  const training = installTraining(tf, { seed: 3, collective: new LocalCollective(REPLICAS), observer: { onStep: (step) => void steps.push(step) } });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await module(model);
    return steps;
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}

const tallyOf = (visits: Iterable<Visit>): TallySummary => {
  const tally = new VisitTally();
  tally.add(visits);
  return tally.summary();
};
const allOf = (steps: readonly StepInfo[]): TallySummary => mergeTallies(steps.map(({ visits }) => visits));
const pass = (call: number, epoch: number, count = 26): Visit[] => Array.from({ length: count }, (_, record) => ({ pass: passOf(iterationOf(call, epoch), 0), record }));

test('fit(): every row once in every epoch, whatever the shuffle, and none of the validation', async () => {
  const steps = await stepsOf((model) => model.fit(data.x, data.y, { batchSize: 8, epochs: 2, verbose: 0, validationData: [data.x, data.y] }));
  expect(steps.map(({ visits }) => visits.records)).toEqual([8, 8, 8, 2, 8, 8, 8, 2]);
  expect(allOf(steps.slice(0, 4))).toEqual(tallyOf(pass(0, 0)));
  expect(allOf(steps.slice(4))).toEqual(tallyOf(pass(0, 1)));
});

test('fit() without shuffle: the rows of each batch', async () => {
  const steps = await stepsOf((model) => model.fit(data.x, data.y, { batchSize: 10, shuffle: false, verbose: 0 }));
  expect(steps.map(({ visits }) => visits)).toEqual([[0, 10], [10, 20], [20, 26]].map(([from, to]) => tallyOf(pass(0, 0).slice(from, to))));
});

test('calls, epochs and single batches have passes of their own', async () => {
  const steps = await stepsOf(async (model) => {
    await model.fitDataset(rows.batch(10), { epochs: 2, verbose: 0 });
    await model.trainOnBatch(data.x, data.y);
    await model.fitDataset(rows.repeat().batch(12), { epochs: 2, batchesPerEpoch: 2, verbose: 0 });
  });
  expect(allOf(steps.slice(0, 3))).toEqual(tallyOf(pass(0, 0)));
  expect(allOf(steps.slice(3, 6))).toEqual(tallyOf(pass(0, 1)));
  expect(steps[6]?.visits).toEqual(tallyOf(pass(1, 0)));
  // Of a dataset of one's own the rows are numbered over the whole iteration, which goes on from epoch to epoch.
  expect(steps.slice(7).map(({ visits }) => visits)).toEqual([0, 1, 2, 3].map((step) => tallyOf(pass(2, 0, 48).slice(12 * step, 12 * step + 12))));
});

/** Gives for each row the number of its record in the file, as features. */
class NumberReader implements RowReader {
  read({ recordOfRow }: RowRequest): Promise<Columns> {
    const rowCount = recordOfRow.length;
    return Promise.resolve({ rowCount, columns: new Map([['id', { kind: 'DENSE', dtype: 'float32', values: Float32Array.from(recordOfRow), rowShape: [] }]]) });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const table = { split: 'train', shards: [11, 5, 9, 14].map((recordCount, i) => ({ file: `f${i}`, firstRecord: 0, recordCount })) };

test.each(SHARD_POLICIES)('examples under policy %s: what the plan says, step by step, and no more than it', async (policy) => {
  const options: ExamplesPlanOptions = { policy, replicas: REPLICAS, batchSize: 10, passCount: 2, dropFinalBatch: false, shuffle: { bufferSize: 8, seed: 5 } };
  const dataset = new ExamplesDataset({
    patterns: ['train'], table, spec: [], reader: new NumberReader(), localPath: (file) => Promise.resolve(file),
    options: { ...options, labelKey: undefined, features: undefined, dtypes: {}, missingValues: {} },
    mappings: [(features) => {
      const { id } = features as { id: tf.Tensor };
      return { xs: tf.tile(tf.expandDims(id, 1), [1, 20]), ys: tf.oneHot(tf.zerosLike(id).toInt(), 5) };
    }],
  });
  const steps = await stepsOf((model) => model.fitDataset(dataset, { epochs: 2, verbose: 0 }));
  const numbers = new RecordNumbers(table);
  const planned = [0, 1].flatMap((epoch) => {
    const iteration = iterationOf(0, epoch);
    const plan = planExamples(numbers, iteration, options);
    return Array.from({ length: plan.stepCount }, (_, step) =>
      tallyOf(plan.recordsOf(step, { from: 0, to: plan.rowCount(step) }).map(({ pass: number, record }) => ({ pass: passOf(iteration, number), record }))));
  });
  expect(steps.map(({ visits }) => visits)).toEqual(planned);
  expect(steps.every(({ rows: count, visits }) => count === visits.records)).toBe(true);
  expect(allOf(steps).records).toBe(2 * 2 * numbers.recordCount * (policy === 'OFF' ? REPLICAS : 1));
});

test('a contribution whose rows are another\'s is seen in the sum', async () => {
  const { value: reduce } = Object.getOwnPropertyDescriptor(Reducer.prototype, 'reduce') as { value: Reducer['reduce'] };
  const honest = await stepsOf((model) => model.fit(data.x, data.y, { batchSize: 8, verbose: 0 }));
  const spy = jest.spyOn(Reducer.prototype, 'reduce').mockImplementation(function (this: Reducer, position, layout, present, compute) {
    // Replica 1 computes what is replica 0's.
    return reduce.call(this, position, layout, present, (replica) => compute(replica === 1 ? 0 : replica));
  });
  const wrong = await stepsOf((model) => model.fit(data.x, data.y, { batchSize: 8, verbose: 0 }));
  spy.mockRestore();
  expect(wrong.slice(0, 3).map(({ visits }) => visits.records)).toEqual([8, 8, 8]);
  expect(allOf(wrong).sum).not.toBe(allOf(honest).sum);
  expect(allOf([])).toEqual(EMPTY_TALLY);
});
