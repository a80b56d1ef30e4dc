/** Tells one of our callbacks what a script says, as keras-callbacks.py tells Keras's. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Callback, LayersModel, Logs } from '@tensorflow/tfjs-layers';
import { TrainingError } from '../../errors';
import type { Tf } from '../../tfjs';
import { earlyStopping, learningRateScheduler, loadCheckpointWeights, modelCheckpoint, reduceLROnPlateau, terminateOnNaN } from '../index';
import type { ScriptedFit, ScriptedLogs, ScriptedNumber, ScriptedSchedule } from './scripted-fits';

/** What came of a scripted fit. */
export interface ScriptedOutcome {
  readonly refused: boolean;
  /** Whether a metric that is not there was warned of. */
  readonly warned: boolean;
  readonly epochs: readonly { readonly batches: number; readonly rate: number; readonly logged: number | null; readonly stop: boolean }[];
  /** Names of files, with the weight that was saved. */
  readonly saved: readonly (readonly [string, number])[];
  /** At the end: the number of the batch that it is of. */
  readonly weight: number | null;
}

const numberOf = (value: ScriptedNumber): number => Number(value);

const logsOf = (logs: ScriptedLogs): Logs => Object.fromEntries(Object.entries(logs).map(([name, value]) => [name, numberOf(value)]));

const scheduleOf = (spec: ScriptedSchedule) => (epoch: number, rate: number): number => {
  if ('table' in spec) return spec.table[epoch] as number;
  return epoch < spec.from ? rate : rate * spec.factor;
};

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const optionsOf = ({ options }: ScriptedFit): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), typeof value === 'object' ? scheduleOf(value) : value]));

function makeCallback(tf: Tf, fit: ScriptedFit, folder: string): Callback {
  const options = optionsOf(fit);
  switch (fit.callback) {
    case 'EarlyStopping':
      return earlyStopping(tf, options);
    case 'ReduceLROnPlateau':
      return reduceLROnPlateau(tf, options);
    case 'LearningRateScheduler':
      return learningRateScheduler(tf, options as unknown as Parameters<typeof learningRateScheduler>[1]);
    case 'TerminateOnNaN':
      return terminateOnNaN(tf);
    case 'ModelCheckpoint':
      return modelCheckpoint(tf, { ...options, filepath: join(folder, String(options['filepath'])) });
  }
}

/** A model with one weight. */
function makeModel(tf: Tf, rate: number): LayersModel {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1, useBias: false })] });
  model.compile({ optimizer: tf.train.sgd(rate), loss: 'meanSquaredError' });
  return model;
}

/** The weight in each folder of checkpoints. */
async function savedWeights(tf: Tf, folder: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const name of readdirSync(folder).sort()) {
    const model = makeModel(tf, 0.1);
    await loadCheckpointWeights(tf, model, join(folder, name));
    found.set(name, weightOf(model));
    model.dispose();
  }
  return found;
}

const weightOf = (model: LayersModel): number => model.getWeights()[0]?.dataSync()[0] ?? NaN;

/** Runs a script. @param warnings how many there were so far */
export async function runScriptedFit(tf: Tf, fit: ScriptedFit, warnings: () => number): Promise<ScriptedOutcome> {
  const before = warnings();
  const model = makeModel(tf, fit.rate);
  const optimizer = model.optimizer as typeof model.optimizer & { readonly learningRate: number };
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-callbacks-'));
  const saved: (readonly [string, number])[] = [];
  const files = new Map<string, number>();
  const noteSaved = async (): Promise<void> => {
    for (const [name, value] of await savedWeights(tf, folder)) {
      if (files.get(name) !== value) saved.push([name, value]);
      files.set(name, value);
    }
  };
  const epochs: ScriptedOutcome['epochs'][number][] = [];
  let batches = 0;
  let weight: number | null = null;
  let refused = false;
  try {
    const callback = makeCallback(tf, fit, folder);
    callback.setModel(model);
    await callback.onTrainBegin();
    model.stopTraining = false;
    for (const [epoch, script] of fit.epochs.entries()) {
      await callback.onEpochBegin(epoch);
      for (const [batch, logs] of script.batches.entries()) {
        batches++;
        model.setWeights([tf.fill([1, 1], batches)]);
        await callback.onBatchBegin(batch);
        await callback.onBatchEnd(batch, logsOf(logs));
        await noteSaved();
        if (model.stopTraining) break;
      }
      const logs = logsOf(script.logs);
      await callback.onEpochEnd(epoch, logs);
      await noteSaved();
      epochs.push({ batches, rate: Math.fround(optimizer.learningRate), logged: logs['learning_rate'] ?? null, stop: model.stopTraining });
      if (model.stopTraining) break;
    }
    await callback.onTrainEnd();
    weight = weightOf(model);
  } catch (error) {
    if (!(error instanceof TrainingError) || error.reason !== 'BAD_ARGUMENT') throw error;
    refused = true;
  } finally {
    model.dispose();
    rmSync(folder, { recursive: true });
  }
  return { refused, warned: warnings() > before, epochs, saved, weight };
}
