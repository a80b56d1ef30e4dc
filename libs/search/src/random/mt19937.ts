/**
 * The Mersenne Twister as Python's `random.Random` uses it, so that seeds mean the same numbers as in KerasTuner.
 * Source: M. Matsumoto, T. Nishimura, Mersenne Twister, ACM TOMACS 8 (1998), with their initialisation by an array of 2002.
 */
const WORDS = 624;
const SHIFT = 397;

export class Mt19937 {
  private readonly state = new Uint32Array(WORDS);
  private position = WORDS;

  /** @param seed an integer of at most 2^53 in magnitude; as in Python its sign is dropped */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is an integer of at most 2^53 in magnitude, not ${seed}`);
    const size = Math.abs(seed);
    const key = size >= 2 ** 32 ? [size % 2 ** 32, Math.floor(size / 2 ** 32)] : [size];
    this.initialise(key);
  }

  /** Uniform in [0, 1), of 53 random bits: the number that Python's `random()` gives. */
  random(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform in [0, 2^32). */
  next(): number {
    if (this.position === WORDS) this.twist();
    let y = this.word(this.position++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private initialise(key: readonly number[]): void {
    const { state } = this;
    state[0] = 19650218;
    for (let i = 1; i < WORDS; i++) state[i] = Math.imul(1812433253, this.stirred(i - 1)) + i;
    let i = 1;
    let j = 0;
    const step = (): void => {
      if (++i === WORDS) {
        state[0] = this.word(WORDS - 1);
        i = 1;
      }
    };
    for (let k = WORDS; k > 0; k--) {
      state[i] = (this.word(i) ^ Math.imul(this.stirred(i - 1), 1664525)) + (key[j] ?? 0) + j;
      step();
      j = (j + 1) % key.length;
    }
    for (let k = WORDS - 1; k > 0; k--) {
      state[i] = (this.word(i) ^ Math.imul(this.stirred(i - 1), 1566083941)) - i;
      step();
    }
    state[0] = 0x80000000;
  }

  private twist(): void {
    for (let i = 0; i < WORDS; i++) {
      const y = (this.word(i) & 0x80000000) | (this.word((i + 1) % WORDS) & 0x7fffffff);
      this.state[i] = this.word((i + SHIFT) % WORDS) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }

  private word(i: number): number {
    return this.state[i] ?? 0;
  }

  private stirred(i: number): number {
    return this.word(i) ^ (this.word(i) >>> 30);
  }
}
