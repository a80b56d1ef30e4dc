/**
 * One end of an HTTP/2 connection (RFC 9113): what client and server have in common.
 *
 * 1. What the peer sends wrongly ends the connection with a GOAWAY that names it, and never throws out of here.
 * 2. Windows are given back as bytes arrive, unless they are held; a connection whose windows are held still answers pings.
 * 3. What costs the peer nothing is limited (allowance), and so are answers that it does not read.
 */
import type { Socket } from 'node:net';
import { Allowance } from './allowance';
import {
  DEFAULT_WINDOW_BYTES, FLAG, FRAME, frame, goAwayFrame, headerFrames, resetFrame, windowUpdateFrame, type ControlFrame,
} from './frame';
import { FrameReader, type FrameSink } from './frame-reader';
import { HeaderAssembly } from './header-assembly';
import { HpackDecoder } from './hpack/decoder';
import type { HeaderField } from './hpack/static-table';
import { encodeFields } from './hpack/encoder';
import { errorCodeOf, Http2Error, type ErrorCode } from './http2-error';
import { ReceiveWindow } from './receive-window';
import { Sender } from './sender';
import { readSettings, SETTINGS_ACK, settingsFrame, type OwnSettings } from './settings';

/** Answers (acknowledgements, resets) that may wait for the peer to read them. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** How long a connection that is over may take to tell the peer why. */
const CLOSE_TIMEOUT_MS = 1000;
const PING_BYTES = 8;

export interface ConnectionOptions {
  readonly settings: OwnSettings;
  /** Window of the connection as a whole; at least 65,535. */
  readonly windowBytes: number;
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number;
}

/** What client and server do differently. All may throw Http2Error, closed() excepted. */
export interface ConnectionRole {
  readonly kind: 'CLIENT' | 'SERVER';
  /** Whether the stream was opened, be it closed since. */
  isKnown(streamId: number): boolean;
  headers(streamId: number, fields: readonly HeaderField[], endStream: boolean): void;
  dataBegin(streamId: number, bytes: number): void;
  data(bytes: Uint8Array): void;
  place(limitBytes: number): Uint8Array | undefined;
  placed(bytes: number): void;
  dataEnd(endStream: boolean): void;
  /** Gives windows of streams back; called when bytes came and when windows are no longer held. */
  giveBack(): void;
  reset(streamId: number, code: ErrorCode): void;
  goAway(lastStreamId: number, code: ErrorCode, message: string): void;
  /** Called once, last; for close() when the socket is closed too. Without an error: the peer closed the connection, or we did. */
  closed(error: Error | undefined): void;
}

export class Connection implements FrameSink {
  readonly sender: Sender;
  private readonly reader: FrameReader;
  private readonly assembly: HeaderAssembly;
  private readonly decoder: HpackDecoder;
  private readonly allowance: Allowance;
  private readonly window: ReceiveWindow;
  private readonly pings: (() => void)[] = [];
  private over = false;
  private reported = false;
  private held = false;
  private answerBytes = 0;
  private lastStreamId = 0;

  constructor(
    private readonly socket: Socket,
    private readonly options: ConnectionOptions,
    private readonly role: ConnectionRole,
  ) {
    const { settings, windowBytes, now } = options;
    this.sender = new Sender(socket);
    this.reader = new FrameReader({ maxFrameBytes: settings.maxFrameBytes, maxControlBytes: settings.maxHeaderListBytes + 1024 }, this);
    this.assembly = new HeaderAssembly(settings.maxHeaderListBytes + 1024);
    this.decoder = new HpackDecoder(settings.maxHeaderListBytes);
    this.allowance = new Allowance(now);
    this.window = new ReceiveWindow(windowBytes, 'the connection');
    let failure: Error | undefined;
    socket.on('error', (error) => { failure = error; });
    socket.on('close', () => {
      this.over = true;
      this.report(failure);
    });
  }

