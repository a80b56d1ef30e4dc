/** What a study takes in of trials that it did not make itself. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StudySpecSchema } from '@lockstep/contract';
import { removeTemporaryFolders } from '@lockstep/storage/testing';
import { failure, first, serve, spec, success, suggested, valuesOf, type Served } from './testing/served';

removeTemporaryFolders();

let served: Served;
beforeEach(async () => { served = await serve(); });
afterEach(() => served.stop());

describe('other studies', () => {
  test('a study begins with what others have found; what does not fit is left out', async () => {
    const { client } = served;
    const source = await client.create(spec(), { studyId: 'source' });
    for (const loss of [3, 1, 2]) await client.complete(first(await client.suggest(source.name, 'a')).name, 'a', success(loss));
    const narrow = spec({ maxTrials: 2, warmStartFrom: ['studies/source'], space: { case: 'searchSpace', value: { parameters: [
      { name: 'lr', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2 } } }, { name: 'units', kind: { case: 'intRange', value: { min: 32n, max: 512n, step: 32n } } },
      { name: 'optimizer', kind: { case: 'choice', value: { values: [{ kind: { case: 'stringValue', value: 'sgd' } }, { kind: { case: 'stringValue', value: 'adam' } }] } } },
      { name: 'momentum', conditions: [{ parent: 'optimizer', values: [{ kind: { case: 'stringValue', value: 'sgd' } }] }], kind: { case: 'floatRange', value: { min: 0, max: 1 } } },
    ] } } });
    const warm = await client.create(narrow, { studyId: 'warm' });
    expect(warm.trials).toMatchObject({ succeeded: 3 });
    expect((await client.best(warm.name))[0]?.state).toMatchObject({ value: { scores: [1] } });
    expect(suggested(await client.suggest(warm.name, 'a', { count: 9 })).map((t) => t.name)).toEqual(['studies/warm/trials/3', 'studies/warm/trials/4']);
  });

  test.each<[string, MessageInitShape<typeof StudySpecSchema>['objectives'], RegExp]>([
    ['another metric', [{ metric: 'val_mae' }], /studies\/source optimises val_loss \(MIN\), this study val_mae \(MIN\)/],
    ['the other direction', [{ metric: 'val_loss', direction: 2 }], /this study val_loss \(MAX\)/],
    ['more objectives', [{ metric: 'val_loss' }, { metric: 'val_mae' }], /this study val_loss \(MIN\) and val_mae \(MIN\)/],
  ])('a study does not begin with scores of other objectives: %s', async (_what, objectives, words) => {
    const { client } = served;
    const source = await client.create(spec(), { studyId: 'source' });
    await client.complete(first(await client.suggest(source.name, 'a')).name, 'a', success(1));
    const error = await failure(client.create(spec({ algorithm: { case: 'bayesianOptimization', value: {} }, warmStartFrom: ['studies/source'], ...(objectives && { objectives }) })));
    expect([error.code, error.details.fieldViolations]).toEqual(['INVALID_ARGUMENT', [{ field: 'spec.warm_start_from[0]', description: expect.stringMatching(words) }]]);
  });

  test('several objectives are the same in whatever order, each with its own scores', async () => {
    const { client } = served;
    const two = (...objectives: { metric: string; direction: number }[]) => spec({ objectives, algorithm: { case: 'bayesianOptimization', value: {} } });
    const [loss, accuracy] = [{ metric: 'loss', direction: 1 }, { metric: 'accuracy', direction: 2 }];
    await client.create(two(loss, accuracy), { studyId: 'source' });
    const trial = first(await client.suggest('studies/source', 'a'));
    await client.complete(trial.name, 'a', { outcome: { case: 'success', value: { metrics: [{ name: 'loss', value: 0.25 }, { name: 'accuracy', value: 0.75 }] } } });
    const warm = await client.create({ ...two(accuracy, loss), warmStartFrom: ['studies/source'] });
    expect((await client.best(warm.name))[0]?.state).toMatchObject({ value: { scores: [0.75, 0.25] } });
  });

  test.each([['hyperband', { case: 'hyperband', value: { maxEpochs: 4, factor: 2 } }], ['asha', { case: 'asha', value: { maxEpochs: 4, factor: 2 } }]] as const)('of %s only those trials are taken that were trained to the end, each configuration once', async (_name, algorithm) => {
    const { client } = served;
    await client.create(spec({ algorithm, maxTrials: 20 }), { studyId: 'rungs' });
    const whole: string[] = [];
    for (let trial = await client.next('studies/rungs', 'a'); trial; trial = await client.next('studies/rungs', 'a')) {
      const score = Number(valuesOf(trial)['lr']) / (trial.rung?.epochs ?? NaN);
      await client.complete(trial.name, 'a', success(score));
      if (trial.rung?.epochs === 4) whole.push(JSON.stringify([valuesOf(trial)['lr'], score]));
    }
    const warm = await client.create(spec({ warmStartFrom: ['studies/rungs'] }), { studyId: 'warm' });
    const taken: string[] = [];
    for await (const trial of client.trials(warm.name)) taken.push(JSON.stringify([valuesOf(trial)['lr'], trial.state.case === 'succeeded' ? trial.state.value.scores[0] : undefined]));
    expect(whole.length).toBeGreaterThan(2);
    expect([...taken].sort()).toEqual([...whole].sort());
  });

  test('importing the same trials twice adds nothing the second time, and says so', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trials = [0.01, 0.02].map((lr) => ({ values: [{ name: 'lr', value: { kind: { case: 'floatValue' as const, value: lr } } }], scores: [lr] }));
    expect((await client.importTrials(name, { case: 'trials', value: { trials } }, 'first')).trials).toHaveLength(2);
    // A trial of the study's own with the same values and score is no import.
    await client.enqueue(name, [{ name: 'lr', value: { kind: { case: 'floatValue', value: 0.03 } } }]);
    await client.complete(first(await client.suggest(name, 'a')).name, 'a', success(0.03));
    const again = await client.importTrials(name, { case: 'trials', value: { trials: [...trials, { ...trials[0], values: [{ name: 'lr', value: { kind: { case: 'floatValue', value: 0.03 } } }], scores: [0.03] }] } }, 'second');
    expect([again.trials, again.skipped]).toEqual([[`${name}/trials/3`], [0, 1].map((n) => `trials[${n}]: ${name}/trials/${n} was imported with the same values and scores`)]);
    expect((await client.get(name)).trials).toMatchObject({ succeeded: 4 });
    // At once, too.
    const both = await Promise.all(['a', 'b'].map((id) => client.importTrials(name, { case: 'trials', value: { trials: [{ values: [], scores: [9] }] } }, id)));
    expect(both.flatMap((answer) => answer.trials)).toHaveLength(1);
  });

  describe("of KerasTuner's files", () => {
    const hyperparameters = (lr: number, epochs?: number) => ({
      space: [{ class_name: 'Float', config: { name: 'lr', default: 0.01, conditions: [], min_value: 0.0001, max_value: 1, step: null, sampling: 'log' } }],
      values: { lr, ...(epochs !== undefined && { 'tuner/epochs': epochs, 'tuner/initial_epoch': 0, 'tuner/bracket': 2, 'tuner/round': 0 }) },
    });
    const trialJson = (id: string, { lr = 0.01, metrics = {}, score, epochs }: { lr?: number; metrics?: Record<string, number>; score?: number; epochs?: number }) => JSON.stringify({
      trial_id: id, hyperparameters: hyperparameters(lr, epochs), status: 'COMPLETED', score: score ?? null, best_step: 0, message: null,
      metrics: { metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { direction: 'min', observations: [{ value: [value], step: 0 }] }])) },
    });
    const discovery = { space: { case: 'discovery' as const, value: {} }, objectives: [{ metric: 'val_loss', direction: 1 }] };
    const take = async (trials: readonly string[], oracle?: object) => {
      const { name } = await served.client.create(spec(discovery));
      const answer = await served.client.importTrials(name, { case: 'kerasTuner', value: { trialJson: [...trials], oracleJson: oracle ? JSON.stringify({ hyperparameters: hyperparameters(0.01), ...oracle }) : '' } });
      const scores = await Promise.all(answer.trials.map(async (trial) => (await served.client.getTrial(trial)).state));
      return { scores: scores.map((state) => (state.case === 'succeeded' ? state.value.scores[0] : undefined)), skipped: answer.skipped };
    };

    test('a trial that kept metrics is worth the objective among them, and nothing without it', async () => {
      const { scores, skipped } = await take([trialJson('0', { metrics: { val_accuracy: 0.99 }, score: 0.99 }), trialJson('1', { lr: 0.1, metrics: { val_accuracy: 0.5, val_loss: 0.25 }, score: 0.5 })]);
      expect(scores).toEqual([0.25]);
      expect(skipped).toEqual([expect.stringMatching(/^trial_json\[0\] \(0\): the objective val_loss was never reported; what was: val_accuracy/)]);
    });

    test.each<[string, object | undefined, boolean]>([
      ['nothing is known of the objective', undefined, true],
      ['an oracle that tells no objective', {}, true],
      ['the same objective', { objective: { name: 'val_loss', direction: 'min' } }, true],
      ['the same by its name alone', { objective: 'val_loss' }, true],
      ['another objective', { objective: { name: 'val_accuracy', direction: 'max' } }, false],
      ['the other direction', { objective: { name: 'val_loss', direction: 'max' } }, false],
      ['several', { objective: [{ name: 'val_loss', direction: 'min' }, { name: 'val_accuracy', direction: 'max' }] }, false],
    ])('a score without metrics counts if it is not known to be of something else: %s', async (_what, oracle, taken) => {
      const { scores, skipped } = await take([trialJson('0', { score: 0.5 })], oracle);
      expect(scores).toEqual(taken ? [0.5] : []);
      expect(skipped).toEqual(taken ? [] : [expect.stringMatching(/kept its score alone, which is of val_\w+.* and not of val_loss \(MIN\)/)]);
    });

    test.each<[string, object | undefined, number]>([['its oracle', { max_epochs: 9 }, 9], ['the longest of them', undefined, 9], ['its oracle, though none got so far', { max_epochs: 27 }, 27]])('trials of Hyperband that ended in a lower rung are left out, by %s', async (_what, oracle, whole) => {
      const { scores, skipped } = await take([1, 3, 9].map((epochs, i) => trialJson(String(i), { metrics: { val_loss: 1 / epochs }, epochs })), oracle);
      expect(scores).toEqual(whole === 9 ? [1 / 9] : []);
      expect(skipped.slice(0, 2)).toEqual([expect.stringContaining(`1 of ${whole} epochs`), expect.stringContaining(`3 of ${whole} epochs`)]);
    });
  });

  test("KerasTuner's trials are imported, with the space of its oracle", async () => {
    const { client } = served;
    const { name } = await client.create(spec({ space: { case: 'discovery', value: {} }, objectives: [{ metric: 'val_accuracy' }] }));
    const hyperparameters = (lr: number) => ({ space: [{ class_name: 'Choice', config: { name: 'learning_rate', default: 0.01, conditions: [], values: [0.01, 0.001], ordered: true } }], values: { learning_rate: lr, 'tuner/epochs': 3 } });
    const trial = (id: string, lr: number, status: string, values: number[]) => JSON.stringify({
      trial_id: id, hyperparameters: hyperparameters(lr), status, score: null, best_step: 0, message: null,
      metrics: { metrics: { val_accuracy: { direction: 'max', observations: values.map((value, step) => ({ value: [value], step })) } } },
    });
    const source = { case: 'kerasTuner' as const, value: { oracleJson: JSON.stringify({ hyperparameters: hyperparameters(0.01) }), trialJson: [trial('0', 0.001, 'COMPLETED', [0.5, 0.75]), trial('1', 0.01, 'FAILED', []), trial('2', 0.5, 'COMPLETED', [0.5]), '{'] } };
    const { trials, skipped } = await client.importTrials(name, source, 'import');
    expect(trials).toEqual([`${name}/trials/0`]);
    expect(skipped).toEqual([expect.stringContaining('FAILED'), expect.stringContaining('trial_json[3]'), expect.stringContaining('not one of its 2 choices')]);
    expect((await client.importTrials(name, source, 'import')).trials).toEqual(trials);
    const [best] = await client.best(name);
    expect([best?.state.value, valuesOf(best ?? (() => { throw new Error('no best trial'); })())]).toEqual([expect.objectContaining({ scores: [0.75] }), { learning_rate: 0.001 }]);
    expect(valuesOf(first(await client.suggest(name, 'a')))).toHaveProperty('learning_rate');
  });
});
