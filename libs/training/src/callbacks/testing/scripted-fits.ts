/** Scripted fits: what callbacks are told, in a form that Keras's callbacks can be told too. */

/** A number of the logs; JSON has no others. */
export type ScriptedNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export type ScriptedLogs = Readonly<Record<string, ScriptedNumber>>;

export interface ScriptedEpoch {
  readonly batches: readonly ScriptedLogs[];
  readonly logs: ScriptedLogs;
}

export type ScriptedSchedule = { readonly table: readonly (number | null)[] } | { readonly from: number; readonly factor: number };

export interface ScriptedFit {
  readonly title: string;
  readonly callback: 'EarlyStopping' | 'ReduceLROnPlateau' | 'LearningRateScheduler' | 'TerminateOnNaN' | 'ModelCheckpoint';
  /** By Keras's names; a filepath without its folder, and without what Keras wants at its end. */
  readonly options: Readonly<Record<string, number | string | boolean | ScriptedSchedule>>;
  /** The learning rate at first. */
  readonly rate: number;
  readonly epochs: readonly ScriptedEpoch[];
}

/** Epochs of one batch each, whose logs have one metric beside the loss. */
const epochs = (metric: string, values: readonly ScriptedNumber[]): readonly ScriptedEpoch[] =>
  values.map((value) => ({ batches: [{ loss: 1 }], logs: { loss: 1, ...(metric === 'loss' ? { loss: value } : { [metric]: value }) } }));

type Options = ScriptedFit['options'];
const FALLING = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
const PLATEAU = [0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8];
const UP_AND_DOWN = [0.5, 0.4, 0.45, 0.3, 0.35, 0.36, 0.2, 0.3, 0.31, 0.32, 0.33];
/** Apart by less than float32 tells: equal to Keras. */
const TOO_CLOSE = [0.1 + 3e-10, 0.1 + 2e-10, 0.1 + 1e-10, 0.1];

const stopping = (title: string, metric: string, values: readonly ScriptedNumber[], options: Options): ScriptedFit => ({
  title, callback: 'EarlyStopping', rate: 0.1, epochs: epochs(metric, values), options: { restore_best_weights: true, ...options },
});

const STOPPING: readonly ScriptedFit[] = [
  stopping('defaults: the first epoch without improvement, but not the first of all', 'val_loss', [0.5, 0.5, 0.4], {}),
  stopping('falling: never', 'val_loss', FALLING, { patience: 2 }),
  stopping('a plateau, patience 3', 'val_loss', PLATEAU, { patience: 3 }),
  stopping('up and down, patience 2', 'val_loss', UP_AND_DOWN, { patience: 2 }),
  stopping('up and down, patience 3', 'val_loss', UP_AND_DOWN, { patience: 3 }),
  stopping('the last weights stay', 'val_loss', UP_AND_DOWN, { patience: 3, restore_best_weights: false }),
  stopping('not stopped, and still the best weights', 'val_loss', [0.5, 0.2, 0.3, 0.4], { patience: 9 }),
  stopping('steps of exactly min_delta', 'val_loss', [1, 0.75, 0.5, 0.25, 0], { patience: 1, min_delta: 0.25 }),
  stopping('steps of more than min_delta', 'val_loss', [1, 0.75, 0.5, 0.25, 0], { patience: 1, min_delta: 0.24 }),
  stopping('steps that add up to min_delta', 'val_loss', [1, 0.9, 0.8, 0.7, 0.6, 0.5], { patience: 2, min_delta: 0.15 }),
  stopping('a negative min_delta', 'val_loss', [1, 0.75, 0.5, 0.25, 0], { patience: 1, min_delta: -0.25 }),
  stopping('differences that float32 does not tell', 'val_loss', TOO_CLOSE, { patience: 2 }),
  stopping('NaN at first', 'val_loss', ['NaN', 0.5, 0.4, 0.3, 0.2], { patience: 2 }),
  stopping('NaN in between', 'val_loss', [0.5, 'NaN', 'NaN', 0.4, 'NaN', 'NaN', 'NaN'], { patience: 3 }),
  stopping('infinity at first', 'val_loss', ['Infinity', 'Infinity', 0.4, 0.5, 0.5], { patience: 2 }),
  stopping('minus infinity', 'val_loss', [0.5, '-Infinity', '-Infinity', 0.1, 0.1], { patience: 2 }),
  stopping('a baseline that is never reached', 'val_loss', FALLING, { patience: 3, baseline: 0.1 }),
  stopping('a baseline that is reached, then lost', 'val_loss', [0.9, 0.5, 0.6, 0.55, 0.45, 0.6, 0.6, 0.6], { patience: 3, baseline: 0.55 }),
  stopping('a baseline of the first value', 'val_loss', [0.5, 0.5, 0.5, 0.5], { patience: 2, baseline: 0.5 }),
  stopping('a baseline of zero', 'val_loss', [0.5, 0.4, 0.3, 0.2], { patience: 2, baseline: 0 }),
  stopping('start_from_epoch', 'val_loss', [0.1, 0.2, 0.3, 0.6, 0.5, 0.5, 0.5, 0.5], { patience: 2, start_from_epoch: 3 }),
  stopping('start_from_epoch after the end', 'val_loss', PLATEAU, { patience: 1, start_from_epoch: 20 }),
  stopping('mode max', 'val_score', [0.1, 0.2, 0.15, 0.2, 0.3, 0.1, 0.1, 0.1], { monitor: 'val_score', mode: 'max', patience: 3 }),
  stopping('mode max with min_delta', 'val_score', [0, 0.25, 0.5, 0.75, 1], { monitor: 'val_score', mode: 'max', patience: 1, min_delta: 0.25 }),
  stopping('mode min by name', 'val_mae', UP_AND_DOWN, { monitor: 'val_mae', patience: 2 }),
  stopping('mode max by name: acc', 'val_acc', [0.5, 0.6, 0.6, 0.7, 0.6, 0.6], { monitor: 'val_acc', patience: 2 }),
  stopping('mode max by name: auc', 'auc', [0.5, 0.6, 0.5, 0.5, 0.9], { monitor: 'auc', patience: 2 }),
  stopping('mode max by name: precision', 'val_precision', [0.5, 0.6, 0.5, 0.5, 0.9], { monitor: 'val_precision', patience: 2 }),
  stopping('a name that does not tell', 'val_score', FALLING, { monitor: 'val_score', patience: 2 }),
  stopping('a metric that is not there', 'val_loss', FALLING, { monitor: 'val_mae', patience: 1 }),
];

