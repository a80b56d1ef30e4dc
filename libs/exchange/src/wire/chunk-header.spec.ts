import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ChunkSchema, Phase } from '@lockstep/contract';
import { PHASES } from '@lockstep/reduction';
import fc from 'fast-check';
import { GRPC_PREFIX_BYTES, HEADER_BYTES, MAX_PAYLOAD_BYTES, readChunk, writeHeader, type ChunkHeader } from './chunk-header';
import { ChunkMessage } from './chunk-message';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const header: fc.Arbitrary<ChunkHeader> = fc.record({
  generation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  position: fc.record({ call: uint32, epoch: uint32, phase: fc.constantFrom(...PHASES), step: uint32 }),
  round: uint32, bucket: uint32, bucketBytes: uint32, offset: uint32, node: uint32,
});
const payload = fc.uint8Array({ maxLength: 300 });

const flat = ({ position, ...rest }: ChunkHeader) => ({ ...rest, ...position, phase: PHASES.indexOf(position.phase) + 1 });

test('what we write, protobuf reads', () => {
  fc.assert(fc.property(header, payload, (h, data) => {
    const decoded = fromBinary(ChunkSchema, new ChunkMessage(h, data).toBuffer());
    const { $typeName, $unknown, data: bytes, ...fields } = decoded;
    expect([$typeName, $unknown]).toEqual(['lockstep.exchange.v1.Chunk', undefined]);
    expect(fields).toEqual(flat(h));
    expect(Buffer.compare(bytes, data)).toBe(0);
  }));
});

test('what protobuf writes, we read', () => {
  fc.assert(fc.property(header, payload, (h, data) => {
    const read = readChunk(Buffer.from(toBinary(ChunkSchema, create(ChunkSchema, { ...flat(h), data }))));
    expect(read.header).toEqual(h);
    expect(Buffer.compare(read.payload, data)).toBe(0);
  }));
});

test('what we write, we read, without a copy', () => {
  fc.assert(fc.property(header, payload, (h, data) => {
    const message = new ChunkMessage(h, data).toBuffer();
    const read = readChunk(message);
    expect(read.header).toEqual(h);
    expect(Buffer.compare(read.payload, data)).toBe(0);
    expect(read.payload.buffer).toBe(message.buffer);
  }));
});

test('phases are those of the contract', () => {
  expect(PHASES.map((_, i) => Phase[i + 1])).toEqual([...PHASES]);
});

test('with gRPC\'s prefix the header keeps payloads aligned to 8 bytes', () => {
  expect((GRPC_PREFIX_BYTES + HEADER_BYTES) % 8).toBe(0);
});

const some: ChunkHeader = { generation: 1n, position: { call: 0, epoch: 0, phase: 'TRAIN', step: 0 }, round: 1, bucket: 0, bucketBytes: 0, offset: 0, node: 1 };

test.each([[0], [1], [127], [128], [16_383], [16_384], [2_097_151], [2_097_152], [MAX_PAYLOAD_BYTES]])('the header of %i bytes takes HEADER_BYTES', (bytes) => {
  expect(writeHeader(Buffer.alloc(100), 3, some, bytes)).toBe(3 + HEADER_BYTES);
});

test('a payload that four bytes cannot count is refused', () => {
  expect(() => writeHeader(Buffer.alloc(100), 0, some, MAX_PAYLOAD_BYTES + 1)).toThrow(RangeError);
});

test.each<[string, (message: Buffer) => Buffer]>([
  ['cut in the header', (m) => m.subarray(0, 30)],
  ['cut in the payload', (m) => m.subarray(0, m.length - 1)],
  ['without a phase', () => Buffer.alloc(0)],
  ['with a phase that does not exist', (m) => Buffer.from(m).fill(9, 20, 21)],
])('a message %s is refused', (_title, change) => {
  expect(() => readChunk(change(new ChunkMessage(some, Buffer.alloc(16)).toBuffer()))).toThrow();
});
