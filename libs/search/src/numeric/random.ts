import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that its keys determine. */
export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** Standard normal. */
  normal(): number;
}

/**
 * A stream of its own for each list of keys: what one part of an algorithm draws does not shift what another draws.
 * @param keys safe integers, e.g. (seed, number of trials, purpose)
 */
export function randomOf(...keys: readonly number[]): Random {
  const generator = xoroshiro128plus(hash(keys));
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    below: (bound) => Math.floor(uniform() * bound),
    // Box and Muller's transform; 1 - u is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** FNV-1a over the two 32-bit halves of each key, then a final mix, so that neighbouring keys give distant seeds. */
function hash(keys: readonly number[]): number {
  let state = 0x811c9dc5;
  for (const key of keys) {
    for (const half of [key, Math.floor(key / 2 ** 32)]) state = Math.imul(state ^ (half | 0), 0x01000193);
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  }
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
  return state ^ (state >>> 16);
}