const reducing = (title: string, metric: string, values: readonly ScriptedNumber[], options: Options, rate = 0.1): ScriptedFit => ({
  title, callback: 'ReduceLROnPlateau', rate, epochs: epochs(metric, values), options,
});

const REDUCING: readonly ScriptedFit[] = [
  reducing('defaults: patience 10', 'val_loss', Array.from({ length: 25 }, () => 0.5), {}),
  reducing('falling: never', 'val_loss', FALLING, { patience: 1 }),
  reducing('a plateau, patience 2', 'val_loss', PLATEAU, { patience: 2, factor: 0.5 }),
  reducing('patience 0', 'val_loss', PLATEAU, { patience: 0, factor: 0.5 }),
  reducing('up and down', 'val_loss', UP_AND_DOWN, { patience: 2, factor: 0.3 }),
  reducing('cooldown', 'val_loss', Array.from({ length: 14 }, () => 0.5), { patience: 1, factor: 0.5, cooldown: 3 }),
  reducing('cooldown with an improvement in it', 'val_loss', [0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4], { patience: 2, factor: 0.5, cooldown: 2 }),
  reducing('min_lr is reached', 'val_loss', PLATEAU, { patience: 1, factor: 0.1, min_lr: 0.005 }),
  reducing('min_lr that float32 rounds up', 'val_loss', PLATEAU, { patience: 1, factor: 0.5, min_lr: 0.1 }, 0.1),
  reducing('min_lr above the rate', 'val_loss', PLATEAU, { patience: 1, factor: 0.5, min_lr: 0.5 }),
  reducing('steps of min_delta, the default', 'val_loss', [1, 0.9999, 0.9998, 0.9997, 0.9996, 0.9], { patience: 1, factor: 0.5 }),
  reducing('steps of exactly min_delta', 'val_loss', [1, 0.75, 0.5, 0.25], { patience: 1, factor: 0.5, min_delta: 0.25 }),
  reducing('NaN at first', 'val_loss', ['NaN', 0.5, 0.4, 0.3], { patience: 1, factor: 0.5 }),
  reducing('NaN in between', 'val_loss', [0.5, 'NaN', 'NaN', 0.4, 'NaN', 'NaN'], { patience: 2, factor: 0.5 }),
  reducing('infinity', 'val_loss', ['Infinity', 'Infinity', 0.4, 'Infinity', '-Infinity', '-Infinity'], { patience: 1, factor: 0.7 }),
  reducing('differences that float32 does not tell', 'val_loss', TOO_CLOSE, { patience: 2, factor: 0.5, min_delta: 0 }),
  reducing('mode max', 'val_score', [0.1, 0.2, 0.1, 0.1, 0.3, 0.2, 0.2], { monitor: 'val_score', mode: 'max', patience: 2, factor: 0.5 }),
  reducing('mode max by name', 'val_acc', [0.5, 0.6, 0.6, 0.6, 0.7], { monitor: 'val_acc', patience: 2, factor: 0.5 }),
  reducing('a factor of 1', 'val_loss', PLATEAU, { factor: 1 }),
  reducing('a metric that is not there', 'val_loss', PLATEAU, { monitor: 'val_mae', patience: 1 }),
  reducing('many reductions', 'loss', Array.from({ length: 40 }, () => 0.5), { monitor: 'loss', patience: 1, factor: 0.7 }, 0.3),
];