  /** Says hello. @param first what goes before */
  start(first: Uint8Array): void {
    const { settings, windowBytes } = this.options;
    const more = windowBytes - DEFAULT_WINDOW_BYTES;
    this.socket.write(Buffer.concat([first, settingsFrame(this.role.kind, settings), ...(more > 0 ? [windowUpdateFrame(0, more)] : [])]));
  }

  /** Where the network puts what it reads next. */
  nextRead(staging: Uint8Array): Uint8Array {
    return this.over ? staging : this.reader.next(staging);
  }

  /** The network has put `bytes` there. */
  read(target: Uint8Array, bytes: number): void {
    this.guard(() => this.reader.read(target, bytes));
  }

  feed(bytes: Uint8Array): void {
    this.guard(() => this.reader.feed(bytes));
  }

  get isOver(): boolean {
    return this.over;
  }

  sendHeaders(streamId: number, fields: readonly HeaderField[], endStream: boolean): void {
    this.write(headerFrames(streamId, encodeFields(fields), endStream, this.sender.peerSettings.maxFrameBytes));
  }

  reset(streamId: number, code: ErrorCode): void {
    this.answer(resetFrame(streamId, code));
  }

  giveBackStream(streamId: number, window: ReceiveWindow): void {
    if (this.held) return;
    const bytes = window.giveBack();
    if (bytes > 0) this.write(windowUpdateFrame(streamId, bytes));
  }

  /** Holds windows: the peer may send what it was allowed to, and no more. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.giveBack();
  }

  /** Calls back when the peer has read everything that was sent before, which it may also never do. */
  ping(onAnswer: () => void): void {
    this.pings.push(onAnswer);
    this.write(frame(FRAME.PING, 0, 0, Buffer.alloc(PING_BYTES)));
  }

