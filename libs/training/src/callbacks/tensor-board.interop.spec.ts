import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from '../install';
import { sequentialModel, testData } from '../testing/models';
import type { TrainingState } from '../state/training-state';
import { reduceLROnPlateau, tensorBoard } from './index';

const python = process.env['LOCKSTEP_PYTHON'] ?? '';
const missing = process.env['LOCKSTEP_PYTHON_MISSING'] ?? 'LOCKSTEP_PYTHON names no Python with tensorflow';
const hasTensorBoard = python !== '' && spawnSync(python, ['-c', 'import tensorboard']).status === 0;

interface ReadEvent {
  readonly version?: string;
  readonly tag: string;
  readonly step: number;
  readonly value: number;
  readonly plugin: string;
  readonly timed: boolean;
  readonly bytes: string;
}

type Runs<T> = Readonly<Record<'train' | 'validation', T>>;

interface Reference {
  readonly tensorFlow: readonly Runs<readonly ReadEvent[]>[];
  readonly tensorBoard: readonly Runs<Readonly<Record<string, readonly (readonly [number, number])[]>>>[];
  readonly written: readonly string[];
}

const EPOCHS = 3;
const STEPS = 2;

/** What a fit is expected to have written, in order. */
interface Expected {
  readonly train: { tag: string; step: number; value: number }[];
  readonly validation: { tag: string; step: number; value: number }[];
}

/** Fits into a folder, from a state or from the start; with the states after each step and epoch. */
async function fit(logDir: string, resume?: TrainingState) {
  const states: TrainingState[] = [];
  const batches: Record<string, number>[] = [];
  const training = installTraining(tf, {
    seed: 1, collective: new LocalCollective(2), ...(resume && { resume }),
    observer: {
      onStep: ({ values }) => {
        batches.push(values);
        states.push(training.state());
      },
      onEpochEnd: () => void states.push(training.state()),
    },
  });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const rows = testData(tf, 24);
    const { history } = await model.fit(rows.x, rows.y, {
      batchSize: 10, epochs: EPOCHS, verbose: 0, validationSplit: 0.2,
      // As in Keras, the rate is the one at the end of the epoch: here, before it is reduced.
      callbacks: [tensorBoard(tf, { logDir, updateFreq: 'batch' }), reduceLROnPlateau(tf, { monitor: 'loss', patience: 1, minDelta: 10 })],
    });
    return { states, batches, history: history as Record<string, number[]> };
  } finally {
    training.uninstall();
    tf.disposeVariables();
  }
}

function expected({ batches, history }: Awaited<ReturnType<typeof fit>>): Expected {
  const of = (name: string, epoch: number): number => Math.fround(history[name]?.[epoch] ?? NaN);
  const epochs = Array.from({ length: EPOCHS }, (_, epoch) => epoch);
  return {
    train: epochs.flatMap((epoch) => [
      ...batches.slice(epoch * STEPS, (epoch + 1) * STEPS).flatMap((values, i) => Object.entries(values).map(([name, value]) => ({ tag: `batch_${name}`, step: epoch * STEPS + i + 1, value: Math.fround(value) }))),
      ...['loss', 'acc', 'learning_rate'].map((name) => ({ tag: `epoch_${name}`, step: epoch, value: of(name, epoch) })),
    ]),
    validation: epochs.flatMap((epoch) => ['loss', 'acc'].map((name) => ({ tag: `epoch_${name}`, step: epoch, value: of(`val_${name}`, epoch) }))),
  };
}

(python === '' ? describe.skip : describe)(`event files${python === '' ? ` (${missing})` : ''}`, () => {
  let root: string;
  let reference: Reference;
  let events: Expected;
  const names: string[] = [];

  beforeAll(async () => {
    await tf.setBackend('cpu');
    root = mkdtempSync(path.join(tmpdir(), 'lockstep-events-'));
    const folder = (name: string): string => path.join(root, String(names.push(name)));
    const whole = await fit(folder('a whole fit'));
    events = expected(whole);
    for (const [i, state] of whole.states.entries()) await fit(folder(`a fit resumed from state ${i}, elsewhere`), state);
    // The folder of a process that died: it has points that are to be computed again.
    const reused = folder('a fit resumed in the folder of one that had gone on');
    await fit(reused);
    await fit(reused, whole.states[1]);
    const request = {
      folders: names.map((_, i) => path.join(root, String(i + 1))), tensorBoard: hasTensorBoard, scalars: events.train,
    };
    const output = execFileSync(python, [path.join(__dirname, 'testing', 'read-events.py')], { input: JSON.stringify(request), maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] });
    reference = JSON.parse(output.toString('utf8')) as Reference;
  }, 300_000);

  afterAll(() => rmSync(root, { recursive: true }));

  test('are read by TensorFlow: every point once, in order, of whole and of resumed fits alike', () => {
    // 2 batches and an end of each of 3 epochs.
    expect(reference.tensorFlow).toHaveLength(1 + 3 * 3 + 1);
    reference.tensorFlow.forEach((runs, i) => {
      for (const run of ['train', 'validation'] as const) {
        const [version, ...points] = runs[run];
        expect([names[i], run, version]).toEqual([names[i], run, { version: 'brain.Event:2' }]);
        expect([names[i], run, points.map(({ tag, step, value }) => ({ tag, step, value }))]).toEqual([names[i], run, events[run]]);
        expect(points.every(({ plugin, timed }) => plugin === 'scalars' && timed)).toBe(true);
      }
    });
  });

  test("have the very bytes that TensorFlow's own writer gives a scalar, but for the wall time", () => {
    expect(reference.written.length).toBeGreaterThan(10);
    expect(reference.tensorFlow[0]?.train.slice(1).map(({ bytes }) => bytes)).toEqual(reference.written);
  });

  (hasTensorBoard ? test : test.skip)(`are read by TensorBoard's EventAccumulator${hasTensorBoard ? '' : ' (this Python has no tensorboard)'}`, () => {
    expect(reference.tensorBoard).toHaveLength(names.length);
    for (const runs of reference.tensorBoard) {
      for (const run of ['train', 'validation'] as const) {
        const series: Record<string, [number, number][]> = {};
        for (const { tag, step, value } of events[run]) (series[tag] ??= []).push([step, value]);
        expect(runs[run]).toEqual(series);
      }
    }
  });
});