const scheduled = (title: string, schedule: ScriptedSchedule, rate: number, epochCount = 6): ScriptedFit => ({
  title, callback: 'LearningRateScheduler', rate, epochs: epochs('loss', FALLING).slice(0, epochCount), options: { schedule },
});

const SCHEDULED: readonly ScriptedFit[] = [
  ...[0.1, 0.5, 0.7, 0.9, 0.99].map((factor) => scheduled(`times ${factor} from the start`, { from: 0, factor }, 0.1)),
  ...[1, 2, 5, 9].map((from) => scheduled(`times 0.3 from epoch ${from}`, { from, factor: 0.3 }, 0.01)),
  scheduled('growing', { from: 0, factor: 1.1 }, 0.3),
  scheduled('a table', { table: [0.1, 0.01, 0.001, 0.3, 0.7, 1e-7] }, 0.1),
  scheduled('to zero', { table: [0.1, 0.0, 0.0, 0.1, 0.0, 0.1] }, 0.1),
  scheduled('negative', { table: [0.1, -0.5, 0.1, 0.1, 0.1, 0.1] }, 0.1),
  scheduled('beyond float32', { table: [1e-50, 1e-40, 0.1, 0.2, 0.3, 0.4] }, 0.1),
  scheduled('a table with a hole', { table: [0.1, 0.2, null, 0.2, 0.1, 0.1] }, 0.1),
];

const guarded = (title: string, ...losses: readonly (readonly ScriptedNumber[])[]): ScriptedFit => ({
  title, callback: 'TerminateOnNaN', rate: 0.1, options: {},
  epochs: losses.map((batches) => ({ batches: batches.map((loss) => ({ loss })), logs: { loss: batches.at(-1) ?? 0 } })),
});

const GUARDED: readonly ScriptedFit[] = [
  guarded('finite', [1, 0.5], [0.4, 0.3]),
  guarded('NaN in the first batch', ['NaN', 1], [1]),
  guarded('NaN in the second batch', [1, 'NaN', 1], [1]),
  guarded('NaN in the last batch of an epoch', [1, 1, 'NaN'], [1]),
  guarded('NaN in the second epoch', [1, 1], [1, 'NaN', 1], [1]),
  guarded('infinity', [1, 'Infinity', 1], [1]),
  guarded('minus infinity', [1, '-Infinity', 1], [1]),
  guarded('infinity in the second epoch', [1], ['Infinity', 1]),
  guarded('huge, but finite', [3e38, 1e300], [1]),
  guarded('zero and negative', [0, -1], [-0.5]),
  guarded('NaN in every batch', ['NaN', 'NaN'], ['NaN']),
  { ...guarded('no loss in the logs', [1, 1], [1]), epochs: [{ batches: [{ acc: 'NaN' }, {}], logs: { acc: 1 } }, { batches: [{}], logs: {} }] },
];

const saving = (title: string, metric: string, values: readonly ScriptedNumber[], options: Options): ScriptedFit => ({
  title, callback: 'ModelCheckpoint', rate: 0.1, epochs: epochs(metric, values), options: { filepath: 'checkpoint', ...options },
});

const savingByBatch = (title: string, batchCounts: readonly number[], options: Options): ScriptedFit => ({
  title, callback: 'ModelCheckpoint', rate: 0.1, options: { filepath: '{epoch}-{batch:03d}', ...options },
  epochs: batchCounts.map((count, epoch) => ({ batches: Array.from({ length: count }, (_, batch) => ({ loss: (epoch + 1) / (batch + 1) })), logs: { loss: 1, val_loss: 1 } })),
});

