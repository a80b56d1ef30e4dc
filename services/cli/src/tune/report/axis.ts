import { formatNumber } from '../../output';

/** A round number on an axis. */
export interface Tick {
  readonly value: number;
  /** With as many digits as tell it from its neighbours. */
  readonly text: string;
}

/** Values that an axis has no room for: they lie on its ends. */
export interface Outside {
  readonly count: number;
  /** That which lies farthest off; may be infinite. */
  readonly farthest: number;
}

/** An axis of numbers: the ends of its scale, round numbers between them, and what lies outside. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly Tick[];
  readonly below: Outside | undefined;
  readonly above: Outside | undefined;
}

const STEPS = [1, 2, 5, 10];
const WANTED_TICKS = 5;
/** Digits of a tick: more would show what the multiplication of the step has added. */
const TICK_DIGITS = 12;

/** What lies farther from the quartiles than so many times their distance is "far out" (J. Tukey, Exploratory Data Analysis, 1977). */
const FAR_OUT = 3;
/** Far-out values stay on the scale unless they press the others into less than this share of it. */
const FLATTENED = 0.1;
/** Different values, of which quartiles say something. */
const MIN_VALUES = 5;
/** Of the different values, at most so many are left outside. */
const MOST_OUTSIDE = 1 / 5;

/** The share of an axis that lies beyond its scale where there is something outside. */
const EDGE = 0.08;

/** The axis that holds all finite values; from 0 to 1 without any. Infinite ones are outside. */
export function axisOf(values: readonly number[]): Axis {
  return axisBetween(values, values.filter(Number.isFinite));
}

/** The axis that leaves values outside, if they would flatten the others. */
export function robustAxis(values: readonly number[]): Axis {
  const all = [...new Set(values.filter(Number.isFinite))].sort((a, b) => a - b);
  let kept: readonly number[] = all;
  while (kept.length >= MIN_VALUES) {
    const near = withoutFarOut(kept);
    if (rangeOf(near) >= FLATTENED * rangeOf(kept) || all.length - near.length > MOST_OUTSIDE * all.length) break;
    kept = near;
  }
  return axisBetween(values, kept);
}

/** Where a value lies on the axis: 0 at its beginning, 1 at its end. */
export function shareOn({ min, max, below, above }: Axis, value: number): number {
  if (value < min) return 0;
  if (value > max) return 1;
  const from = below ? EDGE : 0;
  const to = above ? 1 - EDGE : 1;
  // In halves: the whole range may be more than a double holds.
  return from + (value / 2 - min / 2) / (max / 2 - min / 2) * (to - from);
}

/** What the reader of an axis must know of values that are not on it; empty when there are none. @param what is measured */
export function outsideText(what: string, { below, above }: Axis): string {
  const parts = [
    ...(above ? [`${above.count} above, up to ${formatNumber(above.farthest)}`] : []),
    ...(below ? [`${below.count} below, down to ${formatNumber(below.farthest)}`] : []),
  ];
  return parts.length === 0 ? '' : `Values of ${what} that lie outside the scale: ${parts.join('; ')}.`;
}

/** @param ascending finite */
function withoutFarOut(ascending: readonly number[]): readonly number[] {
  const last = ascending.length - 1;
  const lower = ascending[Math.floor(last / 4)] ?? NaN;
  const upper = ascending[Math.ceil(3 * last / 4)] ?? NaN;
  const reach = FAR_OUT * (upper - lower);
  return ascending.filter((value) => value >= lower - reach && value <= upper + reach);
}

const rangeOf = (ascending: readonly number[]): number => (ascending.at(-1) ?? 0) - (ascending[0] ?? 0);

/** @param kept finite values that the scale has to hold */
function axisBetween(values: readonly number[], kept: readonly number[]): Axis {
  const [min, max] = scaleOf(kept);
  return { min, max, ticks: ticksBetween(min, max), below: outside(values.filter((value) => value < min), Math.min), above: outside(values.filter((value) => value > max), Math.max) };
}

const outside = (values: readonly number[], farther: (a: number, b: number) => number): Outside | undefined =>
  (values.length === 0 ? undefined : { count: values.length, farthest: values.reduce((a, b) => farther(a, b)) });

function scaleOf(values: readonly number[]): readonly [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (min > max) return [0, 1];
  if (min < max) return [min, max];
  const half = Math.abs(min) / 10 || 0.5;
  return [Math.max(-Number.MAX_VALUE, min - half), Math.min(Number.MAX_VALUE, max + half)];
}

function ticksBetween(min: number, max: number): readonly Tick[] {
  // A rounding error must not make the step longer.
  const rough = (max / WANTED_TICKS - min / WANTED_TICKS) * (1 - 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((each) => each * power >= rough) ?? 10) * power;
  const ticks: Tick[] = [];
  const first = Math.ceil(min / step);
  for (let i = 0; i <= 2 * WANTED_TICKS && (first + i) * step <= max; i++) {
    const value = Number(((first + i) * step).toPrecision(TICK_DIGITS));
    const text = formatNumber(value, digitsOf(value, step));
    if (ticks.at(-1)?.text !== text) ticks.push({ value, text });
  }
  return ticks;
}

/** Significant digits of a tick, down to those of the step. */
const digitsOf = (value: number, step: number): number =>
  (value === 0 ? 1 : Math.min(TICK_DIGITS, Math.max(1, 1 + Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(step)))));
