/** SETTINGS (RFC 9113, section 6.5). */
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, FLAG, FRAME, frame, MAX_FRAME_BYTES, MAX_WINDOW_BYTES } from './frame';
import { Http2Error } from './http2-error';

const ID = { HEADER_TABLE_SIZE: 0x1, ENABLE_PUSH: 0x2, MAX_CONCURRENT_STREAMS: 0x3, INITIAL_WINDOW_SIZE: 0x4, MAX_FRAME_SIZE: 0x5, MAX_HEADER_LIST_SIZE: 0x6 } as const;
const ENTRY_BYTES = 6;

/** What an end of ours tells the other one. */
export interface OwnSettings {
  /** Window of each stream. */
  readonly windowBytes: number;
  readonly maxFrameBytes: number;
  readonly maxHeaderListBytes: number;
  /** Streams that the peer may open; 0 for those that a server would push. */
  readonly maxStreams: number;
}

/** What of the peer's settings decides how we send. */
export interface PeerSettings {
  readonly windowBytes: number;
  readonly maxFrameBytes: number;
}

export const INITIAL_PEER_SETTINGS: PeerSettings = { windowBytes: DEFAULT_WINDOW_BYTES, maxFrameBytes: DEFAULT_FRAME_BYTES };

export const SETTINGS_ACK = frame(FRAME.SETTINGS, FLAG.ACK, 0, new Uint8Array(0));

export function settingsFrame(kind: 'CLIENT' | 'SERVER', own: OwnSettings): Buffer {
  const entries: [number, number][] = [
    kind === 'CLIENT' ? [ID.ENABLE_PUSH, 0] : [ID.MAX_CONCURRENT_STREAMS, own.maxStreams],
    [ID.INITIAL_WINDOW_SIZE, own.windowBytes], [ID.MAX_FRAME_SIZE, own.maxFrameBytes], [ID.MAX_HEADER_LIST_SIZE, own.maxHeaderListBytes],
  ];
  const payload = Buffer.allocUnsafe(entries.length * ENTRY_BYTES);
  entries.forEach(([id, value], i) => payload.writeUInt32BE(value, payload.writeUInt16BE(id, i * ENTRY_BYTES)));
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

/**
 * The peer's settings after a SETTINGS frame; what we do not know is ignored.
 *
 * @param from who sent it
 * @throws Http2Error for a value that must not be
 */
export function readSettings(payload: Buffer, before: PeerSettings, from: 'CLIENT' | 'SERVER'): PeerSettings {
  if (payload.length % ENTRY_BYTES !== 0) throw new Http2Error('FRAME_SIZE_ERROR', `SETTINGS of ${payload.length} bytes, not a multiple of ${ENTRY_BYTES}`);
  let { windowBytes, maxFrameBytes } = before;
  for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === ID.INITIAL_WINDOW_SIZE) {
      if (value > MAX_WINDOW_BYTES) throw new Http2Error('FLOW_CONTROL_ERROR', `SETTINGS_INITIAL_WINDOW_SIZE of ${value}`);
      windowBytes = value;
    } else if (id === ID.MAX_FRAME_SIZE) {
      if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) throw new Http2Error('PROTOCOL_ERROR', `SETTINGS_MAX_FRAME_SIZE of ${value}`);
      maxFrameBytes = value;
    } else if (id === ID.ENABLE_PUSH && value > (from === 'CLIENT' ? 1 : 0)) {
      throw new Http2Error('PROTOCOL_ERROR', `SETTINGS_ENABLE_PUSH of ${value} from a ${from.toLowerCase()}`);
    }
  }
  return { windowBytes, maxFrameBytes };
}
