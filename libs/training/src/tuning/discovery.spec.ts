import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHyperparameters } from '@lockstep/search';
import * as tf from '@tensorflow/tfjs';
import type { TrainingError, TrainingErrorReason } from '../errors';
import { discover, type Discovery } from './discovery';
import { HyperParameters } from './hyper-parameters';
import type { TunerFnResult } from './hypermodel';
import { SCRIPTED_MODELS } from './testing/scripted-models';
import { asJob, buildModel, FN_ARGS, tunerFn } from './testing/tuning-run';
import { Asha, BayesianOptimization, GridSearch, Hyperband, RandomSearch, type RandomSearchOptions } from './tuners';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const discovered = (fn: () => unknown): Promise<Discovery> => asJob(tf, 3, () => discover(tf, fn, FN_ARGS));

async function refused(fn: () => unknown): Promise<readonly [TrainingErrorReason | undefined, string | undefined]> {
  const error = await discovered(fn).then(() => undefined, (e: unknown) => e as TrainingError);
  return [error?.reason, error?.message];
}

const golden = JSON.parse(readFileSync(join(__dirname, 'testing', 'hyper-parameters-golden.json'), 'utf8')) as { models: Record<keyof typeof SCRIPTED_MODELS, { explored: object[] | null }> };
const explored = (['kinds', 'branches', 'names'] as const).map((name) => [name, golden.models[name].explored ?? []] as const);

test.each(explored)("'%s': the space that KerasTuner begins with, its conditional scopes looked into", async (name, space) => {
  const { hyperparameters } = await discovered(tunerFn(tf, { hypermodel: (hp) => {
    SCRIPTED_MODELS[name](hp);
    return buildModel(tf, new HyperParameters());
  } }));
  expect(hyperparameters.space).toEqual(parseHyperparameters(JSON.stringify({ space, values: {} }), 'golden').space);
});

test('where KerasTuner fails, in scopes whose parameters are declared while inactive, all of them are found', async () => {
  const { hyperparameters: { space, values } } = await discovered(tunerFn(tf, { hypermodel: (hp) => {
    SCRIPTED_MODELS.scopes(hp);
    return buildModel(tf, new HyperParameters());
  } }));
  expect(space.map(({ name, conditions }) => [name, ...conditions.map(({ parent }) => parent)].join(' < '))).toEqual([
    'type', 'units < type', 'deep < type', 'depth < type < deep', 'units < type', 'filters < type', 'rate < type', 'cnn_rate < type',
  ]);
  expect(Object.fromEntries(values)).toEqual({ type: 'mlp', units: 8, deep: false, rate: 0.1 });
});

const hypermodel = (hp: HyperParameters): ReturnType<typeof buildModel> => buildModel(tf, hp);
const shared = { executionsPerTrial: 1, maxRetriesPerTrial: 0, maxConsecutiveFailedTrials: 3 };

test.each([
  [new RandomSearch({ hypermodel }), 'RandomSearch', { maxTrials: 10, ...shared }],
  [new GridSearch({ hypermodel, seed: 0 }), 'GridSearch', { seed: 0, ...shared }],
  [new BayesianOptimization({ hypermodel, numInitialPoints: 5, maxRetriesPerTrial: 2 }), 'BayesianOptimization', { maxTrials: 10, numInitialPoints: 5, ...shared, maxRetriesPerTrial: 2 }],
  [new BayesianOptimization({ hypermodel, maxTrials: 3, alpha: 1e-3, beta: 2.6 }), 'BayesianOptimization', { maxTrials: 3, alpha: 1e-3, beta: 2.6, ...shared }],
  [new Hyperband({ hypermodel, maxEpochs: 27 }), 'Hyperband', { maxEpochs: 27, factor: 3, hyperbandIterations: 1, sampler: 'random', ...shared }],
  [new Asha({ hypermodel, maxTrials: 50, factor: 4, executionsPerTrial: 2 }), 'Asha', { maxTrials: 50, maxEpochs: 100, minEpochs: 1, factor: 4, sampler: 'random', ...shared, executionsPerTrial: 2 }],
])('%# a tuner is reported by its class, with KerasTuner\'s defaults', (tuner, algorithm, options) => {
  expect([tuner.algorithm, tuner.options]).toEqual([algorithm, options]);
});

test.each<[string, RandomSearchOptions['objective'], Discovery['objectives']]>([
  ['by name', 'val_loss', [{ metric: 'val_loss', direction: 'MIN' }]],
  ["by Keras's name of a metric that TensorFlow.js logs under another", 'val_accuracy', [{ metric: 'val_acc', direction: 'MAX' }]],
  ['with its direction', { name: 'acc', direction: 'min' }, [{ metric: 'acc', direction: 'MIN' }]],
  ['several', ['loss', { name: 'val_acc', direction: 'max' }], [{ metric: 'loss', direction: 'MIN' }, { metric: 'val_acc', direction: 'MAX' }]],
])('an objective %s', async (_how, objective, objectives) => {
  expect((await discovered(tunerFn(tf, { objective }))).objectives).toEqual(objectives);
});

