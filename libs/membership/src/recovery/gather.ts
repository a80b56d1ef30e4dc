/** Small words to all and bulk from one, over nothing but the all-reduce: the data plane needs no second protocol. */
import type { Collective, Position, Range } from '@lockstep/reduction';
import { sumsOf, type Course } from './course';

/** The position of what members do between two positions of the job. */
export const RESYNC_POSITION: Position = { call: 0, epoch: 0, phase: 'CALLBACKS', step: 0 };

/** Elements that one round of a broadcast carries. */
const BROADCAST_ELEMENTS = 1 << 22;

/**
 * Gives every member the words of all, by rank. One element of the sum belongs to one member, so nothing is rounded.
 *
 * @param words the same number on all members: integers that float32 holds exactly
 */
export function* gather(collective: Collective, words: readonly number[]): Course<readonly (readonly number[])[]> {
  const { rank, worldSize, roots } = collective;
  const size = words.length;
  collective.begin({ position: RESYNC_POSITION, bucketLengths: [worldSize * size], present: new Array<boolean>(collective.replicas).fill(true) });
  roots.forEach((_root, i) => {
    const input = collective.input(0, i);
    input.fill(0);
    if (i === 0) input.set(words, rank * size);
  });
  collective.submit(0);
  const all = sumsOf(yield { kind: 'SUMS', inner: collective, bucket: 0 });
  return Array.from({ length: worldSize }, (_, from) => Array.from(all.subarray(from * size, (from + 1) * size)));
}

/**
 * Copies a member's values to all, bit for bit: a sum over one logical replica is that replica's values.
 *
 * @param source the member's rank
 * @param first the first logical replica of its range
 * @param elements how many, known to all
 * @param values only on the source
 */
export function* broadcast(collective: Collective, source: number, first: number, elements: number, values: Float32Array | undefined): Course<Float32Array> {
  const copy = new Float32Array(elements);
  const present = Array.from({ length: collective.replicas }, (_, replica) => replica === first);
  for (let from = 0; from < elements; from += BROADCAST_ELEMENTS) {
    const length = Math.min(BROADCAST_ELEMENTS, elements - from);
    collective.begin({ position: RESYNC_POSITION, bucketLengths: [length], present });
    if (collective.rank === source) {
      if (!values) throw new RangeError('the source of a broadcast has no values');
      copyBits(collective.input(0, rootOf(collective.roots, first)), values.subarray(from, from + length));
    }
    collective.submit(0);
    copyBits(copy.subarray(from, from + length), sumsOf(yield { kind: 'SUMS', inner: collective, bucket: 0 }));
  }
  return copy;
}

/** Assigning floats may quiet a signalling NaN; state bytes are no floats. */
function copyBits(target: Float32Array, source: Float32Array): void {
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
}

function rootOf(roots: readonly Range[], replica: number): number {
  const found = roots.findIndex((root) => root.from <= replica && replica < root.to);
  if (found < 0) throw new RangeError(`logical replica ${replica} is not this member's`);
  return found;
}
