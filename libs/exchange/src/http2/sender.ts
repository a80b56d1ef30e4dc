/**
 * What a connection sends of its streams: DATA within the windows of stream and connection, then trailers.
 *
 * 1. A payload is written from where it lies: no copy is made here of one that is worth a write of its own.
 * 2. The socket holds a bounded amount; the rest stays in the streams' queues, so that a stream that ends can drop it.
 * 3. Streams take turns, a frame each.
 */
import type { Socket } from 'node:net';
import { FLAG, FRAME, FRAME_HEADER_BYTES, headerFrames, MAX_WINDOW_BYTES, writeFrameHeader } from './frame';
import { Http2Error } from './http2-error';
import { INITIAL_PEER_SETTINGS, type PeerSettings } from './settings';

/** What the socket may hold: enough for the next frame to follow without a pause. */
const SOCKET_BYTES = 2 * 1024 * 1024;
/** Smaller payloads are copied behind their header: one write is cheaper than two. */
const COPIED_BYTES = 4096;

/** Something that goes out on a stream, in order. */
export type Outgoing =
  /** Bytes of DATA: a head, then a payload that stays as it is until `onSent`, which is called once, never within send(). */
  | { readonly kind: 'DATA'; readonly head: Uint8Array; readonly payload: Uint8Array; readonly endStream: boolean; readonly onSent: (() => void) | undefined }
  /** The last of a stream: a header block. */
  | { readonly kind: 'TRAILERS'; readonly block: Uint8Array; readonly onSent: (() => void) | undefined };

/** The sending side of a stream. */
export class SendingStream {
  queue: Outgoing[] = [];
  /** Index of what goes next, and how many bytes of it are gone. */
  next = 0;
  sentBytes = 0;

  constructor(
    readonly streamId: number,
    public windowBytes: number,
  ) {}

  /** Drops what is queued. A message that is partly sent stays partly sent. */
  drop(): void {
    this.queue = [];
    this.next = 0;
    this.sentBytes = 0;
  }
}

export class Sender {
  private windowBytes = INITIAL_PEER_SETTINGS.windowBytes;
  private peer = INITIAL_PEER_SETTINGS;
  private readonly streams = new Map<number, SendingStream>();
  /** Those that have something to send, longest waiting first. */
  private readonly waiting = new Set<SendingStream>();
  private pumping = false;

  constructor(private readonly socket: Socket) {}

  open(streamId: number): SendingStream {
    const stream = new SendingStream(streamId, this.peer.windowBytes);
    this.streams.set(streamId, stream);
    return stream;
  }

  close(stream: SendingStream): void {
    stream.drop();
    this.streams.delete(stream.streamId);
    this.waiting.delete(stream);
  }

  send(stream: SendingStream, outgoing: Outgoing): void {
    stream.queue.push(outgoing);
    this.waiting.add(stream);
    this.pump();
  }

  /** The peer's SETTINGS: windows of open streams move with theirs. */
  apply(settings: PeerSettings): void {
    const by = settings.windowBytes - this.peer.windowBytes;
    this.peer = settings;
    for (const stream of this.streams.values()) {
      stream.windowBytes += by;
      if (stream.windowBytes > MAX_WINDOW_BYTES) throw new Http2Error('FLOW_CONTROL_ERROR', `SETTINGS take the window of stream ${stream.streamId} above 2^31-1 bytes`);
    }
    this.pump();
  }

  get peerSettings(): PeerSettings {
    return this.peer;
  }

  /** @returns false when it takes the stream's window above its limit; @throws Http2Error when the connection's */
  widen(streamId: number, bytes: number): boolean {
    if (streamId === 0) {
      this.windowBytes += bytes;
      if (this.windowBytes > MAX_WINDOW_BYTES) throw new Http2Error('FLOW_CONTROL_ERROR', 'WINDOW_UPDATE takes the window of the connection above 2^31-1 bytes');
    } else {
      const stream = this.streams.get(streamId);
      if (!stream) return true;
      stream.windowBytes += bytes;
      if (stream.windowBytes > MAX_WINDOW_BYTES) return false;
    }
    this.pump();
    return true;
  }

  private readonly pump = (): void => {
    if (this.pumping || this.waiting.size === 0 || !this.socket.writable) return;
    this.pumping = true;
    this.socket.cork();
    try {
      let blocked = 0;
      while (blocked < this.waiting.size && this.socket.writableLength < SOCKET_BYTES) {
        const [stream] = this.waiting;
        if (!stream) break;
        this.waiting.delete(stream);
        const sent = this.sendFrame(stream);
        if (stream.next < stream.queue.length) this.waiting.add(stream);
        else stream.drop();
        blocked = sent ? 0 : blocked + 1;
      }
    } finally {
      this.socket.uncork();
      this.pumping = false;
    }
  };

  /** Sends one frame, or the whole trailers. @returns false when the windows allow nothing */
  private sendFrame(stream: SendingStream): boolean {
    const outgoing = stream.queue[stream.next];
    if (!outgoing) return false;
    if (outgoing.kind === 'TRAILERS') {
      stream.next++;
      this.socket.write(headerFrames(stream.streamId, outgoing.block, true, this.peer.maxFrameBytes), outgoing.onSent);
      return true;
    }
    const left = outgoing.head.byteLength + outgoing.payload.byteLength - stream.sentBytes;
    const bytes = Math.min(left, this.peer.maxFrameBytes, stream.windowBytes, this.windowBytes);
    if (bytes <= 0 && left > 0) return false;
    stream.windowBytes -= bytes;
    this.windowBytes -= bytes;
    const last = bytes === left;
    this.writeData(stream, outgoing, bytes, last);
    stream.sentBytes += bytes;
    if (last) {
      stream.next++;
      stream.sentBytes = 0;
    }
    return true;
  }

  private writeData(stream: SendingStream, { head, payload, endStream, onSent }: Extract<Outgoing, { kind: 'DATA' }>, bytes: number, last: boolean): void {
    const from = stream.sentBytes;
    const headPart = head.subarray(from, from + bytes);
    const payloadFrom = Math.max(0, from - head.byteLength);
    const payloadBytes = bytes - headPart.byteLength;
    const copied = payloadBytes <= COPIED_BYTES ? payloadBytes : 0;
    const buffer = Buffer.allocUnsafe(FRAME_HEADER_BYTES + headPart.byteLength + copied);
    const at = writeFrameHeader(buffer, 0, bytes, FRAME.DATA, endStream && last ? FLAG.END_STREAM : 0, stream.streamId);
    buffer.set(headPart, at);
    const written = last && onSent ? () => { onSent(); this.pump(); } : this.pump;
    if (copied === payloadBytes) {
      buffer.set(payload.subarray(payloadFrom, payloadFrom + payloadBytes), at + headPart.byteLength);
      this.socket.write(buffer, written);
    } else {
      this.socket.write(buffer);
      this.socket.write(payload.subarray(payloadFrom, payloadFrom + payloadBytes), written);
    }
  }
}
