import { Xoshiro128, type RandomKey } from '@lockstep/sharding';

/** Draws of one purpose: streams with different keys do not disturb one another. */
export class Random {
  private readonly stream: Xoshiro128;

  constructor(...key: RandomKey) {
    this.stream = Xoshiro128.of(['simulation', ...key]);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.stream.next() / 2 ** 32;
  }

  /** A whole number, uniform in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    const found = list[this.between(0, list.length - 1)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  /** A value with a probability in proportion to its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.unit() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return this.pick(choices)[1];
  }
}
