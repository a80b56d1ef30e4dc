/** An axis of numbers: its ends, and round numbers between them. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

const STEPS = [1, 2, 5, 10];
const WANTED_TICKS = 5;

/** The axis that holds all finite values; from 0 to 1 without any. */
export function axisOf(values: readonly number[]): Axis {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (min > max) [min, max] = [0, 1];
  if (min === max) [min, max] = [min - (Math.abs(min) / 10 || 0.5), max + (Math.abs(max) / 10 || 0.5)];
  const rough = (max - min) / WANTED_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((each) => each * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step); i * step <= max && ticks.length <= 2 * WANTED_TICKS; i++) ticks.push(i * step);
  return { min, max, ticks };
}

/** Where a value lies on the axis: 0 at its beginning, 1 at its end. */
export const shareOn = ({ min, max }: Axis, value: number): number => (value - min) / (max - min);
