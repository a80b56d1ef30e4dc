import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Numerics, TrainJobSpecSchema } from '@lockstep/contract';
import { resolveSpec } from './resolve-spec';

type Init = Exclude<MessageInitShape<typeof TrainJobSpecSchema>, { $typeName: string }>;
const good: Init = { module: 'artifacts/m/versions/1', examples: ['artifacts/e/versions/2'], output: 'artifacts/out' };
const resolve = (change: Init) => resolveSpec(create(TrainJobSpecSchema, { ...good, ...change }));

test('every default is filled in and stored', () => {
  const resolution = resolve({});
  if (resolution.kind !== 'RESOLVED') throw new Error('refused');
  expect(resolution.spec).toMatchObject({
    function: 'runFn', replicas: 4, mathThreads: 1, numerics: Numerics.STRICT, workers: { min: 1, max: 1 },
    trainArgs: { splits: ['train'], numSteps: 0 }, evalArgs: { splits: ['eval'], numSteps: 0 },
  });
});

test.each<[string, Init, string]>([
  ['no module', { module: '' }, 'spec.module'],
  ['a module that is no version', { module: 'artifacts/m' }, 'spec.module'],
  ['no examples', { examples: [] }, 'spec.examples'],
  ['examples that are no version', { examples: ['../etc/passwd'] }, 'spec.examples[0]'],
  ['no output', { output: '' }, 'spec.output'],
  ['an output in capitals', { output: 'artifacts/Out' }, 'spec.output'],
  ['more workers than replicas', { replicas: 2, workers: { min: 1, max: 3 } }, 'spec.workers.max'],
  ['a minimum over the maximum', { replicas: 4, workers: { min: 3, max: 2 } }, 'spec.workers.min'],
  ['too many replicas', { replicas: 5000 }, 'spec.replicas'],
  ['a split with a slash', { trainArgs: { splits: ['../x'] } }, 'spec.train_args.splits[0]'],
  ['hyperparameters that are no object', { hyperparametersJson: '[1]' }, 'spec.hyperparameters_json'],
  ['a config that is no JSON', { customConfigJson: '{' }, 'spec.custom_config_json'],
  ['a function that is no name', { function: 'run()' }, 'spec.function'],
  ['a runtime of zero', { maxRuntime: { seconds: 0n } }, 'spec.max_runtime'],
])('%s is refused by field', (_what, change, field) => {
  const resolution = resolve(change);
  expect(resolution.kind === 'INVALID' && resolution.violations.map((v) => v.field)).toEqual([field]);
});

test('all faults come in one answer', () => {
  const resolution = resolve({ module: '', examples: [], output: '', workers: { min: 9, max: 9 } });
  expect(resolution.kind === 'INVALID' && resolution.violations.map((v) => v.field)).toEqual(['spec.module', 'spec.examples', 'spec.workers.max', 'spec.output']);
  expect(resolveSpec(undefined).kind).toBe('INVALID');
});
