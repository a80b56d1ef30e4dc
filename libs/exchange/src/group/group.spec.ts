import fc from 'fast-check';
import { CollectiveError, evenPart, NODE_SUM, type Position, type Range } from '@lockstep/reduction';
import { HEADER_BYTES, readChunk, type ChunkHeader } from '../wire/chunk-header';
import { ChunkMessage } from '../wire/chunk-message';
import { leafValues, sumOver } from '../testing/leaf-values';
import { MemoryWorld } from '../testing/memory-world';

const position: Position = { call: 1, epoch: 2, phase: 'TRAIN', step: 3 };
const even = (replicas: number, worldSize: number): Range[] => Array.from({ length: worldSize }, (_, rank) => evenPart(replicas, worldSize, rank));
const all = (replicas: number): boolean[] => Array<boolean>(replicas).fill(true);
const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** What every member must hold: the fold over all leaves. */
function expectSums(outputs: readonly (readonly Float32Array[])[], replicas: number, present: readonly boolean[], lengths: readonly number[], seed: number): void {
  lengths.forEach((length, bucket) => {
    const expected = sumOver({ from: 0, to: replicas }, present, (replica) => leafValues(replica, bucket, seed, length));
    if (!expected) throw new Error('no leaf is present');
    outputs.forEach((buckets, rank) => {
      const output = buckets[bucket];
      expect([rank, bucket, output && bytesOf(output).equals(bytesOf(expected))]).toEqual([rank, bucket, true]);
    });
  });
}

const worlds = [1, 3, 4, 5, 8].flatMap((replicas) => [1, 2, 3, 4].filter((size) => size <= replicas).map((size): [number, number] => [replicas, size]));

test.each(worlds)('V=%i, P=%i: all sizes, all members, the bits of the whole tree', async (replicas, worldSize) => {
  const world = await MemoryWorld.create({ replicas, ranges: even(replicas, worldSize) });
  let step = 0;
  for (const lengths of [[7], [1, 0, 33], [16_384], [16_385], [200_003, 5], [7]]) {
    const seed = step++;
    const outputs = await world.allReduce({ position: { ...position, step }, bucketLengths: lengths, present: all(replicas), leaf: (replica, bucket) => leafValues(replica, bucket, seed, lengths[bucket] ?? 0) });
    expectSums(outputs, replicas, all(replicas), lengths, seed);
  }
  for (const { stats } of world.members) expect([stats.sentBytes, stats.receivedBytes]).toEqual([stats.plannedSentBytes, stats.plannedReceivedBytes]);
});

test.each<[string, boolean[]]>([
  ['a leaf of a member', [true, false, true, true, true]],
  ['a whole member', [false, false, true, true, true]],
  ['all but one leaf', [false, false, false, true, false]],
])('absent: %s', async (_title, present) => {
  const world = await MemoryWorld.create({ replicas: 5, ranges: even(5, 3) });
  const lengths = [100, 40_000];
  const outputs = await world.allReduce({ position, bucketLengths: lengths, present, leaf: (replica, bucket) => leafValues(replica, bucket, 9, lengths[bucket] ?? 0) });
  expectSums(outputs, 5, present, lengths, 9);
});

test('any world, any presence, any order of arrival, any chunk size', async () => {
  const arbitrary = fc.integer({ min: 1, max: 9 }).chain((replicas) => fc.record({
    replicas: fc.constant(replicas),
    worldSize: fc.integer({ min: 1, max: Math.min(4, replicas) }),
    masks: fc.array(fc.array(fc.boolean(), { minLength: replicas, maxLength: replicas }), { minLength: 1, maxLength: 3 }),
    lengths: fc.array(fc.nat(600), { minLength: 1, maxLength: 3 }),
    oneShotBytes: fc.constantFrom(0, 128, 1024),
    chunkBytes: fc.constantFrom(1024, 2048),
    seed: fc.nat(),
  }));
  await fc.assert(fc.asyncProperty(arbitrary, async ({ replicas, worldSize, masks, lengths, oneShotBytes, chunkBytes, seed }) => {
    const world = await MemoryWorld.create({ replicas, ranges: even(replicas, worldSize), seed, constants: { oneShotBytes, chunkBytes }, earlyBytes: chunkBytes });
    for (const [step, mask] of masks.entries()) {
      const present = mask.includes(true) ? mask : all(replicas);
      const outputs = await world.allReduce({ position: { ...position, step }, bucketLengths: lengths, present, leaf: (replica, bucket) => leafValues(replica, bucket, seed + step, lengths[bucket] ?? 0) });
      expectSums(outputs, replicas, present, lengths, seed + step);
    }
  }), { numRuns: 60 });
});

test('a member that runs ahead is held back, and nothing is lost', async () => {
  const length = 100_000;
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2), constants: { chunkBytes: 1024 }, earlyBytes: 1024 });
  const leaf = (replica: number, bucket: number): Float32Array => leafValues(replica, bucket, 1, length);
  const [first, second] = world.members;
  const ahead = first?.allReduce({ position, bucketLengths: [length], present: all(2), leaf });
  // Let everything that may travel travel before the second member opens the round.
  for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(second?.stats.receivedBytes).toBeLessThan(length * 2);
  const outputs = await Promise.all([ahead, second?.allReduce({ position, bucketLengths: [length], present: all(2), leaf })]);
  expectSums(outputs.map((output) => output ?? []), 2, all(2), [length], 1);
});

