import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHyperparameters, type Value } from '@lockstep/search';
import type { TrainingError, TrainingErrorReason } from '../errors';
import { HyperParameters } from './hyper-parameters';
import { SpaceRecorder } from './space-recorder';
import { SCRIPTED_MODELS } from './testing/scripted-models';

/** What KerasTuner 1.4.8 made of the same models: see testing/hyper-parameters-golden.py. */
interface Golden {
  readonly models: Readonly<Record<string, { readonly explored: readonly unknown[] | null; readonly builds: readonly Build[] }>>;
  readonly preset: Omit<Build, 'given'>;
}
interface Build {
  readonly given: Readonly<Record<string, Value>>;
  readonly returned: readonly (Value | null)[];
  readonly config: object;
}

const golden = JSON.parse(readFileSync(join(__dirname, 'testing', 'hyper-parameters-golden.json'), 'utf8')) as Golden;

/** Python's text says which numbers are floats; here only values count. */
const read = (config: object): ReturnType<typeof parseHyperparameters> => parseHyperparameters(JSON.stringify(config), 'golden');

const withValues = (values: Readonly<Record<string, Value>>): HyperParameters => new HyperParameters(new SpaceRecorder({ values: new Map(Object.entries(values)) }));

const builds = Object.entries(golden.models).flatMap(([name, model]) => model.builds.map((build) => [name, JSON.stringify(build.given), build] as const));

test.each(builds)("'%s' with %s declares and returns what KerasTuner does", (name, _given, { given, returned, config }) => {
  const hp = withValues(given);
  expect(SCRIPTED_MODELS[name as keyof typeof SCRIPTED_MODELS](hp)).toEqual(returned);
  const { space, values } = read(config);
  expect(hp.space).toEqual(space);
  expect(new Map(hp.values)).toEqual(new Map(Object.entries(given).filter(([key]) => values.has(key)).concat([...values])));
  expect(read(hp.getConfig())).toEqual({ space, values: hp.values });
});

test('parameters that are chosen beforehand stand for those of the model', () => {
  const preset = new HyperParameters();
  preset.Fixed('rate', 0.5);
  preset.Int('layers', { minValue: 2, maxValue: 3 });
  const hp = new HyperParameters(new SpaceRecorder({ preset: preset.space }));
  expect(SCRIPTED_MODELS.kinds(hp)).toEqual(golden.preset.returned);
  expect({ space: hp.space, values: hp.values }).toEqual(read(golden.preset.config));
});

test('a configuration comes back whole, and its values are those that a model gets', () => {
  const hp = withValues({ type: 'cnn', filters: 16 });
  SCRIPTED_MODELS.scopes(hp);
  const again = HyperParameters.fromConfig(JSON.parse(JSON.stringify(hp.getConfig())) as Record<string, unknown>);
  expect([again.space, again.values]).toEqual([hp.space, hp.values]);
  expect(again.Int('filters', { minValue: 8, maxValue: 32, parentName: 'type', parentValues: 'cnn' })).toBe(16);
});

const range = { minValue: 1, maxValue: 3 };

