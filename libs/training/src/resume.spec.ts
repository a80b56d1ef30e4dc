import { formatPosition, LocalCollective, type Position } from '@lockstep/reduction';
import type { TallySummary } from '@lockstep/sharding';
import * as tf from '@tensorflow/tfjs';
import { installTraining, type Training } from './install';
import type { JsonValue } from './canonical-json';
import type { StatefulCallback } from './fit/callbacks';
import { precision } from './metrics';
import { Reducer } from './step/reducer';
import { OPTIMIZERS, sequentialModel, testData, weightBits } from './testing/models';
import type { TrainingState } from './state/training-state';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rows = testData(tf, 30);

/** Halves the learning rate when the loss has not fallen; remembers the last loss and how often it was called. */
class Halving extends tf.Callback implements StatefulCallback {
  private last = Infinity;
  private calls = 0;

  constructor(private readonly trace: string[]) {
    super();
  }

  override onBatchEnd(): Promise<void> {
    this.calls++;
    return Promise.resolve();
  }

  override onEpochEnd(_epoch: number, logs?: tf.Logs): Promise<void> {
    const loss = logs?.['loss'] ?? NaN;
    if (loss >= this.last || this.calls % 4 === 0) (this.model.optimizer as tf.Optimizer & { learningRate: number }).learningRate *= 0.5;
    this.last = loss;
    this.trace.push(`${this.calls} ${loss}`);
    return Promise.resolve();
  }

  state(): JsonValue {
    return { last: this.last, calls: this.calls };
  }

  restore(state: JsonValue): void {
    Object.assign(this, state);
  }
}

interface Outcome {
  readonly weights: string[];
  readonly results: string;
  readonly digest: string;
  readonly steps: number;
  readonly visits: readonly TallySummary[];
  /** What the callbacks of the last fit saw in its last epoch. */
  readonly lastTrace: string | undefined;
  readonly states: ReadonlyMap<string, TrainingState>;
}

/** The training that runs and the steps that it told of, for what looks at it from outside. */
let running: Training | undefined;
let toldSteps = 0;