test.each(Array.from({ length: 24 }, (_, turns) => [turns]))('an operation that begins %i turns after its first chunk: what is half there is not lost', async (turns) => {
  const length = 3000;
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2), constants: { chunkBytes: 1024, oneShotBytes: 0 } });
  const leaf = (replica: number, bucket: number): Float32Array => leafValues(replica, bucket, 1, length);
  const [first, second] = world.members;
  const ahead = first?.allReduce({ position, bucketLengths: [length], present: all(2), leaf });
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  const outputs = await Promise.all([ahead, second?.allReduce({ position, bucketLengths: [length], present: all(2), leaf })]);
  expectSums(outputs.map((output) => output ?? []), 2, all(2), [length], 1);
});

async function failureOf(promise: Promise<unknown>): Promise<CollectiveError> {
  const error: unknown = await promise.then(() => undefined, (caught: unknown) => caught);
  if (!(error instanceof CollectiveError)) throw new Error(`no CollectiveError but ${String(error)}`);
  return error;
}

const rewrite = (message: Buffer, change: Partial<ChunkHeader>, payload = readChunk(message).payload): Buffer =>
  new ChunkMessage({ ...readChunk(message).header, ...change }, payload).toBuffer();

test.each<[string, (message: Buffer) => Buffer, RegExp]>([
  ['another generation', (m) => rewrite(m, { generation: 4n }), /sends a chunk of generation 4/],
  ['an operation far ahead', (m) => rewrite(m, { round: 9 }), /sends a chunk of operation 9 while this member is at 1/],
  ['another position', (m) => rewrite(m, { position: { ...position, step: 4 } }), /is at call 1 epoch 2 TRAIN step 4 while this member is at call 1 epoch 2 TRAIN step 3/],
  ['a bucket that does not exist', (m) => rewrite(m, { bucket: 2 }), /sends bucket 2; there are 1/],
  ['another bucket length', (m) => rewrite(m, { bucketBytes: 8 }), /says bucket 0 has 8 bytes, here it has 160000/],
  ['an offset between chunks', (m) => rewrite(m, { offset: 4 }), /sends 65536 bytes at 4/],
  ['an offset past the end', (m) => rewrite(m, { offset: 0xfffffff8 }), /no chunk of/],
  ['a truncated payload', (m) => rewrite(m, {}, readChunk(m).payload.subarray(4)), /sends 65532 bytes/],
  ['a node of somebody else', (m) => rewrite(m, { node: 1 }), /sends node 1, which is no subtree root of its replicas/],
  ['a sum of what it does not own', (m) => rewrite(m, { node: NODE_SUM }), /which is no chunk that it owns/],
  ['an empty contribution where there are rows', (m) => rewrite(m, {}, new Uint8Array(0)), /sends 0 bytes/],
  ['no Chunk at all', () => Buffer.from([0xff, 0xff]), /sends what is no Chunk/],
  ['a phase that does not exist', (m) => Buffer.from(m).fill(77, 20, 21), /phase 77/],
])('refused, by rank: %s', async (_title, change, message) => {
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2) });
  let changed = false;
  world.network.tamper = (original, from) => {
    if (changed || from !== 1) return original;
    changed = true;
    return change(original);
  };
  const [first, second] = world.members;
  const round = { position, bucketLengths: [40_000], present: all(2), leaf: (replica: number) => leafValues(replica, 0, 1, 40_000) };
  void second?.allReduce(round).catch(() => undefined);
  const error = await failureOf(first?.allReduce(round) ?? Promise.resolve());
  expect([error.reason, error.details.ranks]).toEqual(['PROTOCOL', [1]]);
  expect(error.message).toMatch(message);
});

test('a chunk that comes twice is refused', async () => {
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2) });
  const [first, second] = world.members;
  const round = { position, bucketLengths: [40_000], present: all(2), leaf: (replica: number) => leafValues(replica, 0, 1, 40_000) };
  let before: Buffer | undefined;
  world.network.tamper = (message, from) => {
    if (from !== 1) return message;
    const passed = before ?? message;
    before = message;
    return passed;
  };
  void second?.allReduce(round).catch(() => undefined);
  const error = await failureOf(first?.allReduce(round) ?? Promise.resolve());
  expect([error.reason, error.message]).toEqual(['PROTOCOL', expect.stringContaining('twice')]);
});

test('one flipped bit of a payload changes the sums', async () => {
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2) });
  world.network.tamper = (message, from) => {
    if (from === 1) message[HEADER_BYTES] = (message[HEADER_BYTES] ?? 0) ^ 0x40;
    return message;
  };
  const outputs = await world.allReduce({ position, bucketLengths: [50], present: all(2), leaf: (replica) => leafValues(replica, 0, 1, 50) });
  const expected = sumOver({ from: 0, to: 2 }, all(2), (replica) => leafValues(replica, 0, 1, 50));
  const output = outputs[0]?.[0];
  expect(expected && output && bytesOf(output).equals(bytesOf(expected))).toBe(false);
});

