import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecords } from '@lockstep/examples';
import { formatPosition, LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from '../install';
import { OPTIMIZERS, sequentialModel, testData, weightBits, type OptimizerName } from '../testing/models';
import type { TrainingState } from '../state/training-state';
import { earlyStopping, learningRateScheduler, modelCheckpoint, reduceLROnPlateau, tensorBoard, terminateOnNaN } from './index';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rows = testData(tf, 30);

interface Fit {
  readonly epochs: number;
  readonly optimizer?: OptimizerName;
  /** @param folder of the member, empty at first */
  readonly callbacks: (folder: string) => tf.Callback[];
  /** What the callbacks write, that a process which comes later writes too. */
  readonly files?: (folder: string) => Promise<unknown>;
}

interface Outcome {
  readonly weights: readonly string[];
  /** With its learning rates. */
  readonly history: string;
  readonly digest: string;
  readonly epochCount: number;
  /** By the moment at which they were taken. */
  readonly states: ReadonlyMap<string, TrainingState>;
  readonly files: unknown;
}

/** A module that fits once, 3 steps an epoch, and then trains one batch more. */
async function run({ epochs, optimizer = 'momentum', callbacks, files }: Fit, resume?: TrainingState): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-callbacks-'));
  const states = new Map<string, TrainingState>();
  const take = (where: string): void => void states.set(where, training.state());
  const training = installTraining(tf, {
    seed: 4,
    collective: new LocalCollective(3),
    observer: {
      onStep: ({ position }) => take(`step ${formatPosition(position)}`),
      onEpochEnd: ({ position }) => take(`epoch ${formatPosition(position)}`),
      onCallEnd: ({ number, replayed }) => void (replayed || take(`call ${number}`)),
    },
    ...(resume && { resume }),
  });
  try {
    const model = sequentialModel(tf, { batchNorm: true, dropout: true, unseeded: true });
    model.compile({ optimizer: OPTIMIZERS[optimizer](tf), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const { epoch, history } = await model.fit(rows.x, rows.y, { batchSize: 8, epochs, verbose: 0, validationSplit: 0.2, callbacks: callbacks(folder) });
    const batch = await model.trainOnBatch(rows.x, rows.y);
    return {
      weights: weightBits(model), history: JSON.stringify([epoch, history, batch]), epochCount: epoch.length,
      digest: training.state().digest, states, files: await files?.(folder),
    };
  } finally {
    training.uninstall();
    tf.disposeVariables();
    rmSync(folder, { recursive: true });
  }
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)).map((name) => join(entry.name, name)) : [entry.name])).sort();

/** All files, by name and content. */
const contents = (folder: string): Promise<unknown> =>
  Promise.resolve(filesIn(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]));

/** Key and value of a wall time: all of an event but what is local. */
const WALL_TIME_BYTES = 9;

async function eventsWithoutTime(folder: string): Promise<unknown> {
  const files: [string, string[]][] = [];
  for (const name of filesIn(folder)) {
    const events: string[] = [];
    for await (const { data } of readRecords(join(folder, name))) events.push(Buffer.from(data.subarray(WALL_TIME_BYTES)).toString('latin1'));
    files.push([name, events]);
  }
  return files;
}

const FITS: Readonly<Record<string, Fit>> = {
  'earlyStopping, which stops': { epochs: 9, callbacks: () => [earlyStopping(tf, { patience: 2, minDelta: 0.05, restoreBestWeights: true })] },
  'earlyStopping, which does not': { epochs: 4, callbacks: () => [earlyStopping(tf, { monitor: 'val_acc', patience: 9, restoreBestWeights: true })] },
  'reduceLROnPlateau': { epochs: 8, optimizer: 'sgd', callbacks: () => [reduceLROnPlateau(tf, { monitor: 'loss', patience: 2, factor: 0.5, minDelta: 1, cooldown: 1 })] },
  'learningRateScheduler': { epochs: 3, callbacks: () => [learningRateScheduler(tf, { schedule: (epoch, rate) => (epoch < 1 ? rate : rate * 0.7) })] },
  'modelCheckpoint of the best': { epochs: 3, callbacks: (folder) => [modelCheckpoint(tf, { filepath: join(folder, 'best'), monitor: 'loss', saveBestOnly: true })], files: contents },
  'modelCheckpoint every 4 batches, weights alone': { epochs: 3, callbacks: (folder) => [modelCheckpoint(tf, { filepath: join(folder, 'newest'), saveFreq: 4, saveWeightsOnly: true })], files: contents },
  'tensorBoard by epoch': { epochs: 2, callbacks: (folder) => [tensorBoard(tf, { logDir: folder })], files: eventsWithoutTime },
  'tensorBoard every 2 batches': { epochs: 3, callbacks: (folder) => [tensorBoard(tf, { logDir: folder, updateFreq: 2 })], files: eventsWithoutTime },
  'all of them': {
    epochs: 8,
    callbacks: (folder) => [
      terminateOnNaN(tf),
      tensorBoard(tf, { logDir: folder, updateFreq: 'batch' }),
      modelCheckpoint(tf, { filepath: join(folder, '{epoch}'), saveBestOnly: true }),
      learningRateScheduler(tf, { schedule: (epoch, rate) => (epoch === 0 ? 0.05 : rate) }),
      reduceLROnPlateau(tf, { monitor: 'val_loss', patience: 1, factor: 0.3, minDelta: 0.05 }),
      earlyStopping(tf, { monitor: 'loss', patience: 3, minDelta: 0.2, restoreBestWeights: true }),
    ],
  },
};

describe.each(Object.entries(FITS))('%s', (_name, fit) => {
  let whole: Outcome;
  beforeAll(async () => {
    whole = await run(fit);
  });

  test('goes on from every step, epoch and call: the same decisions, weights and digest', async () => {
    expect(whole.states.size).toBe(whole.epochCount * 4 + 3);
    for (const [where, state] of whole.states) {
      // Not for processes that come after the fit: nothing is computed then, and nothing written.
      const inFit = where.includes('call 0 ');
      const resumed = await run(fit, state);
      expect([where, resumed.history]).toEqual([where, whole.history]);
      expect([where, resumed.weights]).toEqual([where, whole.weights]);
      expect([where, resumed.digest]).toEqual([where, whole.digest]);
      if (inFit) expect([where, resumed.files]).toEqual([where, whole.files]);
      for (const [later, { digest }] of resumed.states) expect([where, later, digest]).toEqual([where, later, whole.states.get(later)?.digest]);
    }
  });
});