/** A module with every kind of call, callbacks with state, evaluations in callbacks, an early stop, two models. */
async function run(resume?: TrainingState, change: 'NOTHING' | 'BATCH_SIZE' = 'NOTHING'): Promise<Outcome> {
  const states = new Map<string, TrainingState>();
  const trace: string[] = [];
  const visits: TallySummary[] = [];
  toldSteps = 0;
  const remember = (where: string): void => void states.set(where, training.state());
  const at = (what: string, position: Position): string => `${what} ${formatPosition(position)}`;
  const training = installTraining(tf, {
    seed: 11,
    collective: new LocalCollective(3),
    observer: {
      onStep: ({ position, visits: consumed }) => {
        toldSteps++;
        visits.push(consumed);
        remember(at('step', position));
      },
      onEpochEnd: ({ position }) => remember(at('epoch', position)),
      onCallEnd: ({ number }) => remember(`call ${number}`),
    },
    ...(resume ? { resume } : {}),
  });
  running = training;
  try {
    const model = sequentialModel(tf, { batchNorm: true, dropout: true, unseeded: true });
    model.compile({ optimizer: OPTIMIZERS.momentum(tf), loss: 'categoricalCrossentropy', metrics: ['accuracy', precision(tf)] });
    const other = sequentialModel(tf, { unseeded: true });
    other.compile({ optimizer: OPTIMIZERS.adam(tf), loss: 'categoricalCrossentropy' });
    const inCallbacks: unknown[] = [];
    const first = await model.fit(rows.x, rows.y, {
      batchSize: change === 'BATCH_SIZE' ? 12 : 11,
      epochs: 3,
      verbose: 0,
      validationSplit: 0.2,
      callbacks: [new Halving(trace), tf.callbacks.earlyStopping({ monitor: 'loss', patience: 2, minDelta: 10 })],
    });
    const dataset = tf.data.zip({ xs: tf.data.array(rows.x.arraySync()), ys: tf.data.array(rows.y.arraySync()) }).shuffle(30).batch(9);
    const batch = await other.trainOnBatch(rows.x, rows.y);
    const second = await model.fitDataset(dataset.repeat(), {
      epochs: 2,
      batchesPerEpoch: 3,
      verbose: 0,
      validationData: dataset,
      callbacks: [
        Object.assign(new Halving(trace), {
          onBatchBegin: () => Promise.resolve(void inCallbacks.push((other.evaluate(rows.x, rows.y) as tf.Scalar).dataSync()[0], Math.random())),
        }),
      ],
    });
    const evaluated = (model.evaluate(rows.x, rows.y) as tf.Scalar[]).map((value) => value.dataSync()[0]);
    await training.runExport('serving_model', 'final', () => Promise.resolve());
    return {
      weights: [...weightBits(model), ...weightBits(other)],
      results: JSON.stringify([first.epoch, first.history, batch, second.epoch, second.history, evaluated]),
      digest: training.state().digest,
      steps: visits.length,
      visits,
      lastTrace: trace.at(-1),
      states,
    };
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}

describe('a process that starts from a state', () => {
  let whole: Outcome;
  beforeAll(async () => {
    whole = await run();
  });

  test('there is a state after every step, epoch and call', () => {
    // 3 epochs of 3 batches (stopped early after the third), 1 batch, 2 epochs of 3 batches; 5 calls.
    expect([...whole.states.keys()].map((key) => key.split(' ')[0])).toEqual([
      ...['step', 'step', 'step', 'epoch'], ...['step', 'step', 'step', 'epoch'], ...['step', 'step', 'step', 'epoch'], 'call',
      'step', 'call', ...['step', 'step', 'step', 'epoch'], ...['step', 'step', 'step', 'epoch'], 'call', 'call', 'call',
    ]);
    expect(whole.steps).toBe(16);
  });

  test('of any step, epoch or call ends with the same weights, results and state, and computes only what is left', async () => {
    let index = 0;
    let stepsBefore = 0;
    for (const [where, state] of whole.states) {
      if (where.startsWith('step')) stepsBefore++;
      const resumed = await run(state);
      expect([where, resumed.weights]).toEqual([where, whole.weights]);
      expect([where, resumed.results]).toEqual([where, whole.results]);
      expect([where, resumed.digest]).toEqual([where, whole.digest]);
      expect([where, resumed.steps]).toEqual([where, whole.steps - stepsBefore]);
      // A callback that lost its state would have counted from the resumed step on.
      if (resumed.lastTrace !== undefined) expect([where, resumed.lastTrace]).toEqual([where, whole.lastTrace]);
      // Every later state of the resumed run is that of the whole run, byte for byte.
      const later = [...whole.states].slice(index + 1).filter(([key]) => resumed.states.has(key));
      expect(later.map(([key]) => [key, resumed.states.get(key)?.digest])).toEqual(later.map(([key, { digest }]) => [key, digest]));
      index++;
    }
    expect(index).toBe(whole.states.size);
  });

  test('that was taken while a round was under way goes on with that round', async () => {
    const states: [string, TrainingState, number][] = [];
    const { value: reduce } = Object.getOwnPropertyDescriptor(Reducer.prototype, 'reduce') as { value: Reducer['reduce'] };
    const spy = jest.spyOn(Reducer.prototype, 'reduce').mockImplementation(function (this: Reducer, position, ...args) {
      if (running) states.push([formatPosition(position), running.state(), toldSteps]);
      return reduce.apply(this, [position, ...args]);
    });
    expect((await run()).digest).toBe(whole.digest);
    spy.mockRestore();
    // 16 training steps, 3 validations of 1 batch, 2 of 4, 6 evaluations in callbacks and one of its own, of 1 batch each.
    expect(states).toHaveLength(16 + 3 + 8 + 6 + 1);
    for (const [where, state, steps] of states) {
      const resumed = await run(state);
      expect([where, resumed.digest]).toEqual([where, whole.digest]);
      // No step is told twice, and none is left out: one may be applied whose validation was under way.
      expect([where, resumed.steps]).toEqual([where, whole.steps - steps]);
      expect([where, resumed.visits]).toEqual([where, whole.visits.slice(steps)]);
      expect([where, resumed.weights]).toEqual([where, whole.weights]);
    }
  });

  test('is refused when the module makes another call than the log says', async () => {
    const state = whole.states.get('call 1');
    await expect(run(state, 'BATCH_SIZE')).rejects.toMatchObject({
      reason: 'CALL_MISMATCH',
      message: expect.stringMatching(/the module calls fit\(epochs=3, batchSize=12.*called fit\(epochs=3, batchSize=11/),
    });
  });

  test('is refused when the module makes another call than the one that ran', async () => {
    const state = whole.states.get('step call 0 epoch 1 TRAIN step 1');
    await expect(run(state, 'BATCH_SIZE')).rejects.toMatchObject({ reason: 'CALL_MISMATCH' });
  });
});
