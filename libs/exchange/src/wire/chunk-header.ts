/**
 * The header of a Chunk on the wire (protos/lockstep/exchange/v1/exchange.proto).
 *
 * 1. It always takes HEADER_BYTES: fixed-width fields in ascending order, all written, and the payload's length in a
 *    varint of four bytes.
 * 2. gRPC's 5 bytes and the header are a multiple of 8, so that payload and bucket agree modulo 8.
 * 3. Any protobuf encoding of a Chunk is decoded; ours is decoded without a copy, and so is every other's payload.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ChunkSchema } from '@lockstep/contract';
import { PHASES, type PieceHeader, type Position } from '@lockstep/reduction';

/** Bytes that gRPC puts before a message: a flag and the length. */
export const GRPC_PREFIX_BYTES = 5;

/** 1 + 8 for the generation, 1 + 4 for each of nine fields, 1 + 4 for the payload's tag and length. */
export const HEADER_BYTES = 59;

/** Largest payload that four bytes of varint can say. */
export const MAX_PAYLOAD_BYTES = 2 ** 28 - 1;

const TAG_GENERATION = 0x09;
const TAG_DATA = 0x7a;
/** Tag of the fixed32 field with this number. */
const fixed32Tag = (field: number): number => (field << 3) | 5;
const FIXED32_FIELDS = [2, 3, 4, 5, 6, 7, 8, 9, 10] as const;

/** What a chunk says about its payload. */
export interface ChunkHeader extends PieceHeader {
  readonly generation: bigint;
  readonly position: Position;
  /** Number of the collective operation in the generation. */
  readonly round: number;
}

/** A received chunk; the payload is a view of the message. */
export interface ReceivedChunk {
  readonly header: ChunkHeader;
  readonly payload: Uint8Array;
}

/** Writes a header at `at` and returns where the payload goes. */
export function writeHeader(target: Buffer, at: number, header: ChunkHeader, payloadBytes: number): number {
  if (payloadBytes > MAX_PAYLOAD_BYTES) throw new RangeError(`a chunk of ${payloadBytes} bytes; at most ${MAX_PAYLOAD_BYTES} fit`);
  const { position } = header;
  let p = at;
  target[p] = TAG_GENERATION;
  p = target.writeBigUInt64LE(header.generation, p + 1);
  const put = (field: number, value: number): void => {
    target[p] = fixed32Tag(field);
    p = target.writeUInt32LE(value, p + 1);
  };
  put(2, position.call);
  put(3, position.epoch);
  put(4, PHASES.indexOf(position.phase) + 1);
  put(5, position.step);
  put(6, header.round);
  put(7, header.bucket);
  put(8, header.bucketBytes);
  put(9, header.offset);
  put(10, header.node);
  target[p++] = TAG_DATA;
  target[p++] = (payloadBytes & 0x7f) | 0x80;
  target[p++] = ((payloadBytes >>> 7) & 0x7f) | 0x80;
  target[p++] = ((payloadBytes >>> 14) & 0x7f) | 0x80;
  target[p++] = (payloadBytes >>> 21) & 0x7f;
  return p;
}

/**
 * The header of a message in our layout.
 *
 * @param head the message's first HEADER_BYTES
 * @returns undefined for another layout
 * @throws Error when it names a phase that does not exist
 */
export function readHeader(head: Buffer, messageBytes: number): ChunkHeader | undefined {
  if (!hasOurLayout(head, messageBytes)) return undefined;
  const field = (index: number): number => head.readUInt32LE(10 + 5 * index);
  return {
    generation: head.readBigUInt64LE(1),
    position: { call: field(0), epoch: field(1), phase: phaseOf(field(2)), step: field(3) },
    round: field(4), bucket: field(5), bucketBytes: field(6), offset: field(7), node: field(8),
  };
}

/** @throws Error when the bytes are no Chunk, or name a phase that does not exist */
export function readChunk(message: Buffer): ReceivedChunk {
  const header = message.length < HEADER_BYTES ? undefined : readHeader(message, message.length);
  return header ? { header, payload: message.subarray(HEADER_BYTES) } : readAnyLayout(message);
}

function hasOurLayout(head: Buffer, messageBytes: number): boolean {
  if (head[0] !== TAG_GENERATION || head[54] !== TAG_DATA) return false;
  for (let i = 0; i < FIXED32_FIELDS.length; i++) {
    if (head[9 + 5 * i] !== fixed32Tag(i + 2)) return false;
  }
  const [a = 0, b = 0, c = 0, d = 0] = head.subarray(55, HEADER_BYTES);
  const flags = (a & 0x80) !== 0 && (b & 0x80) !== 0 && (c & 0x80) !== 0 && (d & 0x80) === 0;
  return flags && ((a & 0x7f) | ((b & 0x7f) << 7) | ((c & 0x7f) << 14) | (d << 21)) === messageBytes - HEADER_BYTES;
}

function readAnyLayout(message: Buffer): ReceivedChunk {
  const { generation, call, epoch, phase, step, round, bucket, bucketBytes, offset, node, data } = fromBinary(ChunkSchema, message);
  return { header: { generation, position: { call, epoch, phase: phaseOf(phase), step }, round, bucket, bucketBytes, offset, node }, payload: data };
}

function phaseOf(value: number): Position['phase'] {
  const phase = PHASES[value - 1];
  if (phase === undefined) throw new RangeError(`a chunk names phase ${value}, which does not exist`);
  return phase;
}
