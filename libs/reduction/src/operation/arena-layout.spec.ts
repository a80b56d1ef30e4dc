import fc from 'fast-check';
import { evenPart } from '../range';
import { slotsOf } from '../reduction-plan';
import { fits, grow, NO_AREAS, placeRound, totalBytes, type RoundShape } from './arena-layout';

const constants = { oneShotBytes: 1024, chunkBytes: 4096, headerBytes: 64 };

const shapes = fc.record({ replicas: fc.integer({ min: 1, max: 9 }), size: fc.integer({ min: 1, max: 4 }), rank: fc.nat(3), bucketLengths: fc.array(fc.nat(5000), { minLength: 1, maxLength: 5 }) })
  .map(({ replicas, size, rank, bucketLengths }): RoundShape => {
    const worldSize = Math.min(size, replicas);
    const slots = slotsOf(replicas, Array.from({ length: worldSize }, (_, r) => evenPart(replicas, worldSize, r)));
    return { replicas, worldSize, rank: rank % worldSize, bucketLengths, slots, constants };
  });

/** Every region of a round: where it starts and how long it is. */
function regions(shape: RoundShape, areas: Parameters<typeof placeRound>[1]): { from: number; bytes: number }[] {
  const { place } = placeRound(shape, areas);
  const list = [{ from: place.flags, bytes: shape.bucketLengths.length * 4 }, ...place.registers.map((from) => ({ from, bytes: constants.chunkBytes }))];
  for (const { inputs, output, sources, length, split } of place.buckets) {
    list.push({ from: output, bytes: length * 4 }, ...inputs.map((from) => ({ from, bytes: length * 4 })));
    const owned = split.owned[shape.rank] ?? { from: 0, to: 0 };
    sources.forEach((from, slot) => {
      if (shape.slots[slot]?.rank !== shape.rank) list.push({ from, bytes: (owned.to - owned.from) * 4 });
    });
  }
  return list;
}

test('regions do not overlap, are aligned to 64 bytes, and lie inside the areas that the round needs', () => {
  fc.assert(fc.property(shapes, (shape) => {
    const areas = placeRound(shape, NO_AREAS).needs;
    const used = regions(shape, areas).filter(({ bytes }) => bytes > 0).sort((a, b) => a.from - b.from);
    used.forEach(({ from, bytes }, i) => {
      expect(from % 64).toBe(0);
      expect(from + bytes).toBeLessThanOrEqual(used[i + 1]?.from ?? totalBytes(areas));
    });
  }));
});

test('what has grown for one round holds it and every smaller one, and the areas stay where they are', () => {
  fc.assert(fc.property(shapes, shapes, (a, b) => {
    const first = placeRound(a, NO_AREAS).needs;
    const areas = grow(first, placeRound(b, first).needs);
    for (const shape of [a, b]) {
      const { needs, place } = placeRound(shape, areas);
      expect(fits(areas, needs)).toBe(true);
      expect(place.buckets[0]?.output).toBe(areas.flagsBytes + areas.inputBytes);
    }
  }));
});

test('the own slots are read where they were written', () => {
  const slots = slotsOf(3, [{ from: 0, to: 1 }, { from: 1, to: 3 }]);
  const { place } = placeRound({ replicas: 3, worldSize: 2, rank: 1, slots, bucketLengths: [1000], constants }, NO_AREAS);
  const [bucket] = place.buckets;
  expect(bucket?.split.owned[1]).toEqual({ from: 512, to: 1000 });
  expect(bucket?.sources[1]).toBe((bucket?.inputs[0] ?? 0) + 512 * 4);
});
