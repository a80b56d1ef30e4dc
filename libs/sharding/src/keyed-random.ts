import { createHash } from 'node:crypto';

/** What a stream of random numbers depends on; JSON keeps ['1', 2] and [1, '2'] apart. */
export type RandomKey = readonly (string | number)[];

/** xoshiro128** 1.1 (Blackman, Vigna): 32 bits a draw, the same on every machine. */
export class Xoshiro128 {
  private readonly state: Uint32Array;

  /** @param state four words, not all zero */
  constructor(state: ArrayLike<number>) {
    this.state = Uint32Array.from(state);
    if (this.state.length !== 4 || this.state.every((word) => word === 0)) {
      throw new RangeError('xoshiro128** starts from four words that are not all zero');
    }
  }

  /** Seeded with the first 128 bits of the SHA-256 of the key. */
  static of(key: RandomKey): Xoshiro128 {
    const digest = createHash('sha256').update(JSON.stringify(key)).digest();
    const words = [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset));
    return new Xoshiro128(words.every((word) => word === 0) ? [1, 0, 0, 0] : words);
  }

  /** Uniform in [0, 2^32). */
  next(): number {
    const s = this.state;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const x2 = s2 ^ s0;
    const x3 = s3 ^ s1;
    s[1] = s1 ^ x2;
    s[0] = s0 ^ x3;
    s[2] = x2 ^ (s1 << 9);
    s[3] = rotateLeft(x3, 11);
    return result;
  }

  /** Uniform in [0, limit), without bias: draws from the incomplete last interval are thrown away. */
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) throw new RangeError(`a draw below ${limit} does not exist`);
    const usable = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const draw = this.next();
      if (draw < usable) return draw % limit;
    }
  }

  /** A permutation of 0 .. length-1 (Fisher and Yates, from the end). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let last = length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const held = order[last] ?? 0;
      order[last] = order[other] ?? 0;
      order[other] = held;
    }
    return order;
  }
}

const rotateLeft = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));