test.each([[0], [1], [2]])('rank %i dies within a round: the others name it', async (victim) => {
  const world = await MemoryWorld.create({ replicas: 3, ranges: even(3, 3) });
  const round = { position, bucketLengths: [40_000], present: all(3), leaf: (replica: number) => leafValues(replica, 0, 1, 40_000) };
  const survivors = world.members.filter((_, rank) => rank !== victim);
  const failures = survivors.map((member) => failureOf(member.allReduce(round)));
  world.network.kill(victim);
  for (const error of await Promise.all(failures)) {
    expect([error.reason, error.details.ranks, error.details.position]).toEqual(['PEER_LOST', [victim], position]);
  }
});

test('a member that left fails the next operation of the others, not the last one', async () => {
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2) });
  const round = { position, bucketLengths: [10], present: all(2), leaf: (replica: number) => leafValues(replica, 0, 1, 10) };
  const [first, second] = world.members;
  await world.allReduce(round);
  await second?.group.leave();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  const error = await failureOf(first?.allReduce({ ...round, position: { ...position, step: 4 } }) ?? Promise.resolve());
  expect([error.reason, error.details.ranks]).toEqual(['PEER_LOST', [1]]);
  expect(error.message).toContain('left the group');
});

const claim = (label: string) => ({ digest: Buffer.alloc(32, label), label });

test('equal claims agree, also at the position of a round', async () => {
  const world = await MemoryWorld.create({ replicas: 3, ranges: even(3, 3) });
  await Promise.all(world.members.map((member) => member.agree(position, claim('fit(epochs=3)'))));
  const outputs = await world.allReduce({ position, bucketLengths: [10], present: all(3), leaf: (replica) => leafValues(replica, 0, 1, 10) });
  expectSums(outputs, 3, all(3), [10], 1);
});

test('different claims: every member names the same two ranks and calls', async () => {
  const world = await MemoryWorld.create({ replicas: 3, ranges: even(3, 3) });
  const labels = ['fit(epochs=3)', 'fit(epochs=3)', 'evaluate()'];
  const errors = await Promise.all(world.members.map((member, rank) => failureOf(member.agree(position, claim(labels[rank] ?? '')))));
  for (const error of errors) {
    expect([error.reason, error.details.ranks]).toEqual(['CALL_MISMATCH', [0, 2]]);
    expect(error.message).toContain('rank 0 runs fit(epochs=3), rank 2 runs evaluate()');
  }
});

test('one compares calls while the other reduces: refused by name', async () => {
  const world = await MemoryWorld.create({ replicas: 2, ranges: even(2, 2) });
  const [first, second] = world.members;
  void second?.agree(position, claim('fit()')).catch(() => undefined);
  const error = await failureOf(first?.allReduce({ position, bucketLengths: [10], present: all(2), leaf: (replica) => leafValues(replica, 0, 1, 10) }) ?? Promise.resolve());
  expect([error.reason, error.message]).toEqual(['PROTOCOL', expect.stringContaining('rank 1 compares collective calls while this member reduces buckets')]);
});

test('who is waited for is named: contributions first', async () => {
  const world = await MemoryWorld.create({ replicas: 3, ranges: even(3, 3) });
  const round = { position, bucketLengths: [40_000], present: all(3), leaf: (replica: number) => leafValues(replica, 0, 1, 40_000) };
  for (const member of world.members.slice(0, 2)) void member.allReduce(round).catch(() => undefined);
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(world.members[0]?.group.describeWait(0)).toEqual({ what: 'no complete contribution from rank 2, no complete sums from ranks 1, 2', ranks: [2], indirect: false });
});

// The simulation found it: who adds up what only some contribute to must not write where its last sums wait for a slow peer.
test.each([[3, 3], [4, 4], [8, 3]])('V=%i, P=%i: sums that a slow peer has not taken yet are not written over by the next round, to which it contributes nothing', async (replicas, worldSize) => {
  const lengths = [400];
  const rounds = [all(replicas), Array.from({ length: replicas }, (_, replica) => replica === 0), all(replicas), Array.from({ length: replicas }, (_, replica) => replica === replicas - 1)];
  for (let seed = 0; seed < 40; seed++) {
    const world = await MemoryWorld.create({ replicas, ranges: even(replicas, worldSize), seed, constants: { oneShotBytes: 0, chunkBytes: 256 } });
    const outputs = await Promise.all(world.members.map(async (member) => {
      const sums: Float32Array[][] = [];
      for (const [step, present] of rounds.entries()) {
        sums.push([...await member.allReduce({ position: { ...position, step }, bucketLengths: lengths, present, leaf: (replica, bucket) => leafValues(replica, bucket, step, lengths[bucket] ?? 0) })]);
      }
      return sums;
    }));
    for (const [step, present] of rounds.entries()) expectSums(outputs.map((sums) => sums[step] ?? []), replicas, present, lengths, step);
  }
});