  /** Ends the connection after what was written. */
  close(code: ErrorCode, message: string): void {
    if (this.over) return;
    this.over = true;
    if (this.socket.writable) this.socket.end(goAwayFrame(this.lastStreamId, code, message));
    const timer = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS).unref();
    this.socket.once('close', () => clearTimeout(timer));
    // What still comes is read and dropped: a socket closed on unread bytes takes back what the peer has not read.
    if (!this.socket.destroyed) this.socket.resume();
  }

  /** Ends the connection for what the peer did. */
  fail(error: Http2Error): void {
    this.close(error.code, error.message);
    this.report(error);
  }

  control(received: ControlFrame): void {
    const { type, flags, streamId, payload } = received;
    this.assembly.check(received);
    switch (type) {
      case FRAME.HEADERS:
      case FRAME.CONTINUATION: {
        if (type === FRAME.CONTINUATION) this.allowance.spend('CONTINUATION');
        const whole = this.assembly.add(received);
        if (!whole) return;
        const fields = this.decoder.decode(whole.block);
        this.lastStreamId = Math.max(this.lastStreamId, whole.streamId);
        this.role.headers(whole.streamId, fields, whole.endStream);
        return;
      }
      case FRAME.SETTINGS:
        this.settings(flags, streamId, payload);
        return;
      case FRAME.PING:
        this.pinged(flags, streamId, payload);
        return;
      case FRAME.WINDOW_UPDATE:
        this.widened(streamId, payload);
        return;
      case FRAME.RST_STREAM:
        this.allowance.spend('RST_STREAM');
        this.requireBytes('RST_STREAM', payload, 4);
        this.requireKnown('RST_STREAM', streamId);
        this.role.reset(streamId, errorCodeOf(payload.readUInt32BE(0)));
        return;
      case FRAME.GOAWAY:
        if (streamId !== 0 || payload.length < 8) throw new Http2Error('PROTOCOL_ERROR', `GOAWAY of ${payload.length} bytes in stream ${streamId}`);
        this.role.goAway(payload.readUInt32BE(0) & 0x7fffffff, errorCodeOf(payload.readUInt32BE(4)), payload.toString('utf8', 8));
        return;
      case FRAME.PUSH_PROMISE:
        throw new Http2Error('PROTOCOL_ERROR', 'PUSH_PROMISE, which was not allowed');
      case FRAME.PRIORITY:
        this.requireBytes('PRIORITY', payload, 5);
        if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'PRIORITY outside a stream');
        this.allowance.spend('PRIORITY');
        return;
      default:
        this.allowance.spend(`type ${type}`);
    }
  }

  dataBegin(streamId: number, bytes: number): void {
    if (this.assembly.isOpen) throw new Http2Error('PROTOCOL_ERROR', 'DATA within a header block');
    if (bytes === 0) this.allowance.spend('DATA');
    this.requireKnown('DATA', streamId);
    this.window.receive(bytes);
    this.role.dataBegin(streamId, bytes);
  }

  data(bytes: Uint8Array): void {
    this.role.data(bytes);
  }

  place(limitBytes: number): Uint8Array | undefined {
    return this.role.place(limitBytes);
  }

  placed(bytes: number): void {
    this.role.placed(bytes);
  }

  dataEnd(endStream: boolean): void {
    this.role.dataEnd(endStream);
    this.giveBack();
  }

  private settings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw new Http2Error('PROTOCOL_ERROR', `SETTINGS in stream ${streamId}`);
    this.allowance.spend('SETTINGS');
    if ((flags & FLAG.ACK) !== 0) {
      this.requireBytes('SETTINGS with ACK', payload, 0);
      return;
    }
    this.sender.apply(readSettings(payload, this.sender.peerSettings, this.role.kind === 'CLIENT' ? 'SERVER' : 'CLIENT'));
    this.answer(SETTINGS_ACK);
  }

  private pinged(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw new Http2Error('PROTOCOL_ERROR', `PING in stream ${streamId}`);
    this.requireBytes('PING', payload, PING_BYTES);
    this.allowance.spend('PING');
    if ((flags & FLAG.ACK) === 0) this.answer(frame(FRAME.PING, FLAG.ACK, 0, payload));
    else this.pings.shift()?.();
  }

  private widened(streamId: number, payload: Buffer): void {
    this.requireBytes('WINDOW_UPDATE', payload, 4);
    if (streamId !== 0) this.requireKnown('WINDOW_UPDATE', streamId);
    const bytes = payload.readUInt32BE(0) & 0x7fffffff;
    if (bytes === 0 && streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'WINDOW_UPDATE by 0');
    if (bytes > 0 && this.sender.widen(streamId, bytes)) return;
    this.allowance.spend('WINDOW_UPDATE');
    const code = bytes === 0 ? 'PROTOCOL_ERROR' : 'FLOW_CONTROL_ERROR';
    this.reset(streamId, code);
    this.role.reset(streamId, code);
  }

  private requireBytes(what: string, payload: Buffer, bytes: number): void {
    if (payload.length !== bytes) throw new Http2Error('FRAME_SIZE_ERROR', `${what} of ${payload.length} bytes, not ${bytes}`);
  }

  private requireKnown(what: string, streamId: number): void {
    if (!this.role.isKnown(streamId)) throw new Http2Error('PROTOCOL_ERROR', `${what} in stream ${streamId}, which was never opened`);
  }

  private giveBack(): void {
    this.giveBackStream(0, this.window);
    if (!this.held) this.role.giveBack();
  }

  /** Writes what the peer has provoked, and bounds what it does not read of that. */
  private answer(bytes: Buffer): void {
    if (!this.socket.writable) return;
    this.answerBytes += bytes.length;
    if (this.answerBytes > MAX_ANSWER_BYTES) {
      this.fail(new Http2Error('ENHANCE_YOUR_CALM', `more than ${MAX_ANSWER_BYTES} bytes of answers wait to be read`));
      return;
    }
    this.socket.write(bytes, () => { this.answerBytes -= bytes.length; });
  }

  private write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  private guard(act: () => void): void {
    if (this.over) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    }
  }

  private report(error: Error | undefined): void {
    if (this.reported) return;
    this.reported = true;
    this.role.closed(error);
  }
}
