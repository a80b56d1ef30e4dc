/** Datasets of the module's own in jobs whose processes may come later: they are iterated again from their start, or refused. */
import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from './install';
import type { Replay } from './runtime';
import { TrainingError } from './errors';
import type { TrainingState } from './state/training-state';
import { sequentialModel, testData } from './testing/models';
import { settleGroup } from './testing/run-group';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const BATCH_ROWS = 8;
const BATCHES = 4;
const data = testData(tf, BATCH_ROWS * BATCHES);

type Element = { readonly xs: tf.Tensor; readonly ys: tf.Tensor };

const batch = (step: number, scale = 1): Element => {
  const cut = (tensor: tf.Tensor2D): tf.Tensor2D => tensor.slice(step * BATCH_ROWS, BATCH_ROWS);
  return { xs: tf.mul(cut(data.x), scale), ys: cut(data.y) };
};

function* batches(scale = 1, count = BATCHES): Generator<Element> {
  for (let step = 0; step < count; step++) yield batch(step, scale);
}

/** A function makes a new iterator whenever it is called. */
const replayable = (): tf.data.Dataset<Element> => tf.data.generator(() => batches());

/** All iterations share one iterator. */
const oneShot = (): tf.data.Dataset<Element> => {
  const shared = batches();
  return tf.data.generator(() => shared);
};

interface Run {
  readonly digest: string;
  readonly steps: number;
  readonly states: readonly TrainingState[];
}

async function run(datasets: () => tf.data.Dataset<Element>, { replay = 'SAME_BITS', resume, batchesPerEpoch, epochs = 2, validate = false }: {
  readonly replay?: Replay; readonly resume?: TrainingState; readonly batchesPerEpoch?: number; readonly epochs?: number; readonly validate?: boolean;
} = {}): Promise<Run> {
  const states: TrainingState[] = [];
  const training = installTraining(tf, {
    seed: 3, replay, collective: new LocalCollective(2), ...(resume && { resume }), observer: { onStep: () => void states.push(training.state()) },
  });
  try {
    const model = sequentialModel(tf, { dropout: true });
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
    const dataset = datasets();
    await model.fitDataset(dataset, { epochs, verbose: 0, ...(batchesPerEpoch !== undefined && { batchesPerEpoch }), ...(validate && { validationData: dataset }) });
    return { digest: training.state().digest, steps: states.length, states };
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}

const failure = async (work: Promise<unknown>): Promise<TrainingError> => {
  const error: unknown = await work.then(() => undefined, (e: unknown) => e);
  if (error instanceof TrainingError) return error;
  throw new Error('it did not fail as a training does', { cause: error });
};

test.each([undefined, 2])('a generator over a function is read again to every step that a process resumes from (batchesPerEpoch %p)', async (batchesPerEpoch) => {
  const options = batchesPerEpoch === undefined ? { validate: true } : { batchesPerEpoch };
  const whole = await run(replayable, options);
  for (const [i, resume] of whole.states.entries()) {
    const resumed = await run(replayable, { ...options, resume });
    expect([i, resumed.digest, resumed.steps]).toEqual([i, whole.digest, whole.steps - i - 1]);
  }
});

test.each<[string, () => tf.data.Dataset<Element>, RegExp]>([
  ['gives other elements', () => tf.data.generator(() => batches(2)), /call 0 epoch 1 TRAIN step 2: the dataset begins with [0-9a-f]{12}, and began with [0-9a-f]{12} where this pass was begun: it cannot be read again/],
  ['gives elements of other shapes', () => replayable().map((element) => ({ xs: (element).xs.slice(0, 4), ys: (element).ys.slice(0, 4) })), /begins with/],
  ['was used up', () => tf.data.generator(() => batches(1, 0)), /begins with nothing/],
  ['has fewer elements than were read', () => tf.data.generator(() => batches(1, 1)), /gives 1 elements, and 2 were read of this pass before/],
])('a dataset that, read again, %s is found', async (_what, again, message) => {
  const whole = await run(replayable);
  const resume = whole.states[BATCHES + 1];
  if (!resume) throw new Error('no state');
  const error = await failure(run(again, { resume }));
  expect(error.reason).toBe('DATASET_NOT_REPLAYABLE');
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/tf\.data\.generator over a function/);
});