test('nothing is trained, and nothing that was built stays', async () => {
  const fn = tunerFn(tf, { hypermodel: (hp) => {
    SCRIPTED_MODELS.branches(hp);
    const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [20], units: 5 }), tf.layers.batchNormalization()] });
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    return model;
  } })();
  await asJob(tf, 3, async (training) => {
    const before = tf.memory().numTensors;
    await discover(tf, () => fn, FN_ARGS);
    expect([tf.memory().numTensors - before, training.callNumber, training.modelCount]).toEqual([0, 0, 3]);
  });
});

test('preset parameters alone are searched when new ones are not tuned', async () => {
  const preset = new HyperParameters();
  preset.Int('units', { minValue: 4, maxValue: 8 });
  const { hyperparameters } = await discovered(tunerFn(tf, { hyperparameters: preset, tuneNewEntries: false }));
  expect([hyperparameters.space, Object.fromEntries(hyperparameters.values)]).toEqual([preset.space, { units: 4 }]);
});

const empty = new HyperParameters();
const result = (): TunerFnResult => tunerFn(tf)();

test.each<[string, () => unknown, TrainingErrorReason, RegExp]>([
  ['nothing', () => undefined, 'NOT_A_TUNER', /tunerFn returned nothing: return \{tuner, fitKwargs\}, with a RandomSearch, .* of @lockstep\/module/],
  ['a number', () => 3, 'NOT_A_TUNER', /tunerFn returned a number/],
  ['the tuner alone', () => result().tuner, 'NOT_A_TUNER', /returned an object of class RandomSearch with nothing as tuner/],
  ['no fitKwargs', () => ({ tuner: result().tuner }), 'NOT_A_TUNER', /fitKwargs that are no object/],
  ['nothing to fit', () => ({ ...result(), fitKwargs: { epochs: 3 } }), 'NOT_A_TUNER', /with neither x nor trainDataset/],
  ['two things to fit', () => ({ ...result(), fitKwargs: { x: 1, trainDataset: 2 } }), 'NOT_A_TUNER', /with both x and trainDataset/],
  ['an initialEpoch', tunerFn(tf, {}, { initialEpoch: 3 } as object), 'NOT_A_TUNER', /the study says where a trial begins/],
  ['no hypermodel', () => new RandomSearch({ objective: 'loss' } as unknown as RandomSearchOptions), 'BAD_ARGUMENT', /new RandomSearch\(\): hypermodel is a function \(hp\) => model/],
  ['an option that there is not', tunerFn(tf, { directory: '/tmp' } as object), 'BAD_ARGUMENT', /new RandomSearch\(\): there is no option directory; there are hypermodel, .*, maxTrials/],
  ['half a trial', tunerFn(tf, { maxTrials: 0.5 }), 'BAD_ARGUMENT', /maxTrials must be an integer of at least 1, got 0\.5/],
  ['more noise than there is', () => new BayesianOptimization({ hypermodel, alpha: 2 }), 'BAD_ARGUMENT', /alpha must be a number above 0 and of at most 1, got 2/],
  ['too low a ceiling', () => new Asha({ hypermodel, maxEpochs: 3, minEpochs: 9 }), 'BAD_ARGUMENT', /minEpochs must be at most maxEpochs, 3, got 9/],
  ['hyperparameters that are none', tunerFn(tf, { hyperparameters: {} as HyperParameters }), 'BAD_ARGUMENT', /hyperparameters is a HyperParameters object/],
  ['a hypermodel that builds nothing', tunerFn(tf, { hypermodel: () => undefined as never }), 'BAD_HYPERMODEL', /the hypermodel built nothing: it must return a tf\.LayersModel/],
  ['a model that is not compiled', tunerFn(tf, { hypermodel: () => tf.sequential({ name: 'raw', layers: [tf.layers.dense({ inputShape: [1], units: 1 })] }) }), 'BAD_HYPERMODEL', /built model raw without compiling it/],
  ['an objective of unknown direction', tunerFn(tf, { objective: 'val_happiness' }), 'BAD_ARGUMENT', /whether more or less of val_happiness is better cannot be told by its name: write objective: \{name: 'val_happiness', direction: 'max'\}/],
  ['an objective that is no metric', tunerFn(tf, { objective: 'val_auc' }), 'NO_SUCH_METRIC', /the objective val_auc is none of the metrics; there are loss, acc, val_loss, val_acc/],
  ['no objective', tunerFn(tf, { objective: undefined }), 'NO_SUCH_METRIC', /the objective default_objective is none of the metrics/],
  ['a validation metric without validation', tunerFn(tf, {}, { validationSplit: undefined }), 'NO_SUCH_METRIC', /the objective val_loss is none of the metrics: fitKwargs has no validationData; there are loss, acc/],
  ['the same objective twice', tunerFn(tf, { objective: ['loss', 'loss'] }), 'BAD_ARGUMENT', /names loss twice/],
  ['new parameters where none may be', tunerFn(tf, { hyperparameters: empty, allowNewEntries: false }), 'SPACE_CHANGED', /declares 'units', 'rate', which the tuner's hyperparameters lack, and allowNewEntries is false/],
])('%s is refused', async (_what, fn, reason, message) => {
  expect(await refused(fn)).toEqual([reason, expect.stringMatching(message)]);
});
