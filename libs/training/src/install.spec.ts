import { LocalCollective, type Position } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import type { TrainingErrorReason } from './errors';
import { installTraining, type Training } from './install';
import type { StepInfo, TrainingObserver } from './runtime';
import { OPTIMIZERS, sequentialModel, testData, weightBits } from './testing/models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rows = testData(tf, 40);

async function installed<T>(run: (training: Training) => T | Promise<T>, { replicas = 4, observer }: { replicas?: number; observer?: TrainingObserver } = {}): Promise<T> {
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(replicas), ...(observer ? { observer } : {}) });
  try {
    return await run(training);
  } finally {
    training.uninstall();
  }
}

const first = (value: tf.Tensor | tf.Tensor[]): tf.Tensor => {
  const tensor = Array.isArray(value) ? value[0] : value;
  if (!tensor) throw new Error('no input');
  return tensor;
};

abstract class TestLayer extends tf.layers.Layer {
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
}

/** Counts its calls in a weight: the right way. */
class WeightCounter extends TestLayer {
  static readonly className = 'WeightCounter';
  override build(): void {
    this.addWeight('count', [1], 'float32', tf.initializers.zeros(), undefined, false);
    this.built = true;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    const [count] = this.weights;
    if (kwargs['training'] === true) count?.write(tf.add(count.read(), 1));
    return first(inputs);
  }
}

/** Counts its calls in a variable that no model knows. */
class VariableCounter extends TestLayer {
  static readonly className = 'VariableCounter';
  readonly count = tf.variable(tf.zeros([1]), false, 'foreign_counter');
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    this.count.assign(tf.add(this.count, 1));
    return first(inputs);
  }
}

/** Makes a variable when it is called. */
class VariableMaker extends TestLayer {
  static readonly className = 'VariableMaker';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    tf.variable(tf.zeros([1]), false, 'late_variable');
    return first(inputs);
  }
}

/** Counts its calls in JavaScript. */
class JavaScriptCounter extends TestLayer {
  static readonly className = 'JavaScriptCounter';
  private calls = 0;
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    this.calls++;
    return tf.mul(first(inputs), 1 + this.calls / 100);
  }
}

/** Throws once it is armed, after BatchNorm before it wrote. */
class Bomb extends TestLayer {
  static readonly className = 'Bomb';
  static armed = false;
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    if (Bomb.armed && kwargs['training'] === true) throw new Error('the bomb went off');
    return first(inputs);
  }
}

const modelWith = (...layers: tf.layers.Layer[]): tf.Sequential => {
  const model = tf.sequential({ name: 'tested' });
  model.add(tf.layers.dense({ name: 'hidden', units: 8, inputShape: [20] }));
  for (const layer of layers) model.add(layer);
  model.add(tf.layers.dense({ name: 'out', units: 5, activation: 'softmax' }));
  return model;
};

const compiled = (model: tf.Sequential, optimizer: tf.Optimizer = tf.train.sgd(0.1)): tf.Sequential => {
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  return model;
};

const fit = (model: tf.Sequential, args: tf.ModelFitArgs = {}): Promise<tf.History> => model.fit(rows.x, rows.y, { batchSize: 10, verbose: 0, ...args });

