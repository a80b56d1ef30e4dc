import type { Value } from '@lockstep/search';
import * as tf from '@tensorflow/tfjs';
import type { TrainingError, TrainingErrorReason } from '../errors';
import type { TrainingState } from '../state/training-state';
import { decodeState } from '../state/state-codec';
import { testData } from '../testing/models';
import { FailedTrialError } from './failed-trial-error';
import { HyperParameters } from './hyper-parameters';
import type { HyperModel } from './hypermodel';
import { SpaceRecorder } from './space-recorder';
import { asJob, buildModel, FN_ARGS, task, tunerFn } from './testing/tuning-run';
import { runTrial, type TrialResult, type TrialTask } from './trial';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The study's space: what the model declares. */
const space = (() => {
  const recorder = new SpaceRecorder();
  const hp = new HyperParameters(recorder);
  hp.Int('units', { minValue: 4, maxValue: 16, step: 4, default: 8 });
  hp.Float('rate', { minValue: 1e-4, maxValue: 1e-1, sampling: 'log', default: 0.01 });
  return recorder.space;
})();

const inStudy = (values: Readonly<Record<string, Value>> = {}, more: Partial<TrialTask> = {}): TrialTask =>
  task({ hyperparameters: { space, values: new Map(Object.entries(values)) }, ...more });

interface Outcome {
  readonly result: TrialResult;
  readonly state: TrainingState;
  /** Weights, optimizer slots and statistics, without the log of calls. */
  readonly tensors: readonly string[];
}

const trial = (fn: () => unknown, one: TrialTask, seed = 5): Promise<Outcome> => asJob(tf, seed, async (training) => {
  const result = await runTrial(tf, training, fn, FN_ARGS, one);
  const state = training.state();
  const { tensors, models } = decodeState(state.bytes, state.digest);
  return { result, state, tensors: [JSON.stringify(models), ...tensors.map(({ name, data }) => `${name} ${Buffer.from(data).toString('base64')}`)] };
});

test('a trial trains for its epochs and tells of the objectives, epoch by epoch', async () => {
  const { result } = await trial(tunerFn(tf, { objective: ['val_loss', 'accuracy'] }, { epochs: 3 }), inStudy({ units: 12 }));
  expect(result.executions).toEqual([{ firstEpoch: 0, objectives: [
    { name: 'val_loss', values: [expect.any(Number), expect.any(Number), expect.any(Number)] }, { name: 'acc', values: [expect.any(Number), expect.any(Number), expect.any(Number)] },
  ] }]);
  expect([result.hyperparameters.space, Object.fromEntries(result.hyperparameters.values)]).toEqual([[], { units: 12, rate: 0.01 }]);
});

test('the study says how many epochs, whatever fitKwargs say', async () => {
  const { result } = await trial(tunerFn(tf, {}, { epochs: 3 }), inStudy({}, { epochs: 2 }));
  expect(result.executions[0]?.objectives[0]?.values).toHaveLength(2);
});

test('a trial that goes on from another ends with the bits of one that never stopped', async () => {
  const fn = tunerFn(tf, {}, { epochs: 4 });
  const whole = await trial(fn, inStudy({ units: 12 }));
  const parent = await trial(fn, inStudy({ units: 12 }, { epochs: 2 }));
  const child = await trial(fn, inStudy({ units: 12, 'tuner/epochs': 4, 'tuner/trial_id': '0000' }, { initialEpoch: 2, epochs: 4, startFrom: parent.state }));
  expect(child.tensors).toEqual(whole.tensors);
  expect(parent.tensors).not.toEqual(whole.tensors);
  const values = (outcome: Outcome): readonly number[] => outcome.result.executions[0]?.objectives[0]?.values ?? [];
  expect([...values(parent), ...values(child)]).toEqual(values(whole));
  expect(child.result.executions[0]?.firstEpoch).toBe(2);
  expect(Object.fromEntries(child.result.hyperparameters.values)).toMatchObject({ 'tuner/epochs': 4, 'tuner/trial_id': '0000' });
});

