import fc from 'fast-check';
import { plannedTraffic, type ExchangeConstants } from './planned-traffic';
import { evenPart } from './range';
import { planReduction, slotsOf } from './reduction-plan';

const constants: ExchangeConstants = { oneShotBytes: 65_536, chunkBytes: 1 << 20, headerBytes: 64 };

function traffic(replicas: number, worldSize: number, rank: number, bucketLengths: readonly number[], absent: readonly number[] = []) {
  const slots = slotsOf(replicas, Array.from({ length: worldSize }, (_, r) => evenPart(replicas, worldSize, r)));
  const present = Array.from({ length: replicas }, (_, i) => !absent.includes(i));
  return plannedTraffic(constants, worldSize, rank, slots, planReduction(replicas, slots, present).present, bucketLengths);
}

test.each([
  ['alone: nothing', 4, 1, 0, [1 << 24], [], { sentBytes: 0, sentChunks: 0 }],
  ['64 MiB between two members with one root each: all of it, once', 2, 2, 0, [1 << 24], [], { sentBytes: 2 ** 26 + 64 * 64, sentChunks: 64 }],
  ['64 MiB at P=4: a quarter to each peer as contribution, and as sums', 4, 4, 0, [1 << 24], [], { sentBytes: 6 * 2 ** 24 + 96 * 64, sentChunks: 96 }],
  ['4 KiB at P=4: all of it to three peers', 4, 4, 1, [1024], [], { sentBytes: 3 * (4096 + 64), sentChunks: 3 }],
  ['two roots: twice the contribution', 3, 2, 1, [1024], [], { sentBytes: 2 * (4096 + 64), sentChunks: 2 }],
  ['an absent root is said in an empty message', 3, 2, 1, [1024], [2], { sentBytes: 4096 + 2 * 64, sentChunks: 2 }],
  ['an empty bucket too', 2, 2, 0, [0], [], { sentBytes: 64, sentChunks: 1 }],
  ['an absent member still sends its sums', 4, 4, 1, [1 << 24], [1], { sentBytes: 3 * 2 ** 24 + 51 * 64, sentChunks: 51 }],
])('%s', (_title, replicas, worldSize, rank, bucketLengths, absent, expected) => {
  expect(traffic(replicas, worldSize, rank, bucketLengths, absent)).toMatchObject(expected);
});

test('what is sent is received', () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.array(fc.nat(3_000_000), { minLength: 1, maxLength: 4 }), fc.nat(),
    (replicas, members, lengths, absent) => {
      const worldSize = Math.min(replicas, members);
      const all = Array.from({ length: worldSize }, (_, rank) => traffic(replicas, worldSize, rank, lengths, replicas > 1 ? [absent % replicas] : []));
      const sum = (pick: (t: (typeof all)[number]) => number): number => all.reduce((total, t) => total + pick(t), 0);
      expect(sum((t) => t.sentBytes)).toBe(sum((t) => t.receivedBytes));
      expect(sum((t) => t.sentChunks)).toBe(sum((t) => t.receivedChunks));
    },
  ));
});
