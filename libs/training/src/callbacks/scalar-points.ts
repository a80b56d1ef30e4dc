/**
 * The scalars that a fit has written so far. They travel in the state, so that another process writes the whole file again.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { JsonValue } from '../canonical-json';
import { StateError, TrainingError } from '../errors';
import type { JsonReader } from '../state/json-reader';
import type { Tf } from '../tfjs';

/** Folders of TensorBoard's runs, as Keras names them. */
export const SCALAR_RUNS = ['train', 'validation'] as const;
export type ScalarRun = (typeof SCALAR_RUNS)[number];

export interface ScalarPoint {
  readonly run: ScalarRun;
  readonly tag: string;
  readonly step: number;
  /** A float32. */
  readonly value: number;
}

/** 12 bytes each in the state: 3 MiB. */
export const MAX_POINTS = 262_144;
/** As many of the oldest are forgotten at once. */
const FORGOTTEN_POINTS = MAX_POINTS / 4;
const MAX_SERIES = 1_000;

interface Series {
  readonly run: ScalarRun;
  readonly tag: string;
}

/** A point of the series with a number. */
type StoredPoint = readonly [series: number, step: number, value: number];

export class ScalarPoints {
  /** In the order in which they first came, also those whose points are forgotten. */
  private series: Series[] = [];
  private readonly numbers = new Map<string, number>();
  private points: StoredPoint[] = [];

  clear(): void {
    this.points = [];
    this.series = [];
    this.numbers.clear();
  }

  /**
   * Adds points. Beyond MAX_POINTS the oldest are forgotten: they stay in the files where they were written.
   * @throws TrainingError (BAD_ARGUMENT) when there are too many names to carry
   */
  add(points: readonly ScalarPoint[]): void {
    for (const { run, tag, step, value } of points) this.points.push([this.numberOf({ run, tag }), step, value]);
    if (this.points.length > MAX_POINTS) this.points = this.points.slice(Math.max(FORGOTTEN_POINTS, this.points.length - MAX_POINTS));
  }

  of(run: ScalarRun): readonly ScalarPoint[] {
    return this.points.flatMap(([number, step, value]) => {
      const series = this.series[number];
      return series?.run === run ? [{ ...series, step, value }] : [];
    });
  }

  state(): JsonValue {
    return this.series.map(({ run, tag }) => [run, tag]);
  }

  /** int32 series and step, float32 value, each of shape [points]. */
  stateTensors(tf: Tf): ReadonlyMap<string, Tensor> {
    return new Map<string, Tensor>([
      ['series', tf.tensor1d(Int32Array.from(this.points, ([series]) => series), 'int32')],
      ['step', tf.tensor1d(Int32Array.from(this.points, ([, step]) => step), 'int32')],
      ['value', tf.tensor1d(Float32Array.from(this.points, ([, , value]) => value), 'float32')],
    ]);
  }

  /** @throws StateError (CORRUPT) when tensors are missing, differ in length or name a series that is not there */
  restore(state: JsonReader, tensors: ReadonlyMap<string, Tensor>): void {
    const [numbers, steps, values] = ['series', 'step', 'value'].map((name) => tensors.get(name)?.dataSync());
    if (!numbers || !steps || !values || numbers.length !== values.length || steps.length !== values.length) throw new StateError('CORRUPT', "the state's scalars are incomplete");
    this.clear();
    for (const series of state.list((item) => ({ run: item.item(0).oneOf(SCALAR_RUNS), tag: item.item(1).string() }))) this.numberOf(series);
    this.points = Array.from(values, (value, i): StoredPoint => {
      const number = numbers[i] ?? -1;
      if (!this.series[number]) throw new StateError('CORRUPT', `the state's scalar ${i} is of a series that is not there`);
      return [number, steps[i] ?? 0, value];
    });
  }

  private numberOf(series: Series): number {
    const key = `${series.run}/${series.tag}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    if (this.series.length === MAX_SERIES) throw new TrainingError('BAD_ARGUMENT', `tensorBoard(): the logs have more than ${MAX_SERIES} names: do not make new names in each epoch`);
    this.numbers.set(key, this.series.length);
    return this.series.push(series) - 1;
  }
}
