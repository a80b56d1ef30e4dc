// The compute thread's side. Two members share this process: both submit before one waits, since waiting blocks.
import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { CollectiveError, type Collective, type Position, type Round } from '@lockstep/reduction';
import { createExchange, type ExchangeHandle } from './exchange';
import type { ExchangeOptions } from './options';

const position: Position = { call: 0, epoch: 0, phase: 'TRAIN', step: 0 };
const handles: ExchangeHandle[] = [];

afterEach(async () => {
  await Promise.all(handles.splice(0).map((handle) => handle.close()));
});

async function connect(worldSize: number, options: ExchangeOptions = {}): Promise<readonly Collective[]> {
  const created = await Promise.all(Array.from({ length: worldSize }, () => createExchange(options)));
  handles.push(...created);
  const members = created.map(({ address }, rank) => ({ rank, address, range: { from: rank, to: rank + 1 } }));
  return Promise.all(created.map((handle, rank) => handle.configure({ job: 'jobs/t', generation: 1n, rank, members, token: Buffer.from('t'), replicas: worldSize })));
}

const roundOf = (...bucketLengths: number[]): Round => ({ position, bucketLengths, present: [true, true] });

function open(members: readonly Collective[], round: Round, value: number): void {
  for (const member of members) {
    member.begin(round);
    round.bucketLengths.forEach((_, bucket) => {
      member.input(bucket, 0).fill(value + member.rank);
      member.submit(bucket);
    });
  }
}

const errorOf = (act: () => unknown): CollectiveError => {
  try {
    act();
  } catch (error) {
    if (error instanceof CollectiveError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

test('buckets are waited for in any order; rounds grow and shrink; views lie in shared memory', async () => {
  const members = await connect(2);
  for (const lengths of [[3], [5, 40_000, 1], [2], [300_000, 7], [40_000, 40_000, 40_000], [3]]) {
    open(members, roundOf(...lengths), lengths.length);
    for (const member of members) {
      for (const bucket of [...lengths.keys()].reverse()) {
        const sum = member.wait(bucket);
        expect(sum.buffer).toBeInstanceOf(SharedArrayBuffer);
        expect(sum.byteOffset % 8).toBe(0);
        expect([sum.length, sum.findIndex((value) => value !== 2 * lengths.length + 1)]).toEqual([lengths[bucket], -1]);
      }
    }
  }
});

test('one member alone: the sum is its input', async () => {
  const [member] = await connect(1);
  if (!member) throw new Error('no member');
  member.begin({ position, bucketLengths: [100_000], present: [true] });
  member.input(0, 0).fill(-0);
  member.submit(0);
  expect(member.wait(0).every((value) => Object.is(value, -0))).toBe(true);
  member.agree(position, { digest: Buffer.alloc(32), label: 'fit()' });
});

test.each<[string, (member: Collective) => unknown, string]>([
  ['waits for what it did not submit', (member) => member.wait(0), 'bucket 0 was not submitted'],
  ['submits twice', (member) => { member.submit(0); member.submit(0); }, 'bucket 0 was submitted before'],
  ['names a bucket that does not exist', (member) => member.submit(1), 'bucket 1 does not exist, the round has 1'],
  ['begins before the round before is reduced', (member) => member.begin(roundOf(1)), 'bucket 0 of the round before is not reduced'],
  ['compares calls within a round', (member) => member.agree(position, { digest: Buffer.alloc(32), label: 'x' }), 'bucket 0 of the round before is not reduced'],
])('a caller that %s is told so, and nothing breaks', async (_title, act, message) => {
  const [first, second] = await connect(2);
  if (!first || !second) throw new Error('two members');
  first.begin(roundOf(8));
  const error = errorOf(() => act(first));
  expect([error.reason, error.message]).toEqual(['PROTOCOL', expect.stringContaining(message)]);
});

test.each<[string, Round, string]>([
  ['no bucket', roundOf(), 'at least one bucket'],
  ['half an element', roundOf(0.5), 'a bucket of 0.5 elements'],
  ['a short mask', { position, bucketLengths: [1], present: [true] }, 'presence of 1 logical replicas; there are 2'],
  ['nobody with rows', { position, bucketLengths: [1], present: [false, false] }, 'nothing to reduce'],
])('a round with %s is refused', async (_title, round, message) => {
  const [member] = await connect(2);
  expect(() => member?.begin(round)).toThrow(message);
  expect(() => member?.input(0, 0)).toThrow('no round is open');
});

test('a round above the limit is refused with need and limit; a smaller one still runs', async () => {
  const members = await connect(2, { arenaBytes: 8 << 20 });
  const error = errorOf(() => members[0]?.begin(roundOf(4_000_000)));
  expect([error.reason, error.message]).toEqual(['TOO_LARGE', expect.stringContaining('the limit is 9 MB')]);
  open(members, roundOf(1000), 1);
  for (const member of members) expect(member.wait(0)[999]).toBe(3);
});

test('a closed collective says so', async () => {
  const [first] = await connect(2);
  await first?.close();
  expect(errorOf(() => first?.begin(roundOf(1))).reason).toBe('CLOSED');
});

test('a newer generation ends the collective of the older one', async () => {
  const [first] = await connect(1);
  const [handle] = handles;
  const second = await handle?.configure({ job: 'jobs/t', generation: 2n, rank: 0, members: [{ rank: 0, address: handle.address, range: { from: 0, to: 1 } }], token: Buffer.from('t'), replicas: 1 });
  const error = errorOf(() => first?.begin({ position, bucketLengths: [1], present: [true] }));
  expect([error.reason, error.message]).toEqual(['CLOSED', expect.stringContaining('generation 2 has replaced')]);
  second?.begin({ position, bucketLengths: [1], present: [true] });
  await expect(handle?.configure({ job: 'jobs/t', generation: 2n, rank: 0, members: [{ rank: 0, address: handle.address, range: { from: 0, to: 1 } }], token: Buffer.from('t'), replicas: 1 })).rejects.toMatchObject({ reason: 'FENCED' });
});

test('code beside the exchange in its thread ends a wait', async () => {
  const { port1, port2 } = new MessageChannel();
  const options = { threadFile: path.join(__dirname, '..', 'dist', 'testing', 'abort-thread.js'), threadExtra: { abortPort: port2 }, threadTransfer: [port2] };
  const created = [await createExchange(options), await createExchange()];
  handles.push(...created);
  const members = created.map(({ address }, rank) => ({ rank, address, range: { from: rank, to: rank + 1 } }));
  const [first] = await Promise.all(created.map((handle, rank) => handle.configure({ job: 'jobs/t', generation: 1n, rank, members, token: Buffer.from('t'), replicas: 2 })));
  if (!first) throw new Error('no member');
  open([first], roundOf(8), 1);
  port1.postMessage('the coordinator has cancelled the job');
  const error = errorOf(() => first.wait(0));
  expect([error.reason, error.message]).toEqual(['CLOSED', 'jobs/t generation 1: the coordinator has cancelled the job']);
  port1.close();
});

test.each([
  ['another order of ranks', (ranks: readonly number[]) => [...ranks].reverse(), 'members are ordered by rank'],
])('a group with %s is refused', async (_title, order, message) => {
  const handle = await createExchange();
  handles.push(handle);
  const members = order([0, 1]).map((rank) => ({ rank, address: handle.address, range: { from: rank, to: rank + 1 } }));
  await expect(handle.configure({ job: 'jobs/t', generation: 1n, rank: 0, members, token: Buffer.from('t'), replicas: 2 })).rejects.toThrow(message);
});
