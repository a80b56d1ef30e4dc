import { foldTree, type Range } from '@lockstep/reduction';

/** Values of one logical replica whose magnitudes make every order of additions give other bits. */
export function leafValues(replica: number, bucket: number, seed: number, length: number): Float32Array {
  const values = new Float32Array(length);
  let state = (Math.imul(replica + 1, 0x9e3779b1) ^ Math.imul(bucket + 1, 0x85ebca6b) ^ Math.imul(seed + 1, 0xc2b2ae35)) >>> 0;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    values[i] = (state / 2 ** 32 - 0.5) * 10 ** ((state >>> 3) % 7 - 3);
  }
  return values;
}

/** The sum over a node of the canonical tree; undefined when none of its leaves is present. */
export function sumOver(node: Range, present: readonly boolean[], leaf: (replica: number) => Float32Array): Float32Array | undefined {
  return foldTree(node, (replica) => (present[replica] === true ? leaf(replica) : undefined), (left, right) => left.map((value, i) => value + (right[i] ?? Number.NaN)));
}
