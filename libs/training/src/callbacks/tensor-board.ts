import { isAbsolute, join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Callback, Logs } from '@tensorflow/tfjs-layers';
import type { JsonValue } from '../canonical-json';
import { TrainingError } from '../errors';
import type { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';
import { EventFile } from './event-file';
import { asCallback, type FitCallback } from './fit-callback';
import type { FitModel } from './fit-model';
import { callbackOptions } from './options';
import { SCALAR_RUNS, ScalarPoints, type ScalarPoint, type ScalarRun } from './scalar-points';

/** Options of tensorBoard: Keras's. */
export interface TensorBoardOptions {
  /** Absolute path of the folder that TensorBoard is pointed to, such as `join(fnArgs.modelRunDir, 'logs')`: each member has its own. */
  readonly logDir: string;
  /** When losses and metrics are written besides at the end of each epoch: after each `batch`, or after this many. Default: `epoch`, never. */
  readonly updateFreq?: 'epoch' | 'batch' | number;
}

/** What tfjs adds to the logs of a batch. */
const NOT_METRICS: readonly string[] = ['batch', 'size'];

const VALIDATION_PREFIX = 'val_';

/** Files, tags and steps are Keras's. */
class TensorBoard implements FitCallback {
  readonly name = 'TensorBoard';
  /** Batches of this fit. */
  private batches = 0;
  private readonly points = new ScalarPoints();
  /** Those that this process has begun. */
  private readonly files = new Map<ScalarRun, EventFile>();

  constructor(
    private readonly logDir: string,
    /** Batches between two writes; undefined: batches are not written. */
    private readonly batchInterval: number | undefined,
  ) {}

  trainBegin(): void {
    this.batches = 0;
    this.points.clear();
    this.files.clear();
  }

  batchEnd(fit: FitModel, _batch: number, logs: Logs): void {
    this.batches++;
    if (this.batchInterval === undefined || this.batches % this.batchInterval !== 0) return;
    const metrics = Object.entries(logs).filter(([name]) => !NOT_METRICS.includes(name));
    this.write(fit, metrics.map(([name, value]) => ({ run: 'train', tag: `batch_${name}`, step: this.batches, value: Math.fround(value) })));
  }

  epochEnd(fit: FitModel, epoch: number, logs: Logs): void {
    const rate = fit.knownLearningRate;
    const all = Object.entries({ ...logs, ...(rate !== undefined && { learning_rate: rate }) });
    const training = all.filter(([name]) => !name.startsWith(VALIDATION_PREFIX));
    const validation = all.filter(([name]) => name.startsWith(VALIDATION_PREFIX)).map(([name, value]) => [name.slice(VALIDATION_PREFIX.length), value] as const);
    const points = (run: ScalarRun, values: readonly (readonly [string, number])[]): ScalarPoint[] =>
      values.map(([name, value]) => ({ run, tag: `epoch_${name}`, step: epoch, value: Math.fround(value) }));
    this.write(fit, [...points('train', training), ...points('validation', validation)]);
  }

  trainEnd(fit: FitModel): void {
    // A process that took over at the very end has nothing of its own to write.
    this.write(fit, []);
  }

  state(): JsonValue {
    return { batches: this.batches, series: this.points.state() };
  }

  stateTensors(tf: Tf): ReadonlyMap<string, Tensor> {
    return this.points.stateTensors(tf);
  }

  restore(_fit: FitModel, state: JsonReader, tensors: ReadonlyMap<string, Tensor>): void {
    this.batches = state.field('batches').integer(0);
    this.points.restore(state.field('series'), tensors);
  }

  private write(fit: FitModel, added: readonly ScalarPoint[]): void {
    this.points.add(added);
    for (const run of SCALAR_RUNS) {
      const own = added.filter((point) => point.run === run);
      const file = this.files.get(run);
      try {
        if (!file) this.begin(fit, run);
        else if (own.length > 0) file.append(own);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new TrainingError('BAD_ARGUMENT', `tensorBoard(): events could not be written to ${join(this.logDir, run)}: ${why}. Pass a logDir that can be written, with space left.`, {}, { cause: error });
      }
    }
  }

  /** Begins a file with all points so far: those of another process too. */
  private begin(fit: FitModel, run: ScalarRun): void {
    const points = this.points.of(run);
    if (points.length === 0) return;
    // One file a fit, and the same name when the fit is done again.
    const name = `events.out.tfevents.${String(fit.call).padStart(10, '0')}.lockstep.v2`;
    const file = new EventFile(join(this.logDir, run, name), () => Date.now() / 1000);
    file.begin(points);
    this.files.set(run, file);
  }
}

/**
 * Writes losses, metrics and the learning rate as event files that TensorBoard reads: `train/` and `validation/` in `logDir`,
 * `epoch_loss` by epoch and `batch_loss` by batch, as Keras does. Every member writes its own. A process that takes over in
 * the middle of a fit writes the earlier points too, up to the newest 262,144; their wall times are its own.
 * @param tf the namespace of @tensorflow/tfjs
 * @throws TrainingError (BAD_ARGUMENT) that names the option; in fit(), when the folder cannot be written
 */
export function tensorBoard(tf: Tf, options: TensorBoardOptions): Callback {
  const read = callbackOptions('tensorBoard', tf, options, ['logDir', 'updateFreq']);
  const logDir = read.string('logDir');
  if (!isAbsolute(logDir)) throw read.wrong('logDir', "an absolute path, as join(fnArgs.modelRunDir, 'logs') is: members that run in one folder would write to the same files");
  const frequency = read.wordOrCount('updateFreq', ['epoch', 'batch'], 'epoch');
  return asCallback(tf, new TensorBoard(logDir, frequency === 'epoch' ? undefined : frequency === 'batch' ? 1 : frequency));
}
