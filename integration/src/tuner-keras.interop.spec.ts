/** Unmodified KerasTuner workers search against a tuner: two at once, one of them killed in the middle of a trial. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Study, StudySpecSchema, Trial } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { toHistory, trialIdsOf } from '@lockstep/client';
import { tunerResults } from '@lockstep/search';
import { ROOT } from './fixtures';
import { describeWithPython, findForeignPython } from './foreign';
import { TunerProcess } from './tuner-process';

const SCRIPT = join(ROOT, 'integration', 'clients', 'python', 'keras_tuner_worker.py');
const EPOCHS = 4;
const TRIALS = 8;
const TIMEOUT_MS = 300_000;

/** KerasTuner's class, and what drives it. */
const CLASSES: readonly [string, MessageInitShape<typeof StudySpecSchema>['algorithm']][] = [
  ['RandomSearch', { case: 'randomSearch', value: {} }],
  ['GridSearch', { case: 'gridSearch', value: {} }],
  ['Hyperband', { case: 'hyperband', value: { maxEpochs: EPOCHS, factor: 2 } }],
  ['BayesianOptimization', { case: 'bayesianOptimization', value: {} }],
];

interface Worker {
  readonly process: ChildProcess;
  /** Lines that it has printed. */
  readonly lines: string[];
  /** Resolves when it has printed so many lines that it has begun an epoch of a later trial. */
  readonly busy: Promise<void>;
  readonly exited: Promise<number | null>;
}

function startWorker(name: string, id: string, address: string, folder: string): Worker {
  const python = findForeignPython(process.env);
  if (python.kind === 'missing') throw new Error(python.why);
  const [host = '', port = ''] = address.split(':');
  const child = spawn(python.executable, [SCRIPT, name, folder, String(EPOCHS)], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', KERASTUNER_ORACLE_IP: host, KERASTUNER_ORACLE_PORT: port, KERASTUNER_TUNER_ID: id }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => { errors = (errors + bytes.toString()).slice(-4000); });
  const busy = new Promise<void>((resolve) => createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (lines.filter((l) => l.startsWith('epoch')).length > EPOCHS) resolve();
  }));
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => {
    if (code !== 0 && code !== null) lines.push(errors);
    resolve(code);
  }));
  return { process: child, lines, busy, exited };
}

describeWithPython('KerasTuner', () => {
  const tuner = new TunerProcess(CLASSES.flatMap(([name]) => ['--keras-tuner', `127.0.0.1:0=${name.toLowerCase()}`]));
  beforeAll(() => tuner.start(), TIMEOUT_MS);
  afterAll(() => tuner.stop(), TIMEOUT_MS);

  test.each(CLASSES)('two %s workers, one killed and replaced: every trial is evaluated once to its end', async (name, algorithm) => {
    const client = tuner.client();
    const study = `studies/${name.toLowerCase()}`;
    await client.create({
      space: { case: 'discovery', value: {} }, objectives: [{ metric: 'val_loss' }], algorithm, maxTrials: TRIALS, seed: 42n, lease: { seconds: 3n, nanos: 0 },
    }, { studyId: name.toLowerCase() });
    const address = (await tuner.kerasAddresses())[CLASSES.findIndex(([n]) => n === name)] ?? '';
    const folder = join(tuner.folder, name);
    const workers = [startWorker(name, 'one', address, folder), startWorker(name, 'two', address, folder)];
    const [victim, other] = workers;
    if (!victim || !other) throw new Error('there are two workers');
    try {
      await Promise.race([victim.busy, victim.exited]);
      victim.process.kill('SIGKILL');
      const replacement = startWorker(name, 'three', address, folder);
      workers.push(replacement);
      const codes = await Promise.all([other.exited, replacement.exited]);
      expect([codes, other.lines.at(-1), replacement.lines.at(-1)]).toEqual([[0, 0], 'done', 'done']);
      const trials: Trial[] = [];
      for await (const trial of client.trials(study)) trials.push(trial);
      const ended = await client.get(study);
      check(ended, trials, name);
      checkResults(ended, trials, [other, replacement]);
    } finally {
      for (const { process: child } of workers) child.kill('SIGKILL');
      client.close();
    }
  }, TIMEOUT_MS);
});

interface Row { readonly trial_id: string; readonly score: number }

/** What we leave of a study says of each trial what KerasTuner says of it. Its message has no order, and fills in what did not exist when a trial ran. */
function checkResults(study: Study, trials: readonly Trial[], workers: readonly Worker[]): void {
  const ours = JSON.parse(tunerResults(toHistory(study, trials), trialIdsOf(study.spec))) as Row[];
  const theirs = workers.flatMap(({ lines }) => lines.filter((line) => line.startsWith('results ')).map((line) => JSON.parse(line.slice('results '.length)) as Row[]));
  // The worker that ended first may have asked while the other's last trial ran.
  expect(theirs.find(({ length }) => length === ours.length)).toMatchObject(ours);
}

function check(study: Study, trials: readonly Trial[], name: string): void {
  expect(study.state.case).toBe('completed');
  expect(trials.map(({ state }) => (state.case === 'failed' ? state.value.error : state.case))).toEqual(trials.map(() => 'succeeded'));
  expect(trials).toHaveLength(TRIALS);
  // The killed worker's trial, if it had one, was taken up by another.
  expect(trials.filter(({ attempts }) => attempts > 1).length).toBeLessThanOrEqual(1);
  // The space was told by the first run, and grew where a condition held for the first time.
  expect(study.spec?.space.case === 'searchSpace' && study.spec.space.value.parameters.map((p) => p.name)).toEqual(expect.arrayContaining(['learning_rate', 'layers', 'units_0', 'activation', 'dropout']));
  const values = trials.map((trial) => JSON.stringify(trial.values.map((v) => [v.name, String(v.value?.kind.value)])));
  if (name === 'Hyperband') {
    const promoted = trials.filter(({ rung }) => rung !== undefined && rung.round > 0);
    expect(promoted.length).toBeGreaterThan(0);
    // And what a run has met that was not known when its parent's ended.
    for (const { rung, values: own } of promoted) expect(own).toEqual(expect.arrayContaining(trials.find((trial) => trial.name === rung?.parent)?.values ?? [undefined]));
  } else {
    expect(new Set(values).size).toBe(TRIALS);
  }
}
