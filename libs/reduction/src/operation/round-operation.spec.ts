/** The members of a round without any wire: pieces are carried by hand, in any order. */
import fc from 'fast-check';
import { evenPart } from '../range';
import { foldTree, subtreeRoots } from '../tree';
import { NO_AREAS, totalBytes, type RoundPlace } from './arena-layout';
import type { OutgoingPiece } from './bucket-reduction';
import { NODE_CLAIM, NODE_SUM } from './piece-header';
import type { RoundMemory } from './round-memory';
import { RoundOperation } from './round-operation';
import { RoundPlanner } from './round-planner';

const POSITION = { call: 0, epoch: 0, phase: 'TRAIN', step: 0 } as const;

class PlainMemory implements RoundMemory {
  private readonly buffer: ArrayBuffer;

  constructor(sizeBytes: number) {
    this.buffer = new ArrayBuffer(sizeBytes);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.buffer, address, length);
  }

  add(target: number, left: number, right: number, bytes: number): void {
    const [sum, a, b] = [target, left, right].map((address) => this.floats(address, bytes / 4));
    sum?.forEach((_, i) => { sum[i] = (a?.[i] ?? NaN) + (b?.[i] ?? NaN); });
  }

  copy(target: number, source: number, bytes: number): void {
    this.bytes(target, bytes).set(this.bytes(source, bytes));
  }
}

interface Shape {
  readonly replicas: number;
  readonly worldSize: number;
  readonly length: number;
  readonly oneShotBytes: number;
  readonly chunkBytes: number;
  readonly present: readonly boolean[];
}

interface Carried {
  readonly from: number;
  readonly piece: OutgoingPiece;
}

class Member {
  readonly operation: RoundOperation;
  readonly outbox: Carried[] = [];
  readonly place: RoundPlace;
  readonly reduced: number[] = [];
  private readonly memory: PlainMemory;

  constructor(readonly rank: number, { replicas, worldSize, length, oneShotBytes, chunkBytes, present }: Shape) {
    const constants = { oneShotBytes, chunkBytes, headerBytes: 64 };
    const planner = new RoundPlanner(replicas, Array.from({ length: worldSize }, (_, i) => evenPart(replicas, worldSize, i)), rank, constants);
    const { needs } = planner.place([length], NO_AREAS);
    this.memory = new PlainMemory(totalBytes(needs));
    this.place = planner.place([length], needs).place;
    this.operation = new RoundOperation({
      number: 1, position: POSITION, rank, worldSize, slots: planner.slots, plan: planner.plan(present), place: this.place, chunkLength: chunkBytes / 4, copyBytes: oneShotBytes,
      arena: this.memory, send: (piece) => this.outbox.push({ from: rank, piece }), finished: () => undefined, reduced: (bucket) => this.reduced.push(bucket),
    });
    subtreeRoots(replicas, evenPart(replicas, worldSize, rank)).forEach((root, i) => {
      const sum = foldTree<Float32Array>(root, (replica) => (present[replica] === true ? leaf(replica, length) : undefined), plus);
      this.memory.floats(this.place.buckets[0]?.inputs[i] ?? 0, length).set(sum ?? new Float32Array(length).fill(NaN));
    });
  }

  take({ from, piece }: Carried): string | undefined {
    const placement = this.operation.place(from, piece, piece.payload.byteLength);
    if (placement.kind === 'FAULT') return placement.what;
    placement.target.set(piece.payload);
    placement.filled();
    piece.onSent?.();
    return undefined;
  }

  get output(): Float32Array {
    return this.memory.floats(this.place.buckets[0]?.output ?? 0, this.place.buckets[0]?.length ?? 0);
  }
}

/** Large values of both signs: a sum in another order has other bits. */
const leaf = (replica: number, length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(replica * 97 + i) * 2 ** ((replica * 7 + i) % 20)));
const plus = (left: Float32Array, right: Float32Array): Float32Array => left.map((value, i) => value + (right[i] ?? NaN));

function shapeOf(replicas: number, size: number, change: Partial<Shape> = {}): Shape {
  return { replicas, worldSize: Math.min(size, replicas), length: 100, oneShotBytes: 0, chunkBytes: 64, present: new Array<boolean>(replicas).fill(true), ...change };
}

