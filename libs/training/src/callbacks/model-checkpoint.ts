import { isAbsolute } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { OptionReader } from '../options';
import type { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';
import { writeCheckpoint, type CheckpointContent } from './checkpoint-files';
import { FilePathTemplate } from './file-path-template';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { KeptWeights } from './kept-weights';
import { readMonitor, type Monitor, type MonitorOptions } from './monitor';
import { callbackOptions } from './options';

/** Options of modelCheckpoint: Keras 3's. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /**
   * Absolute path of the folder to save to, such as `join(fnArgs.modelRunDir, 'best')`: each member has its own. Fields are
   * filled in: `{epoch}` and `{batch}` (from 1, `{epoch:02d}`) and the names of the logs (`{val_loss:.2f}`).
   */
  readonly filepath: string;
  /** Saves only when the metric is better than at all earlier saves. Default: false. */
  readonly saveBestOnly?: boolean;
  /** Saves weights without the model's layers. Default: false. */
  readonly saveWeightsOnly?: boolean;
  /** Saves after each epoch (`epoch`, the default) or after this many batches. */
  readonly saveFreq?: 'epoch' | number;
  /** With saveBestOnly: what the first save must be better than. */
  readonly initialValueThreshold?: number;
}

type Fields = Readonly<Record<string, number>>;

/** What was saved last: the weights travel, so that a process that comes later has the newest checkpoint too. */
interface Saved {
  /** The values of the path's fields. */
  readonly fields: Fields;
  readonly weights: KeptWeights;
}

interface ResolvedOptions {
  readonly path: FilePathTemplate;
  readonly monitor: Monitor;
  readonly saveBestOnly: boolean;
  readonly content: CheckpointContent;
  readonly saveFreq: 'epoch' | number;
  readonly initialBest: number | null;
}

const SAVED = 'saved';

/** Keras 3's decisions. */
class ModelCheckpoint implements FitCallback {
  readonly name = 'ModelCheckpoint';
  private best: number | null = null;
  private epoch = 0;
  private batchesSinceSave = 0;
  private saved: Saved | undefined;
  /** Whether `saved` was taken over and is to be written here. */
  private owed = false;

  constructor(private readonly options: ResolvedOptions) {}

  trainBegin(): void {
    this.options.monitor.reset();
    this.best = this.options.initialBest;
    this.epoch = 0;
    this.batchesSinceSave = 0;
    this.keep(undefined);
  }

  async epochBegin(fit: FitModel, epoch: number): Promise<void> {
    await this.writeOwed(fit);
    this.epoch = epoch;
  }

  async batchEnd(fit: FitModel, batch: number, logs: Logs): Promise<void> {
    await this.writeOwed(fit);
    const { saveFreq } = this.options;
    if (saveFreq === 'epoch') return;
    this.batchesSinceSave++;
    if (this.batchesSinceSave < saveFreq) return;
    this.batchesSinceSave = 0;
    await this.save(fit, logs, { ...logs, epoch: this.epoch + 1, batch: batch + 1 });
  }

  async epochEnd(fit: FitModel, epoch: number, logs: Logs): Promise<void> {
    await this.writeOwed(fit);
    if (this.options.saveFreq === 'epoch') await this.save(fit, logs, { ...logs, epoch: epoch + 1 });
  }

  async trainEnd(fit: FitModel): Promise<void> {
    await this.writeOwed(fit);
    this.keep(undefined);
  }

  state(): JsonValue {
    const { best, epoch, batchesSinceSave, saved } = this;
    return { best, epoch, batchesSinceSave, saved: saved?.fields ?? null };
  }

  stateTensors(): ReadonlyMap<string, Tensor> {
    return new Map(this.saved?.weights.stateTensors(SAVED));
  }

  restore(fit: FitModel, state: JsonReader, tensors: ReadonlyMap<string, Tensor>): void {
    this.best = state.field('best').nullable((best) => best.number());
    this.epoch = state.field('epoch').integer(0);
    this.batchesSinceSave = state.field('batchesSinceSave').integer(0);
    const fields = state.field('saved').nullable((saved) => saved.record((value) => value.number()));
    this.keep(fields ? { fields, weights: KeptWeights.fromState(fit, SAVED, tensors) } : undefined);
    this.owed = fields !== null;
  }

