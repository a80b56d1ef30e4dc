// Real processes, real sockets: what the groups' own tests (group/group.spec.ts) cannot show.
import { createHash } from 'node:crypto';
import net from 'node:net';
import type { Position } from '@lockstep/reduction';
import { createExchange } from './exchange';
import { forkGroup, groupOf, MemberFork } from './testing/member-fork';
import { leafValues, sumOver } from './testing/leaf-values';
import type { MemberCommand, MemberReply } from './testing/member-protocol';

const position: Position = { call: 0, epoch: 1, phase: 'TRAIN', step: 2 };
const all = (replicas: number): boolean[] => Array<boolean>(replicas).fill(true);
const started: MemberFork[] = [];

async function start(worldSize: number, replicas: number, options = {}): Promise<readonly MemberFork[]> {
  const members = await forkGroup(worldSize, replicas, options);
  started.push(...members);
  return members;
}

afterEach(async () => {
  for (const member of started) member.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ exited }) => exited));
});

const askAll = (members: readonly MemberFork[], command: MemberCommand): Promise<MemberReply[]> => Promise.all(members.map((member) => member.ask(command)));

function expectedDigest(replicas: number, present: readonly boolean[], bucket: number, seed: number, length: number): string {
  const sum = sumOver({ from: 0, to: replicas }, present, (replica) => leafValues(replica, bucket, seed, length));
  if (!sum) throw new Error('no leaf is present');
  return createHash('sha256').update(Buffer.from(sum.buffer)).digest('hex');
}

const ROUNDS: readonly { lengths: readonly number[]; absent: readonly number[] }[] = [
  { lengths: [7], absent: [] },
  { lengths: [0, 1], absent: [] },
  { lengths: [16_384], absent: [] },
  { lengths: [200_003, 33], absent: [1] },
  { lengths: [700_001], absent: [] },
  { lengths: [33], absent: [0] },
];

test.each([[3, 1], [2, 2], [3, 2], [3, 3], [4, 1], [4, 2], [4, 3], [4, 4], [5, 4], [8, 3]])('V=%i over P=%i processes: the digests of the whole tree, wire bytes as planned', async (replicas, worldSize) => {
  const members = await start(worldSize, replicas);
  for (const [seed, { lengths, absent }] of ROUNDS.entries()) {
    const present = all(replicas).map((_, i) => !absent.includes(i));
    const replies = await askAll(members, { kind: 'ROUND', position: { ...position, step: seed }, bucketLengths: lengths, present, seed });
    const expected = lengths.map((length, bucket) => expectedDigest(replicas, present, bucket, seed, length));
    expect(replies).toEqual(members.map(() => ({ digests: expected })));
  }
  // An operation's end brings the count of what the sockets wrote up to date.
  await askAll(members, { kind: 'AGREE', position, label: 'end' });
  for (const { stats } of await askAll(members, { kind: 'STATS' })) {
    if (!stats) throw new Error('no stats');
    expect(stats.rounds).toBe(ROUNDS.length);
    if (worldSize === 1) continue;
    expect(stats.wireSentBytes / stats.plannedSentBytes).toBeGreaterThan(0.95);
    expect(stats.wireSentBytes / stats.plannedSentBytes).toBeLessThan(1.05);
    expect(stats.receivedBytes / stats.plannedReceivedBytes).toBeGreaterThan(0.95);
    expect(stats.receivedBytes / stats.plannedReceivedBytes).toBeLessThan(1.05);
  }
});

const round: MemberCommand = { kind: 'ROUND', position, bucketLengths: [500_000], present: [true, true, true], seed: 1 };

test.each([[0], [2]])('rank %i is killed while the others wait: they name it', async (victim) => {
  const members = await start(3, 3, { timeoutMs: 50_000 });
  const survivors = members.filter((_, rank) => rank !== victim);
  const replies = askAll(survivors, round);
  members[victim]?.kill('SIGKILL');
  for (const { error } of await replies) expect(error).toMatchObject({ reason: 'PEER_LOST', ranks: [victim] });
});

test('a silent rank is named when the deadline passes, with job, generation, position and bucket', async () => {
  const members = await start(3, 3, { timeoutMs: 700 });
  await askAll(members, { kind: 'AGREE', position, label: 'fit' });
  members[1]?.kill('SIGSTOP');
  const replies = await askAll(members.filter((_, rank) => rank !== 1), round);
  members[1]?.kill('SIGCONT');
  for (const { error } of replies) {
    expect(error).toMatchObject({ reason: 'DEADLINE', ranks: [1], bucket: 0 });
    expect(error?.message).toMatch(/^jobs\/test generation 1 at call 0 epoch 1 TRAIN step 2: rank [02] waited 700 ms for bucket 0: no complete contribution from rank 1.*\(waiting for rank 1\)$/);
  }
});

