/** Frames of HTTP/2 as bytes (RFC 9113, sections 4 and 6). */
import { ERROR_CODES, type ErrorCode } from './http2-error';

export const FRAME_HEADER_BYTES = 9;
/** Largest payload that a peer takes unless it says otherwise, and the smallest limit that it may set. */
export const DEFAULT_FRAME_BYTES = 16_384;
/** Largest payload that three bytes of length can say. */
export const MAX_FRAME_BYTES = 2 ** 24 - 1;
/** Largest flow-control window. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** Window of a connection, and of streams until SETTINGS say otherwise. */
export const DEFAULT_WINDOW_BYTES = 65_535;

/** What a client sends first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FRAME = {
  DATA: 0x0, HEADERS: 0x1, PRIORITY: 0x2, RST_STREAM: 0x3, SETTINGS: 0x4, PUSH_PROMISE: 0x5, PING: 0x6, GOAWAY: 0x7, WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const FLAG = { END_STREAM: 0x1, ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

/** A frame other than DATA. */
export interface ControlFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Valid only while the frame is handled. */
  readonly payload: Buffer;
}

/** @returns where the payload starts */
export function writeFrameHeader(target: Buffer, at: number, bytes: number, type: number, flags: number, streamId: number): number {
  target.writeUIntBE(bytes, at, 3);
  target[at + 3] = type;
  target[at + 4] = flags;
  return target.writeUInt32BE(streamId, at + 5);
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.byteLength);
  buffer.set(payload, writeFrameHeader(buffer, 0, payload.byteLength, type, flags, streamId));
  return buffer;
}

/** A header block as HEADERS, and CONTINUATION where it is longer than a frame. */
export function headerFrames(streamId: number, block: Uint8Array, endStream: boolean, maxFrameBytes: number): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.byteLength; at += maxFrameBytes) {
    const part = block.subarray(at, at + maxFrameBytes);
    const last = at + maxFrameBytes >= block.byteLength ? FLAG.END_HEADERS : 0;
    frames.push(at === 0 ? frame(FRAME.HEADERS, last | (endStream ? FLAG.END_STREAM : 0), streamId, part) : frame(FRAME.CONTINUATION, last, streamId, part));
  }
  return Buffer.concat(frames);
}

export const resetFrame = (streamId: number, code: ErrorCode): Buffer => frame(FRAME.RST_STREAM, 0, streamId, uint32(ERROR_CODES[code]));

export const windowUpdateFrame = (streamId: number, bytes: number): Buffer => frame(FRAME.WINDOW_UPDATE, 0, streamId, uint32(bytes));

/** @param message told to the peer as debug data */
export const goAwayFrame = (lastStreamId: number, code: ErrorCode, message: string): Buffer =>
  frame(FRAME.GOAWAY, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(ERROR_CODES[code]), Buffer.from(message.slice(0, 512), 'utf8')]));

function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value, 0);
  return buffer;
}