  private async save(fit: FitModel, logs: Logs, values: Fields): Promise<void> {
    const fields = this.fieldsOf(values);
    if (this.options.saveBestOnly && !this.improves(logs)) return;
    this.keep({ fields, weights: KeptWeights.now(fit) });
    await this.write(fit, fields);
  }

  /** A metric that is not there is no reason not to save. */
  private improves(logs: Logs): boolean {
    const { monitor } = this.options;
    const value = monitor.read(logs);
    if (value === undefined) return true;
    if (!monitor.improves(value, this.best)) return false;
    this.best = value;
    return true;
  }

  private fieldsOf(values: Fields): Fields {
    const names = this.options.path.fields;
    const missing = names.find((name) => values[name] === undefined);
    if (missing === undefined) return Object.fromEntries(names.map((name) => [name, values[name] ?? NaN]));
    throw new TrainingError('BAD_ARGUMENT', `modelCheckpoint(): filepath has a field {${missing}} that is not there; there are ${Object.keys(values).sort().join(', ')}`);
  }

  private async writeOwed(fit: FitModel): Promise<void> {
    const { saved } = this;
    if (!this.owed || !saved) return;
    this.owed = false;
    const now = KeptWeights.now(fit);
    try {
      saved.weights.apply();
      await this.write(fit, saved.fields);
    } finally {
      now.apply();
      now.dispose();
    }
  }

  private async write(fit: FitModel, fields: Fields): Promise<void> {
    const directory = this.options.path.format(fields);
    try {
      await writeCheckpoint(fit, directory, this.options.content);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TrainingError('BAD_ARGUMENT', `modelCheckpoint(): the model could not be saved to ${directory}: ${why}. Pass a filepath in a folder that can be written, with space left.`, {}, { cause: error });
    }
  }

  private keep(saved: Saved | undefined): void {
    this.saved?.weights.dispose();
    this.saved = saved;
    this.owed = false;
  }
}

/**
 * Saves the model in TensorFlow.js's layers format, with Keras 3's options and decisions; `loadCheckpoint` reads it. Every
 * member saves, each to its own path. A process that takes over in the middle of a fit saves the newest checkpoint
 * again; older ones are only where they were saved, and a process that comes after the fit has none: to end with the best
 * weights on every member, use earlyStopping's restoreBestWeights.
 * @param tf the namespace of @tensorflow/tfjs
 * @throws TrainingError (BAD_ARGUMENT) that names the option; in fit(), when a field of the path is not in the logs or the folder cannot be written
 */
export function modelCheckpoint(tf: Tf, options: ModelCheckpointOptions): Callback {
  const read = callbackOptions('modelCheckpoint', tf, options, ['filepath', 'monitor', 'mode', 'saveBestOnly', 'saveWeightsOnly', 'saveFreq', 'initialValueThreshold']);
  const filepath = read.string('filepath');
  if (!isAbsolute(filepath)) throw read.wrong('filepath', "an absolute path, as join(fnArgs.modelRunDir, 'best') is: members that run in one folder would write to the same files");
  const saveBestOnly = read.boolean('saveBestOnly');
  return asCallback(tf, new ModelCheckpoint({
    path: templateOf(read, filepath),
    monitor: readMonitor('ModelCheckpoint', read, 0),
    saveBestOnly,
    content: read.boolean('saveWeightsOnly') ? 'WEIGHTS' : 'MODEL',
    saveFreq: read.wordOrCount('saveFreq', ['epoch'], 'epoch'),
    initialBest: read.optionalNumber('initialValueThreshold'),
  }));
}

function templateOf(read: OptionReader<ModelCheckpointOptions>, filepath: string): FilePathTemplate {
  try {
    return new FilePathTemplate(filepath);
  } catch (error) {
    throw read.refuse(`filepath '${filepath}': ${error instanceof Error ? error.message : String(error)}`);
  }
}