describe('what is refused, by name', () => {
  test.each<[string, TrainingErrorReason, RegExp, (training: Training) => unknown]>([
    ['a second installation', 'ALREADY_INSTALLED', /for one job/, () => installTraining(tf, { seed: 1, collective: new LocalCollective(1) })],
    ['a stateful RNN', 'UNSUPPORTED_LAYER', /layer memory \(LSTM\) is stateful/, () => {
      const model = tf.sequential({ layers: [tf.layers.lstm({ name: 'memory', units: 2, stateful: true, batchInputShape: [4, 3, 2] })] });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    }],
    ['a layer with a generator of its own', 'UNSUPPORTED_LAYER', /layer wide \(Bomb\) draws from a generator/, () =>
      // As tfjs's RandomWidth and RandomHeight have it.
      compiled(modelWith(Object.assign(new Bomb({ name: 'wide' }), { randomGenerator: { next: () => 1 } })))],
    ['an optimizer that hides its state', 'UNSUPPORTED_OPTIMIZER', /optimizer SGD keeps something in its field history/, () =>
      compiled(modelWith(), Object.assign(tf.train.sgd(0.1), { history: [1, 2] }))],
    ['batchSize smaller than V', 'BATCH_TOO_SMALL', /batchSize 3 is smaller than the job's 4 logical replicas/, () => fit(compiled(modelWith()), { batchSize: 3 })],
    ['a dataset whose first batch is smaller than V', 'BATCH_TOO_SMALL', /call 0 epoch 0 TRAIN step 0: the first batch has 3 rows/, () =>
      compiled(modelWith()).fitDataset(tf.data.array([{ xs: rows.x.slice(0, 3), ys: rows.y.slice(0, 3) }]), { epochs: 1 })],
    ['trainOnBatch on fewer rows than V', 'BATCH_TOO_SMALL', /a batch of 2 rows/, () => compiled(modelWith()).trainOnBatch(rows.x.slice(0, 2), rows.y.slice(0, 2))],
    ['an empty dataset', 'NO_ROWS', /model tested_model on has no row/, () => compiled(modelWith()).fitDataset(tf.data.array<{ xs: tf.Tensor; ys: tf.Tensor }>([]), { epochs: 1 })],
    ['a dataset of something else', 'BAD_ARGUMENT', /must give objects \{xs, ys\}.*got features/, () =>
      compiled(modelWith()).fitDataset(tf.data.array([{ features: rows.x.slice(0, 8) }]), { epochs: 1 })],
    ['a write to a foreign variable', 'FOREIGN_WRITE', /wrote variable foreign_counter/, () => fit(compiled(modelWith(new VariableCounter({}))))],
    ['a variable made in the forward pass', 'FOREIGN_WRITE', /made variable late_variable/, () => fit(compiled(modelWith(new VariableMaker({}))))],
    ['a layer with a state in JavaScript', 'NOT_REPEATABLE', /first in layer counting/, () => fit(compiled(modelWith(new JavaScriptCounter({ name: 'counting' }))))],
    ['a fit inside a callback', 'NESTED_CALL', /fit\(.*was called inside the callbacks of fit\(/, () => {
      const model = compiled(modelWith());
      return fit(model, { callbacks: { onEpochEnd: async () => void (await fit(model)) } });
    }],
    ['two calls at once', 'NESTED_CALL', /evaluate\(.*was called while fit\(.*is running/, async () => {
      const model = compiled(modelWith());
      const running = fit(model);
      const error = errorOf(() => model.evaluate(rows.x, rows.y));
      await running;
      throw error;
    }],
    ['a call inside an export', 'NESTED_CALL', /evaluate\(.*export\(kind=serving_model/, (training) => {
      const model = compiled(modelWith());
      return training.runExport('serving_model', 'final', () => Promise.resolve(void model.evaluate(rows.x, rows.y)));
    }],
  ])('%s', async (_what, reason, message, run) => {
    await expect(installed((training) => Promise.resolve().then(() => run(training)))).rejects.toMatchObject({ name: 'TrainingError', reason, message: expect.stringMatching(message) });
    tf.disposeVariables();
  });

  test.each([0.5, NaN, 2 ** 60])('seed %p', (seed) => {
    expect(() => installTraining(tf, { seed, collective: new LocalCollective(1) })).toThrow('safe integer');
  });
});

/** The error of a function that must throw. */
function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a step that throws changes nothing', () => {
  const unchanged = async (model: tf.Sequential, training: Training, failing: () => Promise<unknown>): Promise<{ error: unknown; same: boolean; leaked: number }> => {
    await fit(model);
    const before = { weights: weightBits(model), tensors: tf.memory().numTensors, slots: training.state() };
    const error: unknown = await failing().then(() => undefined, (reason: unknown) => reason);
    const after = training.state();
    const tail = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(-2000)).toString('hex');
    return { error, same: weightBits(model).join() === before.weights.join() && tail(after.bytes) === tail(before.slots.bytes), leaked: tf.memory().numTensors - before.tensors };
  };

  test('in the forward pass, after BatchNorm wrote its statistics', async () => {
    await installed(async (training) => {
      const model = compiled(modelWith(tf.layers.batchNormalization({ name: 'norm' }), new Bomb({})), tf.train.adam(0.01));
      const outcome = await unchanged(model, training, () => {
        Bomb.armed = true;
        return fit(model).finally(() => (Bomb.armed = false));
      });
      // What a failed forward pass saved for its gradients stays in tfjs's engine, as in plain tfjs: no count here.
      expect(outcome).toMatchObject({ error: new Error('the bomb went off'), same: true });
    });
  });

  test('in the optimizer, after some weights and slots were updated', async () => {
    await installed(async (training) => {
      const optimizer = tf.train.adam(0.01);
      const model = compiled(modelWith(), optimizer);
      const apply = optimizer.applyGradients.bind(optimizer);
      const outcome = await unchanged(model, training, () => {
        optimizer.applyGradients = (gradients) => {
          apply((gradients as { name: string; tensor: tf.Tensor }[]).slice(0, 2));
          throw new Error('out of memory');
        };
        return fit(model);
      });
      expect(outcome).toMatchObject({ error: { reason: 'APPLY_FAILED', message: expect.stringContaining('call 1 epoch 0 TRAIN step 0: the optimizer (Adam) failed'), cause: new Error('out of memory') }, same: true, leaked: 0 });
    });
  });

  test.each([NaN, Infinity])('with a loss of %p, by the name of the metric and the position', async (value) => {
    await installed(async (training) => {
      const model = compiled(modelWith(), tf.train.momentum(0.1, 0.9));
      const bad = tf.fill([40, 20], value);
      const outcome = await unchanged(model, training, () => model.fit(bad, rows.y, { batchSize: 10, verbose: 0 }));
      const position: Position = { call: 1, epoch: 0, phase: 'TRAIN', step: 0 };
      expect(outcome).toMatchObject({ error: { reason: 'NAN_LOSS', details: { position, metric: 'loss' }, message: expect.stringContaining('the loss of model tested_model is NaN') }, same: true, leaked: 0 });
    });
  });
});

describe('layers, weights and memory', () => {
  test('a layer that counts in a weight counts steps, not replicas', async () => {
    await installed(async () => {
      const model = compiled(modelWith(new WeightCounter({ name: 'counter' })));
      await fit(model, { epochs: 2 });
      model.evaluate(rows.x, rows.y);
      expect(model.getLayer('counter').getWeights()[0]?.dataSync()[0]).toBe(8);
    });
  });

  test('weight constraints are applied in training, which tfjs forgets', async () => {
    const norms = async (): Promise<number> => {
      const model = tf.sequential({ name: 'constrained' });
      model.add(tf.layers.dense({ name: 'out', units: 5, inputShape: [20], activation: 'softmax', kernelConstraint: tf.constraints.maxNorm({ maxValue: 0.1, axis: 0 }) }));
      await fit(compiled(model));
      const [kernel] = model.getWeights();
      return kernel ? Math.max(...Array.from(tf.norm(kernel, 2, 0).dataSync())) : NaN;
    };
    expect(await norms()).toBeGreaterThan(0.2);
    expect(await installed(norms)).toBeLessThanOrEqual(0.1 + 1e-6);
  });

  test.each(['sgd', 'momentum'] as const)('a learning rate that is assigned is used by %s, which tfjs ignores', async (name) => {
    const trained = async (): Promise<boolean> => {
      const model = compiled(modelWith(), OPTIMIZERS[name](tf));
      const before = weightBits(model).join();
      (model.optimizer as tf.SGDOptimizer & { learningRate: number }).learningRate = 0;
      await fit(model);
      return weightBits(model).join() !== before;
    };
    expect(await trained()).toBe(true);
    expect(await installed(trained)).toBe(false);
  });

  test('several hundred steps leave no tensor behind', async () => {
    await installed(async () => {
      const model = compiled(sequentialModel(tf, { batchNorm: true, dropout: true }), tf.train.adam(0.01));
      const dataset = tf.data.zip({ xs: tf.data.array(rows.x.arraySync()), ys: tf.data.array(rows.y.arraySync()) }).batch(8);
      const round = async (epochs: number): Promise<void> => {
        await fit(model, { epochs, validationSplit: 0.2 });
        await model.fitDataset(dataset, { epochs, verbose: 0, validationData: dataset });
        await model.trainOnBatch(rows.x, rows.y);
        tf.dispose(model.evaluate(rows.x, rows.y));
        tf.dispose(await model.evaluateDataset(dataset as unknown as Parameters<typeof model.evaluateDataset>[0], {}));
      };
      await round(1);
      const before = tf.memory().numTensors;
      await round(35);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

describe('what an observer sees', () => {
  test('calls, steps, epochs and evaluations in order, and a state at each', async () => {
    const seen: unknown[] = [];
    const steps: StepInfo[] = [];
    await installed(
      async (training) => {
        const model = compiled(modelWith());
        await fit(model, { epochs: 2, batchSize: 20, validationSplit: 0.1 });
        await training.runExport('serving_model', 'final', () => Promise.resolve(void seen.push('exported')));
        expect(training.position).toEqual({ call: 2, epoch: 0, phase: 'TRAIN', step: 0 });
      },
      {
        observer: {
          onCallBegin: ({ number, kind, label, replayed }) => void seen.push(['begin', number, kind, label, replayed]),
          onCallEnd: ({ number, kind }) => void seen.push(['end', number, kind]),
          onStep: (step) => {
            steps.push(step);
            seen.push(['step', step.position.epoch, step.position.step, step.rows]);
          },
          onEvaluation: ({ position, rows: count, values }) => void seen.push(['evaluation', position.epoch, position.phase, count, Object.keys(values)]),
          onEpochEnd: ({ position, logs }) => void seen.push(['epoch', position.epoch, Object.keys(logs)]),
        },
      },
    );
    const epoch = (number: number): unknown[] => [
      ['step', number, 0, 20], ['evaluation', number, 'EVAL', 4, ['loss']], ['step', number, 1, 16], ['epoch', number, ['val_loss', 'loss']],
    ];
    expect(seen).toEqual([
      ['begin', 0, 'fit', 'fit(epochs=2, batchSize=20, rows=40, model=tested_model)', false],
      ...epoch(0),
      ...epoch(1),
      ['end', 0, 'fit'],
      ['begin', 1, 'export', 'export(kind=serving_model, label=final)', false],
      'exported',
      ['end', 1, 'export'],
    ]);
    for (const step of steps) {
      expect(step.computedReplicas).toEqual([0, 1, 2, 3]);
      expect(Object.values(step.durationsMs).every((ms) => ms >= 0)).toBe(true);
    }
  });
});
