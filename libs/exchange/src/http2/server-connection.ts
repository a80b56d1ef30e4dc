/**
 * A server's end of a connection: requests with small bodies in, answers of any size out, several at a time.
 *
 * 1. A stream counts until the peer has read its end, so that whoever waits for that may close the connection then.
 * 2. A connection on which nothing is served for a while is closed: strangers do not stay.
 */
import type { Socket } from 'node:net';
import { PREFACE } from './frame';
import { Connection, type ConnectionOptions, type ConnectionRole } from './connection';
import type { HeaderField } from './hpack/static-table';
import { Http2Error } from './http2-error';
import { readRequestFields, type RequestFields } from './request-fields';
import { ServerStream, type RequestBody } from './server-stream';

export interface ServerOptions extends ConnectionOptions {
  /** Largest body of a request; the windows of streams are at least as large. */
  readonly maxBodyBytes: number;
  /** How long a connection may go without a request that is served. */
  readonly idleTimeoutMs: number;
}

/** A request that is there as a whole. */
export interface ServerRequest {
  readonly fields: RequestFields;
  readonly body: RequestBody;
  readonly stream: ServerStream;
}

export class ServerConnection implements ConnectionRole {
  readonly kind = 'SERVER';
  private readonly connection: Connection;
  private readonly streams = new Map<number, ServerStream>();
  private lastStreamId = 0;
  private prefaceBytes = 0;
  /** The stream of the running DATA frame, unless it is over. */
  private receiving: ServerStream | undefined;
  private idle: NodeJS.Timeout | undefined;
  private served = 0;

  constructor(
    socket: Socket,
    private readonly options: ServerOptions,
    private readonly onRequest: (request: ServerRequest) => void,
  ) {
    this.connection = new Connection(socket, options, this);
    this.connection.start(new Uint8Array(0));
    this.watchIdle();
    socket.on('data', (bytes: Buffer) => this.feed(bytes));
  }

  isKnown(streamId: number): boolean {
    return streamId % 2 === 1 && streamId <= this.lastStreamId;
  }

  headers(streamId: number, fields: readonly HeaderField[], endStream: boolean): void {
    if (this.isKnown(streamId)) {
      this.trailers(streamId, endStream);
      return;
    }
    if (streamId % 2 === 0) throw new Http2Error('PROTOCOL_ERROR', `a client opens stream ${streamId}`);
    this.lastStreamId = streamId;
    const { maxStreams } = this.options.settings;
    if (this.streams.size >= maxStreams) {
      this.connection.reset(streamId, 'REFUSED_STREAM');
      return;
    }
    const request = readRequestFields(fields);
    if (!request) {
      this.connection.reset(streamId, 'PROTOCOL_ERROR');
      return;
    }
    const stream = new ServerStream(streamId, this.connection, request, this.options.maxBodyBytes, () => this.remove(stream));
    this.streams.set(streamId, stream);
    if (endStream) this.dispatch(stream, 'ENDED');
  }

  dataBegin(streamId: number): void {
    this.receiving = this.streams.get(streamId);
    if (this.receiving?.bodyState === 'ENDED') throw new Http2Error('STREAM_CLOSED', `DATA in stream ${streamId} after its end`);
  }

  data(bytes: Uint8Array): void {
    // What is too large is answered at once: its window may never let it end.
    if (this.receiving && !this.receiving.receive(bytes)) this.dispatch(this.receiving, 'CUT');
  }

  place(): undefined {
    return undefined;
  }

  placed(): void {
    // place() names no place.
  }

  dataEnd(endStream: boolean): void {
    const stream = this.receiving;
    this.receiving = undefined;
    if (stream && endStream) this.dispatch(stream, 'ENDED');
  }

  giveBack(): void {
    // A stream's window holds the largest body: it is never widened.
  }

  reset(streamId: number): void {
    this.streams.get(streamId)?.over();
  }

  goAway(): void {
    // The client opens no more streams; those that are open go on.
  }

  closed(): void {
    clearTimeout(this.idle);
    for (const stream of [...this.streams.values()]) stream.over();
  }

  private feed(bytes: Buffer): void {
    const taken = Math.min(PREFACE.length - this.prefaceBytes, bytes.length);
    if (taken > 0 && PREFACE.compare(bytes, 0, taken, this.prefaceBytes, this.prefaceBytes + taken) !== 0) {
      this.connection.fail(new Http2Error('PROTOCOL_ERROR', 'the client does not speak HTTP/2 (with prior knowledge, as gRPC does)'));
      return;
    }
    this.prefaceBytes += taken;
    if (bytes.length > taken) this.connection.feed(bytes.subarray(taken));
  }

  /** Fields after the body: gRPC's requests have none; they only end it. */
  private trailers(streamId: number, endStream: boolean): void {
    const stream = this.streams.get(streamId);
    if (!stream) return;
    if (stream.bodyState === 'ENDED') throw new Http2Error('STREAM_CLOSED', `HEADERS in stream ${streamId} after its end`);
    if (!endStream) throw new Http2Error('PROTOCOL_ERROR', `trailers that do not end stream ${streamId}`);
    this.dispatch(stream, 'ENDED');
  }

  private dispatch(stream: ServerStream, how: 'ENDED' | 'CUT'): void {
    const first = stream.bodyState === 'OPEN';
    const body = stream.endBody(how);
    if (!first) return;
    this.served++;
    clearTimeout(this.idle);
    this.onRequest({ fields: stream.fields, body, stream });
  }

  private remove(stream: ServerStream): void {
    if (!this.streams.delete(stream.streamId) || stream.bodyState === 'OPEN') return;
    this.served--;
    if (this.served === 0 && !this.connection.isOver) this.watchIdle();
  }

  private watchIdle(): void {
    this.idle = setTimeout(() => this.connection.close('NO_ERROR', 'nothing was asked for'), this.options.idleTimeoutMs);
    this.idle.unref();
  }
}