test('where members may differ in their last bits, shapes are compared and bits are not', async () => {
  const whole = await run(replayable, { replay: 'SAME_SHAPES' });
  const [resume] = whole.states;
  if (!resume) throw new Error('no state');
  const resumed = await run(() => tf.data.generator(() => batches(1 + 1e-6)), { replay: 'SAME_SHAPES', resume });
  expect(resumed.steps).toBe(whole.steps - 1);
  const other = replayable().map((element) => ({ xs: (element).xs.slice(0, 4), ys: (element).ys.slice(0, 4) }));
  expect((await failure(run(() => other as tf.data.Dataset<Element>, { replay: 'SAME_SHAPES', resume }))).reason).toBe('DATASET_NOT_REPLAYABLE');
});

test('an iterator that all epochs share is found when the second one has no data', async () => {
  const error = await failure(run(oneShot));
  expect(error.reason).toBe('DATASET_NOT_REPLAYABLE');
  expect(error.message).toMatch(/no element in epoch 1, and had some before/);
  // As in tfjs, where nobody may have to read again.
  expect((await run(oneShot, { replay: 'NONE' })).steps).toBe(BATCHES);
});

test('members that iterate other data are told so, by rank, before their first step', async () => {
  const run = { program: 'fitUnlike', optimizer: 'sgd', seed: 1 } as const;
  for (const end of await settleGroup({ replicas: 2, runs: [run, run] })) {
    expect(end).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ message: expect.stringMatching(
      /members iterate other data: call 0 epoch 0 TRAIN step 0: rank [01] calls a dataset that begins with [0-9a-f]{12}, rank [01] calls a dataset/,
    ) }) });
  }
});

describe('an iterator', () => {
  const withModel = async (replay: Replay, work: (model: ReturnType<typeof sequentialModel>) => Promise<unknown>): Promise<unknown> => {
    const training = installTraining(tf, { seed: 3, replay, collective: new LocalCollective(2) });
    try {
      const model = sequentialModel(tf);
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      return await work(model);
    } finally {
      training.uninstall();
      tf.disposeVariables();
    }
  };
  type Model = ReturnType<typeof sequentialModel>;
  type Given = Parameters<Model['fitDataset']>[0];
  const iterator = async (): Promise<Given> => (await replayable().iterator()) as unknown as Given;

  test.each<[string, (model: Model) => Promise<unknown>]>([
    ['fitDataset(), as validationData,', async (model) => model.fitDataset(replayable(), { epochs: 1, verbose: 0, validationData: await iterator() })],
    ['fitDataset()', async (model) => model.fitDataset(await iterator(), { epochs: 1, verbose: 0 })],
    ['evaluateDataset()', async (model) => model.evaluateDataset(await iterator() as unknown as Parameters<Model['evaluateDataset']>[0], {})],
  ])('given to %s is refused before the first step', async (call, work) => {
    const error = await failure(withModel('SAME_BITS', work));
    expect(error.reason).toBe('DATASET_NOT_REPLAYABLE');
    expect(error.message).toBe(`${call} was given an iterator, which gives its elements once. In a job with several workers or with checkpoints, a process that joins or resumes `
      + 'reads the data again from its start: pass the tf.data.Dataset itself, or train on one worker without checkpoints.');
  });

  test('is read where nobody may have to read it again', async () => {
    await expect(withModel('NONE', async (model) => model.evaluateDataset(await iterator() as unknown as Parameters<Model['evaluateDataset']>[0], {}))).resolves.toBeDefined();
  });
});