const shapes = fc.record({
  replicas: fc.integer({ min: 1, max: 9 }), size: fc.integer({ min: 2, max: 5 }), length: fc.integer({ min: 0, max: 120 }), oneShotBytes: fc.constantFrom(0, 128, 4096), chunkBytes: fc.constantFrom(64, 256, 1 << 16),
  mask: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
}).filter(({ replicas, mask }) => replicas > 1 && mask.slice(0, replicas).includes(true))
  .map(({ replicas, size, mask, ...rest }) => shapeOf(replicas, size, { ...rest, present: mask.slice(0, replicas) }));

test('whatever comes first, all members end with the bits of the whole tree', () => {
  fc.assert(fc.property(shapes, fc.infiniteStream(fc.nat(1e6)), (shape, draws) => {
    const members = Array.from({ length: shape.worldSize }, (_, rank) => new Member(rank, shape));
    for (const { operation } of members) operation.submit(0);
    // Each pair keeps its order, as a stream does; pairs overtake one another.
    for (let waiting = members.filter(({ outbox }) => outbox.length > 0); waiting.length > 0; waiting = members.filter(({ outbox }) => outbox.length > 0)) {
      const { outbox } = waiting[Number(draws.next().value) % waiting.length] ?? { outbox: [] };
      const to = outbox[Number(draws.next().value) % outbox.length]?.piece.to;
      const [carried] = outbox.splice(outbox.findIndex(({ piece }) => piece.to === to), 1);
      const fault = carried && members[carried.piece.to]?.take(carried);
      if (fault !== undefined) throw new Error(fault);
    }
    const whole = foldTree<Float32Array>({ from: 0, to: shape.replicas }, (replica) => (shape.present[replica] === true ? leaf(replica, shape.length) : undefined), plus);
    for (const { output, reduced } of members) expect([reduced, Buffer.from(output.slice().buffer)]).toEqual([[0], Buffer.from(whole?.buffer ?? new ArrayBuffer(0))]);
  }), { numRuns: 100, seed: 7 });
});

test('nothing is written where the last sums may still be sent from, before all have spoken', () => {
  const shape = shapeOf(3, 3, { present: [true, false, false] });
  const [source, silent, owner] = [0, 1, 2].map((rank) => new Member(rank, shape));
  if (!source || !silent || !owner) throw new Error('three members were asked for');
  for (const { operation } of [source, silent, owner]) operation.submit(0);
  owner.output.fill(42);
  const before = owner.outbox.length;
  for (const carried of source.outbox) if (carried.piece.to === owner.rank) owner.take(carried);
  expect([[...new Set(owner.output)], owner.outbox.length]).toEqual([[42], before]);
  expect(owner.operation.describeWait(0).ranks).toEqual([1]);
  for (const carried of silent.outbox) if (carried.piece.to === owner.rank) owner.take(carried);
  expect(owner.outbox.slice(before).map(({ piece }) => [piece.node === NODE_SUM, piece.to])).toContainEqual([true, silent.rank]);
});

test.each<[string, Partial<OutgoingPiece>, RegExp]>([
  ['of another length', { bucketBytes: 8 }, /says bucket 0 has 8 bytes, here it has 400/],
  ['of a bucket that does not exist', { bucket: 1 }, /sends bucket 1; there are 1/],
  ['of a node that is not its sender\'s', { node: 0 }, /which is no subtree root of its replicas/],
  ['at another place', { offset: 4 }, /no chunk of/],
  ['that is a sum it does not owe', { node: NODE_SUM }, /which is no chunk that it owns/],
  ['that is a claim', { node: NODE_CLAIM }, /compares collective calls while this member reduces buckets/],
])('a piece %s is a fault of its sender, and changes nothing', (_what, change, fault) => {
  const [a, b] = [new Member(0, shapeOf(4, 2)), new Member(1, shapeOf(4, 2))];
  for (const { operation } of [a, b]) operation.submit(0);
  const first = b.outbox.find(({ piece }) => piece.to === 0);
  if (!first) throw new Error('it sends nothing');
  expect(a.take({ ...first, piece: { ...first.piece, ...change } })).toMatch(fault);
  expect([a.take(first), a.take(first)]).toEqual([undefined, expect.stringMatching(/twice/)]);
});