test('each execution has other random numbers and callbacks of its own, and goes on from its own', async () => {
  const began: object[] = [];
  const callbacks = (): tf.CustomCallback[] => {
    const callback = new tf.CustomCallback({ onTrainBegin: () => Promise.resolve(void began.push(callback)) });
    return [callback];
  };
  const fn = tunerFn(tf, { executionsPerTrial: 2 }, { epochs: 4, callbacks });
  const whole = await trial(fn, inStudy());
  const [first, second] = whole.result.executions;
  expect(whole.result.executions).toHaveLength(2);
  expect(first?.objectives).not.toEqual(second?.objectives);
  expect(new Set(began).size).toBe(2);
  const parent = await trial(fn, inStudy({}, { epochs: 2 }));
  expect((await trial(fn, inStudy({}, { initialEpoch: 2, epochs: 4, startFrom: parent.state }))).tensors).toEqual(whole.tensors);
  expect((await trial(fn, inStudy({}, { executions: 1 }))).result.executions).toEqual([first]);
});

test('another seed draws otherwise', async () => {
  const [five, six] = [await trial(tunerFn(tf), inStudy()), await trial(tunerFn(tf), inStudy(), 6)];
  expect(six.tensors).not.toEqual(five.tensors);
});

test('a state of other values is refused, and names the difference', async () => {
  const parent = await trial(tunerFn(tf), inStudy({ units: 4 }));
  await expect(trial(tunerFn(tf), inStudy({ units: 8 }, { initialEpoch: 1, epochs: 2, startFrom: parent.state }))).rejects.toMatchObject({ reason: 'OTHER_MODEL', message: expect.stringMatching(/float32\[20, 4\] in the state and float32\[20, 8\] here/) });
  const more = inStudy({ units: 4 }, { initialEpoch: 1, epochs: 2, executions: 2, startFrom: parent.state });
  await expect(trial(tunerFn(tf), more)).rejects.toMatchObject({ reason: 'OTHER_MODEL', message: expect.stringMatching(/is number 1 of those that the module compiles, and the state has 1/) });
});

/** A model that asks for one more parameter when it is wide. */
const growing = { hypermodel: (hp: HyperParameters) => {
  const model = buildModel(tf, hp);
  if (hp.get('units') === 16) hp.Boolean('bias', { default: true });
  return model;
} };

test('a space that grows is told of, with the values that the trial had', async () => {
  const { hyperparameters } = (await trial(tunerFn(tf, growing), inStudy({ units: 16 }))).result;
  expect(hyperparameters.space.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['units INT', 'rate FLOAT', 'bias BOOLEAN']);
  expect(Object.fromEntries(hyperparameters.values)).toEqual({ units: 16, rate: 0.01, bias: true });
});

test('new parameters that are not tuned keep their defaults, and are not told of', async () => {
  const { hyperparameters } = (await trial(tunerFn(tf, { ...growing, tuneNewEntries: false }), inStudy({ units: 16 }))).result;
  expect([hyperparameters.space, Object.fromEntries(hyperparameters.values)]).toEqual([[], { units: 16, rate: 0.01 }]);
});

test('a dataset is fitted by its own names, and by those of Keras', async () => {
  const fn = (names: object) => (): unknown => {
    const { x, y } = testData(tf, 40);
    const rows = tf.data.zip({ xs: tf.data.array(x.arraySync()), ys: tf.data.array(y.arraySync()) }).batch(10).repeat();
    return { ...tunerFn(tf)(), fitKwargs: { trainDataset: rows, validationData: rows, epochs: 2, verbose: 0, ...names } };
  };
  const ours = await trial(fn({ batchesPerEpoch: 3, validationBatches: 2 }), inStudy());
  const keras = await trial(fn({ stepsPerEpoch: 3, validationSteps: 2 }), inStudy());
  expect(keras.state.digest).toBe(ours.state.digest);
  expect(ours.result.executions[0]?.objectives).toMatchObject([{ name: 'val_loss', values: [expect.any(Number), expect.any(Number)] }]);
});

const withFit = (fit: NonNullable<HyperModel['fit']>): (() => unknown) => tunerFn(tf, { objective: { name: 'score', direction: 'max' }, hypermodel: { build: (hp) => buildModel(tf, hp), fit } }, { epochs: 2 });

