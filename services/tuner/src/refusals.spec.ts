/** What the tuner does not take in, and how it says so. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ParameterSchema, ParameterValueSchema, StudySpecSchema } from '@lockstep/contract';
import type { RpcError } from '@lockstep/rpc';
import { removeTemporaryFolders } from '@lockstep/storage/testing';
import { failure, first, serve, spec, success, valuesOf, type Served } from './testing/served';

removeTemporaryFolders();

let served: Served;
beforeEach(async () => { served = await serve(); });
afterEach(() => served.stop());

type Parameter = MessageInitShape<typeof ParameterSchema>;
type ParameterValue = MessageInitShape<typeof ParameterValueSchema>;
type Spec = MessageInitShape<typeof StudySpecSchema>;

const faults = ({ code, details }: RpcError): readonly unknown[] => [code, ...details.fieldViolations?.map(({ field }) => field) ?? []];
const text = (stringValue: string) => ({ kind: { case: 'stringValue' as const, value: stringValue } });
const float = (name: string, value: number): ParameterValue => ({ name, value: { kind: { case: 'floatValue', value } } });
const depth: Parameter = { name: 'depth', kind: { case: 'intRange', value: { min: 0n, max: 2n } } };
const never: Parameter = { name: 'never', conditions: [{ parent: 'optimizer', values: [text('adam'), text('lion')] }], kind: { case: 'flag', value: {} } };

describe('a spec', () => {
  test.each<[string, Spec, string]>([
    ['beta', { algorithm: { case: 'bayesianOptimization', value: { beta: NaN } } }, 'spec.algorithm.bayesian_optimization.beta'],
    ['the first points', { algorithm: { case: 'bayesianOptimization', value: { numInitialPoints: 0 } } }, 'spec.algorithm.bayesian_optimization.num_initial_points'],
    ['the factor', { algorithm: { case: 'hyperband', value: { factor: 1 } } }, 'spec.algorithm.hyperband.factor'],
    ['earlier sweeps', { algorithm: { case: 'hyperband', value: { earlierSweeps: [{ maxEpochs: 0, factor: 3 }] } } }, 'spec.algorithm.hyperband.earlier_sweeps[0].max_epochs'],
    ['epochs of a rung', { algorithm: { case: 'asha', value: { maxEpochs: 3, minEpochs: 9 } } }, 'spec.algorithm.asha.min_epochs'],
    ['epochs of a stopper', { stopping: { case: 'curveStopping', value: { maxEpochs: 0 } } }, 'spec.stopping.curve_stopping.max_epochs'],
    ['trials of a stopper', { stopping: { case: 'medianStopping', value: { minTrials: 0 } } }, 'spec.stopping.median_stopping.min_trials'],
  ])('names the setting at fault: %s', async (_what, change, field) => {
    expect(faults(await failure(served.client.create(spec(change))))).toEqual(['INVALID_ARGUMENT', field]);
  });

  test('names a condition that never holds', async () => {
    const parameters: Parameter[] = [{ name: 'optimizer', kind: { case: 'choice', value: { values: [text('sgd'), text('adam')] } } }, never];
    const error = await failure(served.client.create(spec({ space: { case: 'searchSpace', value: { parameters } } })));
    expect(faults(error)).toEqual(['INVALID_ARGUMENT', 'spec.search_space.parameters[1].conditions[0].values[1]']);
    expect(error.message).toContain('"optimizer" cannot be "lion"');
  });
});

describe('a completed trial', () => {
  test.each<[string, readonly Parameter[], readonly ParameterValue[], string, RegExp]>([
    ['a value outside the range of what it found', [depth], [float('depth', 9)], 'values["depth"]', /"depth" cannot be 9: it ranges from 0 to 2/],
    ['a value of nothing', [], [float('width', 1)], 'values["width"]', /no parameter "width"/],
    ['a parameter that is none', [depth, { name: 'odd', kind: { case: 'floatRange', value: { min: 2, max: 1 } } }], [], 'parameters[1].max', /"odd" ranges from 2 to 1/],
    ['a parameter of another type', [{ name: 'units', kind: { case: 'flag', value: {} } }], [], 'parameters[0]', /"units" is of type BOOLEAN/],
    ['a condition that never holds', [depth, never], [], 'parameters[1].conditions[0].values[1]', /"lion"/],
  ])('is refused with %s, and can be completed without', async (_what, parameters, values, field, words) => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trial = first(await client.suggest(name, 'a'));
    const error = await failure(client.complete(trial.name, 'a', { ...success(1), parameters: [...parameters], values: [...values] }));
    expect(faults(error)).toEqual(['INVALID_ARGUMENT', field]);
    expect(error.message).toMatch(words);
    expect((await client.get(name)).spec?.space).toMatchObject({ value: { parameters: { length: 4 } } });
    const good = await client.complete(trial.name, 'a', { ...success(1), parameters: [depth], values: [{ name: 'depth', value: { kind: { case: 'intValue', value: 2n } } }] });
    expect(valuesOf(good)).toMatchObject({ depth: 2n });
  });
});

describe('an extension', () => {
  const duration = (seconds: number) => ({ seconds: BigInt(seconds), nanos: 0 });
  test.each<[string, Parameters<Served['client']['extend']>[1], string, RegExp]>([
    ['no trials', { maxTrials: 0 }, 'max_trials', /at least 1/],
    ['no epochs', { maxTotalEpochs: 0n }, 'max_total_epochs', /at least 1/],
    ['time that never was', { maxDuration: duration(-5) }, 'max_duration', /-5 s/],
    ['fewer trials than there were', { maxTrials: 1 }, 'max_trials', /2 trials are behind it already/],
    ['fewer epochs than were trained', { maxTotalEpochs: 1n }, 'max_total_epochs', /2 epochs are behind it already/],
    ['time that is over', { maxDuration: duration(60) }, 'max_duration', /ms are behind it already/],
    ['a condition that never holds', { parameters: [never] }, 'parameters[0].conditions[0].values[1]', /"lion"/],
    ['a parameter that is none', { parameters: [{ name: 'odd', kind: { case: 'choice', value: {} } }] }, 'parameters[0].values', /nothing to choose from/],
    ['epochs of an algorithm that has none', { maxEpochs: 9 }, 'max_epochs', /of Hyperband and ASHA/],
  ])('is refused with %s; the study stays as it was', async (_what, extension, field, words) => {
    const { client } = served;
    const { name } = await client.create(spec());
    for (const client_ of ['a', 'b']) {
      const trial = first(await client.suggest(name, client_));
      await client.measure(trial.name, client_, { epoch: 1, metrics: [{ name: 'val_loss', value: 1 }] });
      await client.complete(trial.name, client_, success(1));
    }
    served.advance(120_000);
    const before = await client.get(name);
    const error = await failure(client.extend(name, extension));
    expect(faults(error)).toEqual(['INVALID_ARGUMENT', field]);
    expect(error.message).toMatch(words);
    expect(await client.get(name)).toEqual(before);
  });

  test('that another limit takes back leaves the study over, and the answer says why', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxTrials: 1, maxTotalEpochs: 1n }));
    const trial = first(await client.suggest(name, 'a'));
    await client.measure(trial.name, 'a', { epoch: 1, metrics: [{ name: 'val_loss', value: 1 }] });
    await client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } });
    expect((await client.extend(name, { maxTrials: 8 })).state).toMatchObject({ case: 'completed', value: { detail: '1 of 1 epochs have been trained' } });
    expect((await client.extend(name, { maxTotalEpochs: 8n })).state.case).toBe('active');
  });
});

describe('values that are enqueued on a study that is over', () => {
  test('wait, and are the first when it is extended', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxTrials: 1 }));
    await client.complete(first(await client.suggest(name, 'a')).name, 'a', success(1));
    expect(await client.enqueue(name, [float('lr', 0.05)])).toBe(1);
    expect((await client.suggest(name, 'a')).case).toBe('over');
    await client.extend(name, { maxTrials: 2 });
    expect(valuesOf(first(await client.suggest(name, 'a')))).toMatchObject({ lr: 0.05 });
    expect((await client.get(name)).enqueued).toBe(0);
  });

  test('of a Hyperband without a place for them, leave it over until it has one', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ algorithm: { case: 'hyperband', value: { maxEpochs: 2, factor: 2 } } }));
    let running = await client.next(name, 'a');
    for (let ended = 0; running; ended++) {
      if (ended === 3) await client.enqueue(name, [float('lr', 0.05)]);
      await client.complete(running.name, 'a', success(ended));
      running = await client.next(name, 'a');
    }
    const late = await client.enqueue(name, [float('lr', 0.06)]);
    const again = await client.extend(name, {});
    expect((await client.suggest(name, 'a', { maxWaitMs: 20_000 })).case).toBe('over');
    expect([late, again.enqueued]).toEqual([1, 1]);
    expect((await client.get(name)).state).toMatchObject({ case: 'completed', value: { detail: expect.stringMatching(/every bracket has run, without a place for the 1 that is enqueued/) } });
    await client.extend(name, { iterations: 2 });
    expect(valuesOf(first(await client.suggest(name, 'a')))).toMatchObject({ lr: 0.06 });
  });
});
