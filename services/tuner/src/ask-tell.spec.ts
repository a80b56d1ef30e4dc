import type { StudyEvent } from '@lockstep/contract';
import { removeTemporaryFolders } from '@lockstep/storage/testing';
import { failure, first, serve, spec, success, suggested, valuesOf, type Served } from './testing/served';

removeTemporaryFolders();

let served: Served;
beforeEach(async () => { served = await serve(); });
afterEach(() => served.stop());

describe('asking and telling', () => {
  test('a study is searched to its end', async () => {
    const { client } = served;
    const study = await client.create(spec({ maxTrials: 5 }), { studyId: 'iris' });
    expect(study.name).toBe('studies/iris');
    const seen: unknown[] = [];
    for (let trial = await client.next(study.name, 'c'); trial; trial = await client.next(study.name, 'c')) {
      seen.push(valuesOf(trial));
      expect(trial.state.case).toBe('running');
      for (let epoch = 1; epoch <= 3; epoch++) await client.measure(trial.name, 'c', { epoch, metrics: [{ name: 'val_loss', value: 1 / (seen.length * epoch) }] });
      expect((await client.complete(trial.name, 'c', { outcome: { case: 'success', value: {} } })).state).toMatchObject({ case: 'succeeded', value: { scores: [1 / (seen.length * 3)] } });
    }
    expect(new Set(seen.map((v) => JSON.stringify(v, (_k, x: unknown) => (typeof x === 'bigint' ? String(x) : x)))).size).toBe(5);
    const ended = await client.get(study.name);
    expect(ended.state).toMatchObject({ case: 'completed' });
    expect(ended.trials).toMatchObject({ succeeded: 5, running: 0 });
    expect((await client.best(study.name, 2)).map((t) => t.name)).toEqual(['studies/iris/trials/4', 'studies/iris/trials/3']);
    expect((await client.getTrial('studies/iris/trials/0')).measurements.map((m) => m.epoch)).toEqual([1, 2, 3]);
  });

  test('the same client gets the same trial until it completes it; another client another', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const mine = first(await client.suggest(name, 'a'));
    expect(first(await client.suggest(name, 'a')).name).toBe(mine.name);
    expect(first(await client.suggest(name, 'b')).name).not.toBe(mine.name);
    await client.complete(mine.name, 'a', success(1));
    expect(first(await client.suggest(name, 'a')).name).not.toBe(mine.name);
  });

  test('several trials at once, and the rest of them when it asks again for more', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxTrials: 5 }));
    expect(suggested(await client.suggest(name, 'a', { count: 3 })).map((t) => t.name)).toEqual([0, 1, 2].map((n) => `${name}/trials/${n}`));
    expect(suggested(await client.suggest(name, 'a', { count: 9 }))).toHaveLength(5);
    expect((await client.suggest(name, 'b', { maxWaitMs: 50 })).case).toBe('nothingYet');
  });

  test('no more run at once than may; who waits gets the next place', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxParallelTrials: 1 }));
    const running = first(await client.suggest(name, 'a'));
    const waiting = client.suggest(name, 'b', { maxWaitMs: 20_000 });
    await client.complete(running.name, 'a', success(1));
    expect(first(await waiting).name).toBe(`${name}/trials/1`);
  });

  test('a failed try is tried again, by whoever asks; then the trial has failed', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxRetriesPerTrial: 1 }));
    const trial = first(await client.suggest(name, 'a'));
    await client.measure(trial.name, 'a', { epoch: 1, metrics: [{ name: 'val_loss', value: 3 }] });
    const fail = { outcome: { case: 'failure', value: { error: 'out of memory' } } } as const;
    expect((await client.complete(trial.name, 'a', fail)).state.case).toBe('requested');
    // Its answer was lost, and it says so again.
    expect((await client.complete(trial.name, 'a', fail)).attempts).toBe(1);
    const again = first(await client.suggest(name, 'b'));
    expect([again.name, again.attempts]).toEqual([trial.name, 2]);
    expect((await client.getTrial(trial.name)).measurements).toEqual([]);
    expect((await client.complete(trial.name, 'b', fail)).state).toMatchObject({ case: 'failed', value: { error: 'out of memory' } });
    expect((await client.get(name)).trials).toMatchObject({ failed: 1 });
  });

  test('three failed trials in a row fail the study, by name; it is extended and goes on', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxRetriesPerTrial: 0 }));
    for (let i = 0; i < 3; i++) await client.complete(first(await client.suggest(name, 'a')).name, 'a', { outcome: { case: 'failure', value: { error: `no ${i}` } } });
    expect((await client.get(name)).state).toMatchObject({ case: 'failed', value: { error: expect.stringMatching(/^3 trials in a row/) } });
    expect((await client.suggest(name, 'a')).case).toBe('over');
    expect((await client.extend(name, {})).state.case).toBe('active');
    expect(first(await client.suggest(name, 'a')).name).toBe(`${name}/trials/3`);
  });

  test('who is not heard of loses its trial: it is offered again, and a late report is refused with the name of the new holder', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ lease: { seconds: 10n, nanos: 0 } }));
    const trial = first(await client.suggest(name, 'slow'));
    served.advance(9_000);
    expect(await client.heartbeat(name, 'slow')).toEqual([trial.name]);
    served.advance(9_000);
    await client.measure(trial.name, 'slow', { epoch: 1, metrics: [{ name: 'val_loss', value: 3 }] });
    served.advance(10_001);
    const taken = first(await client.suggest(name, 'quick'));
    expect([taken.name, taken.attempts]).toEqual([trial.name, 2]);
    for (const late of [client.measure(trial.name, 'slow', { epoch: 2, metrics: [{ name: 'val_loss', value: 2 }] }), client.complete(trial.name, 'slow', success(2)), client.checkStop(trial.name, 'slow')]) {
      const error = await failure(late);
      expect([error.code, error.details.reason, error.details.metadata?.['holder']]).toEqual(['FAILED_PRECONDITION', 'TRIAL_LOST', 'quick']);
    }
    expect(await client.heartbeat(name, 'slow')).toEqual([]);
    await client.complete(trial.name, 'quick', success(2));
    expect((await failure(client.complete(trial.name, 'slow', success(2)))).message).toMatch(/has ended by "quick"/);
  });

  test('an exhausted space completes the study, once nothing runs', async () => {
    const { client } = served;
    const { name } = await client.create(spec({
      space: { case: 'searchSpace', value: { parameters: [{ name: 'on', kind: { case: 'flag', value: {} } }] } }, algorithm: { case: 'gridSearch', value: {} },
    }));
    const trials = suggested(await client.suggest(name, 'a', { count: 3 }));
    expect(trials.map((t) => valuesOf(t)['on'])).toEqual([false, true]);
    const waiting = client.suggest(name, 'b', { maxWaitMs: 20_000 });
    for (const trial of trials) await client.complete(trial.name, 'a', success(1));
    expect((await waiting).case).toBe('over');
    expect((await client.get(name)).state).toMatchObject({ case: 'completed', value: { detail: expect.stringContaining('every combination') } });
  });

  test('enqueued values come first, completed by defaults; those outside the space are refused', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const lr = (value: number) => [{ name: 'lr', value: { kind: { case: 'floatValue', value } } } as const];
    expect(await client.enqueue(name, lr(0.01), 'once')).toBe(1);
    expect(await client.enqueue(name, lr(0.01), 'once')).toBe(1);
    expect((await failure(client.enqueue(name, lr(0.02), 'once'))).details.reason).toBe('REQUEST_ID_REUSED');
    expect((await failure(client.enqueue(name, lr(5)))).details).toMatchObject({ reason: 'INVALID_VALUES', fieldViolations: [{ field: 'values["lr"]' }] });
    const trial = first(await client.suggest(name, 'a'));
    expect([trial.origin, valuesOf(trial)]).toEqual([2, { lr: 0.01, units: 32n, optimizer: 'sgd', momentum: 0 }]);
    expect((await client.get(name)).enqueued).toBe(0);
  });

  test('a stopped study cancels what runs, and waits for nobody', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxParallelTrials: 1 }));
    const trial = first(await client.suggest(name, 'a'));
    const waiting = client.suggest(name, 'b', { maxWaitMs: 20_000 });
    expect((await client.stop(name)).state.case).toBe('stopped');
    expect((await waiting).case).toBe('over');
    expect((await client.getTrial(trial.name)).state.case).toBe('cancelled');
    expect((await failure(client.complete(trial.name, 'a', success(1)))).details.reason).toBe('TRIAL_LOST');
    expect((await client.stop(name)).state.case).toBe('stopped');
  });

  test('a finished study is extended: more trials, then larger epochs', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ algorithm: { case: 'hyperband', value: { maxEpochs: 2, factor: 2 } } }));
    const run = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (let trial = await client.next(name, 'a'); trial; trial = await client.next(name, 'a')) {
        seen.push(`${trial.rung?.bracket ?? '-'}/${trial.rung?.round ?? '-'}@${trial.rung?.initialEpoch ?? '-'}-${trial.rung?.epochs ?? '-'}`);
        await client.complete(trial.name, 'a', success(seen.length));
      }
      return seen;
    };
    const before = await run();
    expect(before.every((rung) => Number(rung.split('-').at(-1)) <= 2)).toBe(true);
    expect((await client.get(name)).state.case).toBe('completed');
    expect((await failure(client.extend(name, { maxEpochs: 1 }))).details.reason).toBe('INVALID_ARGUMENT');
    const extended = await client.extend(name, { maxEpochs: 4 });
    expect(extended.spec?.algorithm).toMatchObject({ case: 'hyperband', value: { maxEpochs: 4, earlierSweeps: [{ maxEpochs: 2, factor: 2 }] } });
    const after = await run();
    expect(after.some((rung) => rung.endsWith('-4'))).toBe(true);
    expect((await client.extend(name, { maxEpochs: 4 })).state.case).toBe('completed');
  });
});