test.each<[string, (hp: HyperParameters) => unknown, TrainingErrorReason, RegExp]>([
  ['an option that there is not', (hp) => hp.Int('a', { ...range, min: 2 } as typeof range), 'BAD_ARGUMENT', /hp\.Int\('a'\): there is no option min; there are minValue/],
  ['no range', (hp) => hp.Float('a', { minValue: 1 } as typeof range), 'BAD_ARGUMENT', /hp\.Float\('a'\): maxValue must be a number, got undefined/],
  ['a range the wrong way round', (hp) => hp.Int('a', { minValue: 3, maxValue: 1 }), 'BAD_ARGUMENT', /ranges from 3 to 1/],
  ['half an integer', (hp) => hp.Int('a', { minValue: 0.5, maxValue: 1 }), 'BAD_ARGUMENT', /min 0\.5, which is not a safe integer/],
  ['a logarithm of nothing', (hp) => hp.Float('a', { minValue: 0, maxValue: 1, sampling: 'log' }), 'BAD_ARGUMENT', /needs min > 0/],
  ['nothing to choose from', (hp) => hp.Choice('a', []), 'BAD_ARGUMENT', /has nothing to choose from/],
  ['choices of two types', (hp) => hp.Choice<Value>('a', [1, 'two']), 'BAD_ARGUMENT', /all choices must be of one type/],
  ['a default that is no choice', (hp) => hp.Choice<string>('a', ['x', 'y'], { default: 'z' }), 'BAD_ARGUMENT', /default "z", which is not one of its choices/],
  ['ordered text', (hp) => hp.Choice('a', ['x', 'y'], { ordered: true }), 'BAD_ARGUMENT', /only numbers have an order/],
  ['a name of the tuner', (hp) => hp.Int('tuner/epochs', range), 'BAD_ARGUMENT', /choose another/],
  ['a name that is none', (hp) => hp.Int(3 as unknown as string, range), 'BAD_ARGUMENT', /the name of a parameter is a string, got number/],
  ['a parent that is not there', (hp) => hp.conditionalScope('a', [1], () => 0), 'BAD_ARGUMENT', /conditionalScope\('a'\): no such parameter is declared yet/],
  ['its own parent', (hp) => { hp.Int('a', range); hp.Int('a', { ...range, parentName: 'a', parentValues: 1 }); }, 'BAD_ARGUMENT', /'a' cannot be its own parent/],
  ['parent values without a parent', (hp) => hp.Int('a', { ...range, parentValues: 1 }), 'BAD_ARGUMENT', /parentName and parentValues go together/],
  ['a value that was never declared', (hp) => { hp.Int('a', range); hp.get('b'); }, 'BAD_ARGUMENT', /hp\.get\('b'\): no such parameter is declared; there are a/],
  ['an inactive value', (hp) => { hp.Boolean('a'); hp.Int('b', { ...range, parentName: 'a', parentValues: true }); hp.get('b'); }, 'BAD_ARGUMENT', /hp\.get\('b'\): it is inactive/],
  ['another kind than before', (hp) => { hp.Int('a', range); hp.Float('a', range); }, 'SPACE_CHANGED', /'a' is Int in the study's space, and the module declares it as Float/],
  ['a configuration that is none', () => HyperParameters.fromConfig({ space: 3 }), 'BAD_ARGUMENT', /fromConfig\(\): config\.space: should be a list/],
])('%s is refused', (_what, declare, reason, message) => {
  let error: TrainingError | undefined;
  try {
    declare(new HyperParameters());
  } catch (e) {
    error = e as TrainingError;
  }
  expect([error?.reason, error?.message]).toEqual([reason, expect.stringMatching(message)]);
});

test.each<[string, Value, RegExp]>([
  ['of the wrong type', 'many', /hp\.Int\('a'\): its value was set to "many" beforehand/],
  ['true', true, /beforehand: set a number/],
])('a preset %s is refused', (_what, value, message) => {
  const preset = new HyperParameters();
  preset.Fixed('a', value);
  expect(() => new HyperParameters(new SpaceRecorder({ preset: preset.space })).Int('a', range)).toThrow(message);
});

test('a given value that the module does not take is refused', () => {
  expect(() => withValues({ a: 9 }).Int('a', range)).toThrow(/the given values do not fit the module: parameter "a" cannot be 9: it ranges from 1 to 3/);
});

test('in an inactive scope parameters have their defaults, and the scope gives nothing', () => {
  const hp = new HyperParameters();
  hp.Boolean('deep');
  const seen: unknown[] = [];
  expect(hp.conditionalScope('deep', true, (active) => seen.push(active, hp.Int('depth', { ...range, default: 2 })))).toBeUndefined();
  expect(seen).toEqual([false, 2]);
  expect([...hp.values]).toEqual([['deep', false]]);
});

test('a scope that throws is closed', () => {
  const hp = new HyperParameters();
  hp.Boolean('deep');
  expect(() => hp.conditionalScope('deep', false, () => hp.nameScope('inner', () => { throw new Error('the module'); }))).toThrow('the module');
  expect(hp.Int('depth', range)).toBe(1);
  expect(hp.space.at(-1)).toMatchObject({ name: 'depth', conditions: [] });
});

test('names are any text', () => {
  const hp = withValues({ 'größe/層': 3 });
  expect([hp.Int('__proto__', range), hp.Int('größe/層', range), hp.get('__proto__')]).toEqual([1, 3, 1]);
});
