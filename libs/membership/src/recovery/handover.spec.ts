import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CollectiveError } from '@lockstep/reduction';
import { followAll, RehearsedGroup } from '../testing/rehearsed-group';
import { broadcast, gather } from './gather';
import { joinHandover, splitHandover } from './handover';

const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Bits that arithmetic would change: -0, infinities, quiet and signalling NaNs with payloads, denormals. */
const AWKWARD = Uint32Array.of(0x80000000, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f800001, 0xffbfffff, 0x00000001, 0x807fffff, 0x3f800000);

const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('a state is handed over byte for byte, whatever its length', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
    const handed = splitHandover(joinHandover({ bytes, digest: hex(bytes) }));
    expect(Buffer.compare(Buffer.from(handed.bytes), Buffer.from(bytes))).toBe(0);
    expect(handed.digest).toBe(hex(bytes));
  }));
});

test.each<[string, Float32Array]>([
  ['nothing', new Float32Array(0)],
  ['less than a header', new Float32Array(3)],
  ['less than it says', joinHandover({ bytes: new Uint8Array(100), digest: hex(new Uint8Array(100)) }).slice(0, 20)],
])('%s is no state', (_what, values) => {
  expect(() => splitHandover(values)).toThrow(RangeError);
});

test.each([[4, 2], [5, 3], [7, 7], [64, 5]])('of %i logical replicas on %i members, all get the words of all, by rank', (replicas, worldSize) => {
  const group = new RehearsedGroup(replicas, worldSize);
  const words = (rank: number): readonly number[] => [rank, 65_535 - rank, 0];
  const endings = followAll(group.members.map((member) => gather(member, words(member.rank))), group);
  for (const ending of endings) expect(ending).toEqual({ kind: 'DONE', value: group.members.map(({ rank }) => words(rank)) });
});

test.each([[4, 2, 0], [4, 2, 1], [5, 3, 2], [64, 5, 3]])('of %i logical replicas on %i members, rank %i copies its values to all, bit for bit', (replicas, worldSize, source) => {
  const group = new RehearsedGroup(replicas, worldSize);
  const values = new Float32Array(AWKWARD.buffer);
  const first = group.members[source]?.range.from ?? -1;
  const endings = followAll(group.members.map((member) => broadcast(member, source, first, values.length, member.rank === source ? values : undefined)), group);
  expect(endings).toHaveLength(worldSize);
  for (const ending of endings) expect(ending.kind === 'DONE' && bytesOf(ending.value).equals(Buffer.from(AWKWARD.buffer))).toBe(true);
});

test('what is larger than a round goes in several', () => {
  const group = new RehearsedGroup(2, 2);
  const values = Float32Array.from({ length: 2 ** 22 + 3 }, (_, i) => i % 1000);
  const endings = followAll(group.members.map((member) => broadcast(member, 0, 0, values.length, member.rank === 0 ? values : undefined)), group);
  for (const ending of endings) expect(ending.kind === 'DONE' && bytesOf(ending.value).equals(bytesOf(values))).toBe(true);
});

test('a copy that breaks off gives nobody anything', () => {
  const group = new RehearsedGroup(4, 2);
  group.break();
  const endings = followAll(group.members.map((member) => broadcast(member, 0, 0, 3, new Float32Array(3))), group);
  for (const ending of endings) expect(ending.kind === 'THREW' && ending.error instanceof CollectiveError && ending.error.reason).toBe('PEER_LOST');
});