describe('bad input', () => {
  test.each([['hyperband', { case: 'hyperband', value: { maxEpochs: 8 } }], ['asha', { case: 'asha', value: { maxEpochs: 8 } }]] as const)('a stopper beside %s, which stops trials itself', async (_name, algorithm) => {
    const error = await failure(served.client.create(spec({ algorithm, stopping: { case: 'medianStopping', value: {} } })));
    expect([error.code, error.details.fieldViolations?.map(({ field }) => field)]).toEqual(['INVALID_ARGUMENT', ['spec.stopping']]);
  });

  test('every fault of a spec comes in one answer', async () => {
    const error = await failure(served.client.create({
      space: { case: 'searchSpace', value: { parameters: [
        { name: 'a', kind: { case: 'floatRange', value: { min: 0, max: 1, sampling: 2 } } },
        { name: 'b', kind: { case: 'intRange', value: { min: 5n, max: 1n } } },
        { name: 'c', kind: { case: 'choice', value: { values: [] } } },
        { name: 'd', conditions: [{ parent: 'nobody', values: [{ kind: { case: 'boolValue', value: true } }] }], kind: { case: 'flag', value: {} } },
        { name: 'e' },
      ] } },
      objectives: [{ metric: 'quality' }], maxTrials: 0, lease: { seconds: 0n, nanos: 1 },
    }, { studyId: 'No Name' }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    const fields = error.details.fieldViolations?.map(({ field }) => field) ?? [];
    const parameters = 'spec.search_space.parameters';
    expect(fields.map((field) => field.replace(/(parameters\[\d+\]).*/, '$1'))).toEqual(expect.arrayContaining([
      'study_id', ...[0, 1, 2, 3, 4].map((i) => `${parameters}[${i}]`), 'spec.objectives[0].direction', 'spec.max_trials', 'spec.lease', 'spec.algorithm',
    ]));
  });

  test.each([NaN, Infinity, -Infinity])('a score of %p makes a trial infeasible, and the search goes on', async (score) => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trial = first(await client.suggest(name, 'a'));
    expect((await client.complete(trial.name, 'a', success(score))).state).toMatchObject({ case: 'infeasible', value: { reason: expect.stringContaining('never finite') } });
    expect((await client.complete(trial.name, 'a', success(score))).state.case).toBe('infeasible');
    expect((await client.best(name))).toEqual([]);
    expect(first(await client.suggest(name, 'a')).name).toBe(`${name}/trials/1`);
  });

  test('success without the objective is refused, and says what was reported', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trial = first(await client.suggest(name, 'a'));
    await client.measure(trial.name, 'a', { epoch: 1, metrics: [{ name: 'loss', value: 1 }] });
    const error = await failure(client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } }));
    expect([error.code, error.details.reason]).toEqual(['INVALID_ARGUMENT', 'MISSING_METRIC']);
    expect(error.message).toMatch(/val_loss was never reported; what was: loss/);
    await client.complete(trial.name, 'a', success(1));
  });

  test('reports out of order and twice are fine; other values for the same epoch, and reports after the end, are refused', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trial = first(await client.suggest(name, 'a'));
    const report = (epoch: number, value: number, execution = 0) => client.measure(trial.name, 'a', { epoch, execution, metrics: [{ name: 'val_loss', value }] });
    await report(3, 3);
    await report(1, 1);
    await report(3, 3);
    expect((await failure(report(3, 4))).details.reason).toBe('MEASUREMENT_DIVERGED');
    await report(3, 5, 1);
    await client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } });
    expect((await client.getTrial(trial.name)).state).toMatchObject({ value: { scores: [1] } });
    expect((await failure(report(4, 4))).details.reason).toBe('TRIAL_ENDED');
    expect((await failure(client.complete(trial.name, 'a', success(7)))).details.reason).toBe('TRIAL_ENDED');
    expect((await client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } })).state.case).toBe('succeeded');
  });

  test('names with unicode, "/" and __proto__, 10,000 choices and zero-width ranges are searched', async () => {
    const { client } = served;
    const names = ['größe/ü', '__proto__', 'a b\n"c"', '学習率'];
    const { name } = await client.create(spec({ space: { case: 'searchSpace', value: { parameters: [
      ...names.map((n) => ({ name: n, kind: { case: 'floatRange' as const, value: { min: 0, max: 1 } } })),
      { name: 'many', kind: { case: 'choice', value: { values: Array.from({ length: 10_000 }, (_, i) => ({ kind: { case: 'intValue' as const, value: BigInt(i) } })) } } },
      { name: 'still', kind: { case: 'intRange', value: { min: 7n, max: 7n } } },
    ] } }, objectives: [{ metric: '__proto__', direction: 1 }] }));
    const trial = first(await client.suggest(name, 'a/ü'));
    expect(trial.values.map((v) => v.name)).toEqual([...names, 'many', 'still']);
    expect(trial.values.at(-1)?.value?.kind).toEqual({ case: 'intValue', value: 7n });
    await client.complete(trial.name, 'a/ü', { outcome: { case: 'success', value: { metrics: [{ name: '__proto__', value: 2 }] } } });
    expect((await client.best(name))[0]?.values.map((v) => v.name)).toEqual([...names, 'many', 'still']);
  });

  test('a space may grow by what a run met; a parameter of another type is refused by name', async () => {
    const { client } = served;
    const { name } = await client.create(spec());
    const trial = first(await client.suggest(name, 'a'));
    const other = { ...success(1), parameters: [{ name: 'units', kind: { case: 'floatRange' as const, value: { min: 0, max: 1 } } }] };
    const error = await failure(client.complete(trial.name, 'a', other));
    expect([error.code, error.details.reason]).toEqual(['INVALID_ARGUMENT', 'INVALID_SPACE']);
    expect(error.message).toMatch(/"units".*FLOAT.*INT/);
    const grown = { ...success(1), parameters: [{ name: 'dropout', kind: { case: 'floatRange' as const, value: { min: 0, max: 0.5 } } }], values: [{ name: 'dropout', value: { kind: { case: 'floatValue' as const, value: 0.25 } } }] };
    expect(valuesOf(await client.complete(trial.name, 'a', grown))).toMatchObject({ dropout: 0.25 });
    expect(valuesOf(first(await client.suggest(name, 'a')))).toHaveProperty('dropout');
    expect((await failure(client.extend(name, { parameters: other.parameters }))).details.reason).toBe('INVALID_SPACE');
  });

  test.each([
    ['a study that is not there', (c: Served['client']) => c.get('studies/nobody'), 'NOT_FOUND', 'NO_SUCH_STUDY'],
    ['a name that is none', (c: Served['client']) => c.get('iris'), 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['a trial that is not there', (c: Served['client']) => c.getTrial('studies/nobody/trials/1'), 'NOT_FOUND', 'NO_SUCH_STUDY'],
    ['nobody who asks', (c: Served['client']) => c.suggest('studies/x', ''), 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['more trials than an answer holds', (c: Served['client']) => c.suggest('studies/x', 'a', { count: 101 }), 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  ])('%s is refused', async (_what, call, code, reason) => {
    const error = await failure(call(served.client));
    expect([error.code, error.details.reason]).toEqual([code, reason]);
  });

  test('a request id makes one study; with another spec it is refused, as is a name that is taken', async () => {
    const { client } = served;
    const made = await client.create(spec(), { requestId: 'r' });
    expect((await client.create(spec(), { requestId: 'r' })).name).toBe(made.name);
    expect((await failure(client.create(spec({ seed: 1n }), { requestId: 'r' }))).details.reason).toBe('REQUEST_ID_REUSED');
    await client.create(spec(), { studyId: 'taken' });
    expect((await failure(client.create(spec(), { studyId: 'taken' }))).details.reason).toBe('STUDY_EXISTS');
  });
});

/** The first events of a study after one, until there are so many or it was deleted. */
async function seen(client: Served['client'], name: string, count: number, after = 0n): Promise<readonly StudyEvent[]> {
  const stop = new AbortController();
  const events: StudyEvent[] = [];
  for await (const event of client.watch(name, after, stop.signal)) if (events.push(event) === count) stop.abort();
  return events;
}

const told = (events: readonly StudyEvent[]): readonly (string | undefined)[] => events.map(({ event }) => event.case);

describe('watching', () => {
  test('tells everything from the log, and goes on after any event', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxTrials: 1 }));
    const trial = first(await client.suggest(name, 'a'));
    await client.measure(trial.name, 'a', { epoch: 1, metrics: [{ name: 'val_loss', value: 1 }] });
    await client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } });
    await client.delete(name).catch(() => undefined);
    const gone: (string | undefined)[] = [];
    for await (const event of client.watch(name)) gone.push(event.event.case);
    expect(gone).toEqual(['deleted']);
    expect((await failure(client.get(name))).details.reason).toBe('NO_SUCH_STUDY');
  });

  test('a study that has the name of a deleted one is watched through its own life; who watched the former one learns of its end', async () => {
    const { client } = served;
    const live = async (): Promise<readonly (string | undefined)[]> => {
      await client.create(spec({ maxTrials: 1 }), { studyId: 'again' });
      await client.complete(first(await client.suggest('studies/again', 'a')).name, 'a', success(1));
      return told(await seen(client, 'studies/again', 4));
    };
    const whole = ['created', 'trialChanged', 'trialChanged', 'updated'];
    expect(await live()).toEqual(whole);
    const [begin] = await seen(client, 'studies/again', 1);
    await client.delete('studies/again');
    expect(await live()).toEqual(whole);
    expect(told(await seen(client, 'studies/again', 9, begin?.sequence))).toEqual(['deleted']);
    await client.delete('studies/again');
    const [end] = await seen(client, 'studies/again', 9);
    expect(end?.event.case).toBe('deleted');
    // Who has been told, and who asks for what never was, does not wait for ever.
    for (const [name, after] of [['studies/again', end?.sequence], ['studies/never', 0n], ['studies/never', 7n]] as const) {
      expect((await failure(seen(client, name, 1, after))).details.reason).toBe('NO_SUCH_STUDY');
    }
  });

  test('events come in the order of what happened', async () => {
    const { client } = served;
    const { name } = await client.create(spec({ maxTrials: 1 }));
    const stop = new AbortController();
    const told: [string | undefined, string | undefined][] = [];
    const watching = (async () => {
      for await (const { event, sequence } of client.watch(name, 0n, stop.signal)) {
        told.push([event.case, event.case === 'trialChanged' ? event.value.state.case : event.case === 'updated' ? event.value.state.case : String(sequence > 0n)]);
        if (event.case === 'updated') stop.abort();
      }
    })();
    const trial = first(await client.suggest(name, 'a'));
    await client.measure(trial.name, 'a', { epoch: 1, metrics: [{ name: 'val_loss', value: 1 }] });
    await client.complete(trial.name, 'a', { outcome: { case: 'success', value: {} } });
    await watching;
    expect(told).toEqual([['created', 'true'], ['trialChanged', 'running'], ['trialMeasured', 'true'], ['trialChanged', 'succeeded'], ['updated', 'completed']]);
  });
});