describe('a hypermodel with a fit of its own', () => {
  test('tunes what it is fitted with', async () => {
    const fn = tunerFn(tf, { hypermodel: {
      build: (hp) => buildModel(tf, hp),
      fit: (hp, model, { x, y, ...rest }) => model.fit(x as tf.Tensor, y as tf.Tensor, { ...rest, batchSize: hp.Int('batch', { minValue: 10, maxValue: 30, step: 10 }) } as tf.ModelFitArgs),
    } }, { epochs: 2 });
    const { hyperparameters, executions } = (await trial(fn, inStudy())).result;
    expect(hyperparameters.space.at(-1)?.name).toBe('batch');
    expect(executions[0]?.objectives[0]?.values).toHaveLength(2);
  });

  test.each([['a number', 0.75], ['metrics by name', { score: 0.75, other: 1 }]])('returns %s', async (_what, returned) => {
    expect((await trial(withFit((_hp, _model, { initialEpoch, epochs }) => (initialEpoch === 0 && epochs === 2 ? returned : NaN)), inStudy())).result.executions)
      .toEqual([{ firstEpoch: 0, objectives: [{ name: 'score', values: [0.75] }] }]);
  });
});

test.each<[string, () => unknown, TrialTask, TrainingErrorReason, RegExp]>([
  ['a value outside its range', tunerFn(tf), inStudy({ units: 20 }), 'OUTSIDE_SPACE', /values of the trial are not of its study's space: parameter "units" cannot be 20: it ranges from 4 to 16/],
  ['a value of nothing', tunerFn(tf), inStudy({ untis: 8 }), 'OUTSIDE_SPACE', /the space has no parameter "untis"/],
  ['a parameter of another kind', tunerFn(tf, { hypermodel: (hp) => { hp.Float('units', { minValue: 4, maxValue: 16 }); return buildModel(tf, hp); } }), inStudy(), 'SPACE_CHANGED', /'units' is Int in the study's space, and the module declares it as Float/],
  ['a new parameter where none may be', tunerFn(tf, { ...growing, allowNewEntries: false }), inStudy({ units: 16 }), 'SPACE_CHANGED', /declares 'bias', which the tuner's hyperparameters lack/],
  ['an objective that is no metric', tunerFn(tf, { objective: 'val_auc' }), inStudy(), 'NO_SUCH_METRIC', /the objective val_auc is none of the metrics; there are loss, acc, val_loss, val_acc/],
  ['an objective that the fit does not give', withFit(() => ({ scores: 3 })), inStudy(), 'NO_SUCH_METRIC', /the objective score is none of the metrics; there are scores/],
  ['a fit without a result', withFit(() => undefined as never), inStudy(), 'BAD_HYPERMODEL', /must return the History of model\.fit\(\), an object of numbers/],
  ['a result that is no number', withFit(() => ({ score: 'high' }) as never), inStudy(), 'BAD_HYPERMODEL', /an object of numbers by the names of their metrics/],
  ['one number for two objectives', tunerFn(tf, { objective: ['loss', 'acc'], hypermodel: { build: (hp) => buildModel(tf, hp), fit: () => 1 } }), inStudy(), 'BAD_HYPERMODEL', /returned one number, and there are 2 objectives: return an object with loss, acc/],
  ['an objective that is NaN', withFit(() => ({ score: NaN })), inStudy(), 'OBJECTIVE_NOT_FINITE', /the objective score was finite in none of the 1 epochs of execution 1/],
  ['a loss that is NaN', tunerFn(tf, {}, { y: tf.fill([40, 5], NaN) }), inStudy(), 'NAN_LOSS', /loss/],
  ['values that the module gives up', tunerFn(tf, { hypermodel: () => { throw new FailedTrialError('too slow'); } }), inStudy(), 'INFEASIBLE_TRIAL', /^too slow$/],
  ['something else than a tuner', () => ({}), inStudy(), 'NOT_A_TUNER', /tunerFn returned an object of class Object with nothing as tuner/],
])('%s ends the trial', async (_what, fn, one, reason, message) => {
  const error = await trial(fn, one).then(() => undefined, (e: unknown) => e as TrainingError);
  expect([error?.reason, error?.message]).toEqual([reason, expect.stringMatching(message)]);
});
