/**
 * The arithmetic of the simulated training, in float32: what a step adds up depends on the order of the additions, and what
 * it leaves depends on every bit of the sum.
 */
import { createHash } from 'node:crypto';
import { murmur3 } from './murmur3';
import type { Workload } from './workload';

const f32 = Math.fround;

/** A row of a batch: a record, and the pass in which it is read. */
export interface RowVisit {
  readonly pass: number;
  readonly record: number;
}

/** Elements behind the statistics in a step's second bucket: loss, rows, and the visits' tally in two parts. */
export const TAIL_ELEMENTS = 4;
/** Parts of a tally are small enough that float32 adds up thousands of them exactly. */
const TALLY_PART = 1 << 11;

/** All that a step changes. */
export interface ModelState {
  readonly weights: Float32Array;
  readonly velocity: Float32Array;
  /** Moving statistics: each step's mean goes in once. */
  readonly statistics: Float32Array;
}

/** What a step reports besides the state. */
export interface StepValues {
  readonly loss: number;
  readonly rows: number;
  /** Rows and the sum of their hashes: which records the step consumed. */
  readonly tally: number;
}

export function initialModel({ seed, bucketWeights: [first, second], statistics }: Workload): ModelState {
  const value = (_: unknown, i: number): number => (murmur3([seed, i], 7) % 2000) / 1000 - 1;
  return {
    weights: Float32Array.from({ length: first + second }, value),
    velocity: new Float32Array(first + second),
    statistics: new Float32Array(statistics),
  };
}

/** Lengths of a training step's buckets. */
export const stepBuckets = ({ bucketWeights: [first, second], statistics }: Workload): readonly [number, number] => [first, second + statistics + TAIL_ELEMENTS];

/** Length of an evaluation's only bucket: loss and rows. */
export const EVALUATION_ELEMENTS = 2;

const visitHash = ({ pass, record }: RowVisit): number => murmur3([pass, record], 3);

/** One replica's part of a training step, by bucket: gradients whose sum depends on its order, statistics, values. */
export function gradients(workload: Workload, model: ModelState, rows: readonly RowVisit[], key: readonly number[]): readonly [Float32Array, Float32Array] {
  const { bucketWeights: [first, second], statistics } = workload;
  const seed = murmur3([workload.seed, ...key, ...rows.map(visitHash)], 1);
  const [a, b] = stepBuckets(workload);
  const buckets = [new Float32Array(a), new Float32Array(b)] as const;
  let draw = seed;
  for (let i = 0; i < first + second; i++) {
    draw = (Math.imul(draw ^ (draw >>> 15), 0x2c1b3c6d) + i) >>> 0;
    // Large values of both signs that nearly cancel: most of the small ones' bits depend on when they are added.
    const large = f32(((draw & 0xffff) / 65536 - 0.5) * 2 ** ((draw >>> 16) % 24 - 4));
    const value = f32(large + f32((model.weights[i] ?? 0) * 0.125));
    if (i < first) buckets[0][i] = value;
    else buckets[1][i - first] = value;
  }
  for (let i = 0; i < statistics; i++) buckets[1][second + i] = f32(rows.length * f32(((murmur3([seed, i], 5) & 0xffff) / 65536) * 3));
  let tally = 0;
  for (const row of rows) tally = (tally + visitHash(row)) >>> 0;
  const tail = second + statistics;
  buckets[1][tail] = f32(((seed >>> 8) & 0xfff) / 512);
  buckets[1][tail + 1] = rows.length;
  buckets[1][tail + 2] = tally % TALLY_PART;
  buckets[1][tail + 3] = Math.floor(tally / TALLY_PART) % TALLY_PART;
  return buckets;
}

/** One replica's part of an evaluation round. */
export function evaluationPart(workload: Workload, model: ModelState, key: readonly number[]): Float32Array {
  const draw = murmur3([workload.seed, ...key], 9);
  return Float32Array.of(f32(((draw & 0xffff) / 65536) * 2 ** ((draw >>> 16) % 16) + (model.weights[draw % model.weights.length] ?? 0)), 1 + (draw % 3));
}

/** Changes the weights that one bucket has the gradients of. */
export function applyBucket(workload: Workload, model: ModelState, bucket: 0 | 1, sums: Float32Array, rate: number): void {
  const { bucketWeights: [first, second] } = workload;
  const from = bucket === 0 ? 0 : first;
  for (let i = 0; i < (bucket === 0 ? first : second); i++) {
    const velocity = f32(f32(0.5 * (model.velocity[from + i] ?? 0)) + (sums[i] ?? 0));
    model.velocity[from + i] = velocity;
    model.weights[from + i] = f32((model.weights[from + i] ?? 0) - f32(rate * f32(velocity / f32(1 + Math.abs(velocity)))));
  }
}

/** Moves the statistics by a step's mean. */
export function applyStatistics({ bucketWeights: [, second], statistics }: Workload, model: ModelState, sums: Float32Array): void {
  const rows = sums[second + statistics + 1] ?? 1;
  for (let i = 0; i < statistics; i++) {
    model.statistics[i] = f32(f32(0.75 * (model.statistics[i] ?? 0)) + f32(0.25 * f32((sums[second + i] ?? 0) / rows)));
  }
}

export function stepValues({ bucketWeights: [, second], statistics }: Workload, sums: Float32Array): StepValues {
  const tail = second + statistics;
  const rows = sums[tail + 1] ?? 0;
  return { loss: f32((sums[tail] ?? 0) / rows), rows, tally: (sums[tail + 2] ?? 0) + (sums[tail + 3] ?? 0) * 2 ** 24 };
}

/** Identifies a model at a moment of the job. */
export function modelDigest(model: ModelState, moment: string): string {
  const hash = createHash('sha256').update(moment);
  for (const part of [model.weights, model.velocity, model.statistics]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
}