test('in the first operation others may still have to connect to one another: they are waited for as long as that may take', async () => {
  const members = await start(3, 3, { timeoutMs: 300, connectTimeoutMs: 1500 });
  members[1]?.kill('SIGSTOP');
  const replies = await askAll(members.filter((_, rank) => rank !== 1), round);
  members[1]?.kill('SIGCONT');
  for (const { error } of replies) expect(error).toMatchObject({ reason: 'DEADLINE', ranks: [1], message: expect.stringMatching(/waited 3500 ms for bucket 0/) as string });
});

test('members that run different calls: each names both, and the collective stays failed', async () => {
  const members = await start(2, 2);
  const replies = await Promise.all(members.map((member, rank) => member.ask({ kind: 'AGREE', position, label: `fit(epochs=${rank + 1})` })));
  for (const { error } of replies) {
    expect(error).toMatchObject({ reason: 'CALL_MISMATCH', ranks: [0, 1] });
    expect(error?.message).toContain('rank 0 runs fit(epochs=1), rank 1 runs fit(epochs=2)');
  }
  const [{ error } = {}] = await askAll(members.slice(0, 1), round);
  expect(error).toMatchObject({ reason: 'CALL_MISMATCH' });
});

test('a member that does not come is named', async () => {
  const [first, second] = await Promise.all([MemberFork.create({ connectTimeoutMs: 600 }), MemberFork.create({})]);
  started.push(first, second);
  const { error } = await first.ask({ kind: 'CONFIGURE', group: groupOf([first, second], 0, 2) });
  expect(error).toMatchObject({ reason: 'DEADLINE', ranks: [1] });
  expect(error?.message).toMatch(/not all members connected within 600 ms: rank 1 does not answer at 127\.0\.0\.1:\d+ and has not connected to this member/);
});

test('a stranger without the token is refused, and the group does not form with it', async () => {
  const [first, second] = await Promise.all([MemberFork.create({ connectTimeoutMs: 1500 }), MemberFork.create({ connectTimeoutMs: 1500 })]);
  started.push(first, second);
  const [good, bad] = await Promise.all([
    first.ask({ kind: 'CONFIGURE', group: groupOf([first, second], 0, 2) }),
    second.ask({ kind: 'CONFIGURE', group: { ...groupOf([first, second], 1, 2), token: Buffer.from('guess') } }),
  ]);
  expect(bad.error).toMatchObject({ reason: 'PROTOCOL', ranks: [0] });
  expect(bad.error?.message).toContain('does not have the token');
  expect(good.error).toMatchObject({ ranks: [1] });
});

test('a new generation: survivors go on in the same processes, who stayed behind is fenced', async () => {
  const members = await start(3, 3);
  await Promise.all(members.map((member) => member.expect(round)));
  const behind = members[2]?.ask(round);
  const survivors = members.slice(0, 2);
  await Promise.all(survivors.map((member, rank) => member.expect({ kind: 'CONFIGURE', group: groupOf(survivors, rank, 3, 2n) })));
  expect((await behind)?.error).toMatchObject({ reason: 'FENCED' });
  const replies = await askAll(survivors, round);
  expect(replies).toEqual(survivors.map(() => ({ digests: [expectedDigest(3, all(3), 0, 1, 500_000)] })));
  const late = await members[2]?.ask({ kind: 'CONFIGURE', group: groupOf(members, 2, 3, 1n) });
  expect(late?.error).toMatchObject({ reason: 'FENCED' });
});

test('a member that comes back with an old generation is fenced, and changes nothing', async () => {
  const [first, second, ghost] = await start(3, 3);
  if (!first || !second || !ghost) throw new Error('three members');
  const pair = [first, second];
  await Promise.all(pair.map((member, rank) => member.expect({ kind: 'CONFIGURE', group: groupOf(pair, rank, 3, 5n) })));
  const reply = await ghost.ask({ kind: 'CONFIGURE', group: groupOf([first, second, ghost], 2, 3, 3n) });
  expect(reply.error).toMatchObject({ reason: 'FENCED' });
  expect(reply.error?.message).toContain('generation 3 is over: generation 5 has begun');
  expect(await askAll(pair, round)).toEqual(pair.map(() => ({ digests: [expectedDigest(3, all(3), 0, 1, 500_000)] })));
});

test('thousands of rounds, small and large in turn, without a stall; then the processes end by themselves', async () => {
  const members = await start(2, 2, { timeoutMs: 20_000 });
  await Promise.all(members.map((member) => member.expect({ kind: 'SOAK', rounds: 3000, lengths: [1024, 100_000, 16, 16_385, 1_200_000] })));
  const [{ stats } = {}] = await askAll(members, { kind: 'STATS' });
  expect(stats?.rounds).toBe(3000);
  await Promise.all(members.map((member) => member.expect({ kind: 'CLOSE' })));
  await Promise.all(members.map(({ exited }) => exited));
});

test('members leave one after the other: who finished first disturbs nobody', async () => {
  const members = await start(3, 3);
  await Promise.all(members.map(async (member) => {
    await member.expect(round);
    await member.expect({ kind: 'LEAVE' });
  }));
});

test('a port that is taken is named', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(createExchange({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken by another program`);
  await new Promise((resolve) => server.close(resolve));
});