const SAVING: readonly ScriptedFit[] = [
  saving('every epoch into one file', 'val_loss', UP_AND_DOWN, {}),
  saving('every epoch into its own file', 'val_loss', UP_AND_DOWN, { filepath: 'at-{epoch:02d}-{val_loss:.2f}' }),
  saving('the best', 'val_loss', UP_AND_DOWN, { save_best_only: true }),
  saving('the best, each in its own file', 'val_loss', UP_AND_DOWN, { save_best_only: true, filepath: '{val_loss:.4f}-{epoch}' }),
  saving('the best by accuracy', 'val_acc', [0.5, 0.6, 0.55, 0.6, 0.7], { monitor: 'val_acc', save_best_only: true, filepath: '{epoch}' }),
  saving('the best by mode max', 'val_score', [0.5, 0.6, 0.55, 0.6, 0.7], { monitor: 'val_score', mode: 'max', save_best_only: true, filepath: '{epoch}' }),
  saving('nothing better than the threshold', 'val_loss', FALLING, { save_best_only: true, initial_value_threshold: 0.1 }),
  saving('some better than the threshold', 'val_loss', UP_AND_DOWN, { save_best_only: true, initial_value_threshold: 0.4, filepath: '{epoch}' }),
  saving('a threshold of zero', 'val_loss', [1, 0, -1], { save_best_only: true, initial_value_threshold: 0, filepath: '{epoch}' }),
  saving('NaN at first', 'val_loss', ['NaN', 0.5, 0.4], { save_best_only: true, filepath: '{epoch}' }),
  saving('NaN in between, in the name', 'val_loss', [0.5, 'NaN', 0.4, 'Infinity', '-Infinity'], { save_best_only: true, filepath: '{epoch}-{val_loss:.1f}' }),
  saving('NaN is saved where every epoch is', 'val_loss', [0.5, 'NaN', 'Infinity'], { filepath: '{epoch}-{val_loss}' }),
  saving('differences that float32 does not tell', 'val_loss', TOO_CLOSE, { save_best_only: true, filepath: '{epoch}' }),
  saving('weights alone', 'val_loss', UP_AND_DOWN, { save_weights_only: true, save_best_only: true, filepath: '{epoch}' }),
  saving('a metric that is not there', 'val_loss', FALLING, { monitor: 'val_mae', save_best_only: true, filepath: '{epoch}' }),
  saving('a field that is not there', 'val_loss', FALLING, { filepath: '{epoch}-{val_mae:.2f}' }),
  saving('a name that does not tell', 'val_score', FALLING, { monitor: 'val_score', save_best_only: true }),
  savingByBatch('every batch', [3, 2], { save_freq: 1 }),
  savingByBatch('every second batch, across epochs', [3, 3, 3, 1], { save_freq: 2 }),
  savingByBatch('every fourth batch of epochs of three', [3, 3, 3, 3], { save_freq: 4 }),
  savingByBatch('more than an epoch has', [2, 2, 2, 2, 2], { save_freq: 5 }),
  savingByBatch('by batch, with the loss in the name', [3, 3], { save_freq: 2, filepath: '{epoch}-{batch}-{loss:.3f}' }),
];

export const SCRIPTED_FITS: readonly ScriptedFit[] = [...STOPPING, ...REDUCING, ...SCHEDULED, ...GUARDED, ...SAVING];

/** Names with fields, and values for them. */
export const SCRIPTED_NAMES: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ...['{epoch}', '{epoch:d}', '{epoch:3d}', '{epoch:03d}', '{epoch:012d}', '{{{epoch}}}', 'a-{epoch:02d}.b', '{epoch:.1f}', '{batch:04}'].flatMap((name) => [0, 7, 12_345].map((epoch) => [name, { epoch, batch: epoch }] as const)),
  ...['{x}', '{x:f}', '{x:.0f}', '{x:.1f}', '{x:.2f}', '{x:.3f}', '{x:.6f}', '{x:.10f}', '{x:8.3f}', '{x:08.3f}', '{x:.20f}'].flatMap((name) =>
    [0.5, 1.5, 2.5, 0.125, 0.375, -0.125, -2.5, 0.1, 0.15, 1 / 3, 2 / 3, 1, 100, 123_456.789, 1e-5, 1.5e-7, 0.0001, 0.00012345, 1e15, 1e16, 1.5e16, 1e21, 1.5e22, 3.4028234663852886e38, 5e-324, 0.10000000149011612, 0.9999, 0.99999, 9.5, 9.95]
      .map((x) => [name, { x }] as const)),
];
