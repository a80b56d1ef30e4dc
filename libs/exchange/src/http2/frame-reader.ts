/**
 * Bytes to frames.
 *
 * 1. DATA is passed on as it comes, without its padding; where its receiver knows where a long part goes, the network reads
 *    it there. Other frames are collected, up to a limit.
 * 2. Frames of unknown types are skipped (RFC 9113, section 4.1).
 * 3. The first frame is SETTINGS: who begins otherwise does not speak HTTP/2.
 */
import { FLAG, FRAME, FRAME_HEADER_BYTES, type ControlFrame } from './frame';
import { Http2Error } from './http2-error';

/** Shorter parts are read together with what follows them, and copied. */
const DIRECT_BYTES = 16 * 1024;

/** What becomes of frames. All may throw Http2Error. */
export interface FrameSink {
  control(frame: ControlFrame): void;
  /** A DATA frame begins; its bytes, padding included, count against the windows. */
  dataBegin(streamId: number, bytes: number): void;
  data(bytes: Uint8Array): void;
  /** Where to put what comes next of the running DATA frame: at most `limitBytes`, less than DIRECT_BYTES or nothing when it does not matter. */
  place(limitBytes: number): Uint8Array | undefined;
  /** So many bytes were put there. */
  placed(bytes: number): void;
  dataEnd(endStream: boolean): void;
}

export interface FrameLimits {
  /** Largest payload of DATA: what SETTINGS_MAX_FRAME_SIZE said. */
  readonly maxFrameBytes: number;
  /** Largest payload of another frame. */
  readonly maxControlBytes: number;
}

type Phase = 'HEADER' | 'CONTROL' | 'PAD_LENGTH' | 'DATA' | 'PADDING' | 'SKIP';

export class FrameReader {
  private phase: Phase = 'HEADER';
  private readonly header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  /** Bytes of the header that are there. */
  private headerBytes = 0;
  private type = 0;
  private flags = 0;
  private streamId = 0;
  private control: Buffer;
  private controlBytes = 0;
  /** Bytes of the running phase that are still to come. */
  private left = 0;
  private paddingBytes = 0;
  private direct = false;
  private begun = false;

  constructor(
    private readonly limits: FrameLimits,
    private readonly sink: FrameSink,
  ) {
    this.control = Buffer.allocUnsafe(0);
  }

  /** Where the network puts what it reads next: `staging`, or a part of what the frame's receiver owns. */
  next(staging: Uint8Array): Uint8Array {
    const place = this.phase === 'DATA' && this.left >= DIRECT_BYTES ? this.sink.place(this.left) : undefined;
    this.direct = place !== undefined && place.byteLength >= DIRECT_BYTES;
    return this.direct && place ? place : staging;
  }

  /** The network has put `bytes` at the start of what next() gave. */
  read(target: Uint8Array, bytes: number): void {
    if (!this.direct) {
      this.feed(target.subarray(0, bytes));
      return;
    }
    this.left -= bytes;
    this.sink.placed(bytes);
    this.advance();
  }

  /** Takes bytes in order, in pieces of any size. @throws Http2Error */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.length - at;
      switch (this.phase) {
        case 'HEADER': {
          const taken = Math.min(FRAME_HEADER_BYTES - this.headerBytes, rest);
          for (let i = 0; i < taken; i++) this.header[this.headerBytes + i] = bytes[at + i] ?? 0;
          this.headerBytes += taken;
          at += taken;
          if (this.headerBytes === FRAME_HEADER_BYTES) this.begin();
          break;
        }
        case 'CONTROL': {
          const taken = Math.min(this.left, rest);
          this.control.set(bytes.subarray(at, at + taken), this.controlBytes - this.left);
          this.left -= taken;
          at += taken;
          this.advance();
          break;
        }
        case 'PAD_LENGTH':
          this.paddingBytes = bytes[at] ?? 0;
          at++;
          if (this.paddingBytes >= this.left) throw new Http2Error('PROTOCOL_ERROR', `DATA of ${this.left} bytes with ${this.paddingBytes} bytes of padding`);
          this.left -= 1 + this.paddingBytes;
          this.phase = 'DATA';
          this.advance();
          break;
        case 'DATA': {
          const taken = Math.min(this.left, rest);
          this.left -= taken;
          const part = bytes.subarray(at, at + taken);
          at += taken;
          this.sink.data(part);
          this.advance();
          break;
        }
        case 'PADDING':
        case 'SKIP': {
          const taken = Math.min(this.left, rest);
          this.left -= taken;
          at += taken;
          this.advance();
          break;
        }
      }
    }
  }

  private begin(): void {
    const { header, limits } = this;
    const bytes = header.readUIntBE(0, 3);
    this.headerBytes = 0;
    this.type = header[3] ?? 0;
    this.flags = header[4] ?? 0;
    this.streamId = header.readUInt32BE(5) & 0x7fffffff;
    this.left = bytes;
    if (!this.begun && (this.type !== FRAME.SETTINGS || (this.flags & FLAG.ACK) !== 0)) throw new Http2Error('PROTOCOL_ERROR', `the first frame is of type ${this.type}, not SETTINGS`);
    this.begun = true;
    if (bytes > limits.maxFrameBytes) throw new Http2Error('FRAME_SIZE_ERROR', `a frame of ${bytes} bytes; at most ${limits.maxFrameBytes} were allowed`);
    if (this.type === FRAME.DATA) {
      if (this.streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'DATA outside a stream');
      this.paddingBytes = 0;
      this.phase = (this.flags & FLAG.PADDED) === 0 ? 'DATA' : 'PAD_LENGTH';
      if (this.phase === 'PAD_LENGTH' && bytes === 0) throw new Http2Error('FRAME_SIZE_ERROR', 'DATA is padded but empty');
      this.sink.dataBegin(this.streamId, bytes);
    } else if (bytes > limits.maxControlBytes) {
      throw new Http2Error('ENHANCE_YOUR_CALM', `a frame of type ${this.type} with ${bytes} bytes; at most ${limits.maxControlBytes} are taken`);
    } else if (this.type > FRAME.CONTINUATION) {
      this.phase = 'SKIP';
    } else {
      if (this.control.length < bytes) this.control = Buffer.allocUnsafe(Math.max(64, bytes));
      this.controlBytes = bytes;
      this.phase = 'CONTROL';
    }
    this.advance();
  }

  /** Leaves the phase if it is over. */
  private advance(): void {
    if (this.left > 0) return;
    const { phase } = this;
    switch (phase) {
      case 'HEADER':
      case 'PAD_LENGTH':
        return;
      case 'CONTROL':
      case 'SKIP':
        this.phase = 'HEADER';
        this.sink.control({ type: this.type, flags: this.flags, streamId: this.streamId, payload: this.control.subarray(0, phase === 'CONTROL' ? this.controlBytes : 0) });
        return;
      case 'DATA':
        if (this.paddingBytes > 0) {
          this.left = this.paddingBytes;
          this.paddingBytes = 0;
          this.phase = 'PADDING';
          return;
        }
        this.endData();
        return;
      case 'PADDING':
        this.endData();
        return;
    }
  }

  private endData(): void {
    this.phase = 'HEADER';
    this.sink.dataEnd((this.flags & FLAG.END_STREAM) !== 0);
  }
}
