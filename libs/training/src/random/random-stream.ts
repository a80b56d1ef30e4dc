import { createHash } from 'node:crypto';
import { xoshiro128 } from './xoshiro';

/** What a stream is keyed by. Two keys that differ in any part, or in their number of parts, give unrelated streams. */
export type RandomKey = readonly (string | number)[];

/** Draws the next number in [0, 1), with 53 random bits, like Math.random. */
export type RandomStream = () => number;

/** The stream of a key: xoshiro128**, its state from the key's SHA-256. */
export function randomStream(key: RandomKey): RandomStream {
  const seed = createHash('sha256').update(JSON.stringify(key)).digest();
  const next = xoshiro128([seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), seed.readInt32LE(12)]);
  return () => {
    const high = next() >>> 5;
    const low = next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  };
}
