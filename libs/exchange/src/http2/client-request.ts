/** One request on a connection of its own: what a pull needs of an HTTP/2 client. */
import type { Socket } from 'node:net';
import { PREFACE } from './frame';
import { Connection, type ConnectionOptions, type ConnectionRole } from './connection';
import type { HeaderField } from './hpack/static-table';
import { Http2Error, type ErrorCode } from './http2-error';
import { ReceiveWindow } from './receive-window';
import type { SendingStream } from './sender';

/** The first stream that a client opens, and our only one. */
const STREAM_ID = 1;

/** How a request ended. */
export type RequestEnd =
  /** The response is whole. The fields are its trailers, or its headers where nothing else came. */
  | { readonly kind: 'COMPLETE'; readonly fields: readonly HeaderField[] }
  | { readonly kind: 'RESET'; readonly code: ErrorCode }
  /** The server ends the connection. */
  | { readonly kind: 'GOAWAY'; readonly code: ErrorCode; readonly message: string }
  /** The connection ended, or was never made. */
  | { readonly kind: 'DISCONNECTED'; readonly error: Error | undefined }
  /** The server broke a rule of HTTP/2. */
  | { readonly kind: 'BROKEN'; readonly error: Http2Error };

/** What comes of a request. Nothing comes after ended() or cancel(). */
export interface RequestEvents {
  /** The response's headers; data follows. */
  headers(fields: readonly HeaderField[]): void;
  data(bytes: Uint8Array): void;
  /** Where the network should put what comes next (frame-reader). */
  place(limitBytes: number): Uint8Array | undefined;
  placed(bytes: number): void;
  ended(end: RequestEnd): void;
}

export class ClientRequest implements ConnectionRole {
  readonly kind = 'CLIENT';
  private readonly connection: Connection;
  private readonly stream: SendingStream;
  private readonly window: ReceiveWindow;
  private answered = false;
  private over = false;

  /** Sends the request at once: a socket that is not connected yet keeps it. */
  constructor(socket: Socket, options: ConnectionOptions, fields: readonly HeaderField[], body: Uint8Array, private readonly events: RequestEvents) {
    this.connection = new Connection(socket, options, this);
    this.window = new ReceiveWindow(options.settings.windowBytes, `stream ${STREAM_ID}`);
    socket.cork();
    this.connection.start(PREFACE);
    this.connection.sendHeaders(STREAM_ID, fields, false);
    this.stream = this.connection.sender.open(STREAM_ID);
    this.connection.sender.send(this.stream, { kind: 'DATA', head: body, payload: new Uint8Array(0), endStream: true, onSent: undefined });
    socket.uncork();
  }

  nextRead(staging: Uint8Array): Uint8Array {
    return this.connection.nextRead(staging);
  }

  read(target: Uint8Array, bytes: number): void {
    this.connection.read(target, bytes);
  }

  /** Lets the server send what it was allowed to, and no more. */
  hold(): void {
    this.connection.hold();
  }

  release(): void {
    if (!this.over) this.connection.release();
  }

  /** Ends the request and its connection; no event follows. */
  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.connection.reset(STREAM_ID, 'CANCEL');
    this.connection.close('NO_ERROR', '');
  }

  isKnown(streamId: number): boolean {
    return streamId === STREAM_ID;
  }

  headers(streamId: number, fields: readonly HeaderField[], endStream: boolean): void {
    if (streamId !== STREAM_ID) throw new Http2Error('PROTOCOL_ERROR', `HEADERS in stream ${streamId}, which was never opened`);
    if (endStream) {
      this.end({ kind: 'COMPLETE', fields });
      return;
    }
    if (this.answered) throw new Http2Error('PROTOCOL_ERROR', 'trailers that do not end their stream');
    // Informational responses precede the one that counts.
    if (fields.some(({ name, value }) => name === ':status' && value.startsWith('1'))) return;
    this.answered = true;
    if (!this.over) this.events.headers(fields);
  }

  dataBegin(_streamId: number, bytes: number): void {
    if (!this.answered) throw new Http2Error('PROTOCOL_ERROR', 'DATA before HEADERS');
    this.window.receive(bytes);
  }

  data(bytes: Uint8Array): void {
    if (!this.over) this.events.data(bytes);
  }

  place(limitBytes: number): Uint8Array | undefined {
    return this.over ? undefined : this.events.place(limitBytes);
  }

  placed(bytes: number): void {
    if (!this.over) this.events.placed(bytes);
  }

  dataEnd(endStream: boolean): void {
    if (endStream) this.end({ kind: 'COMPLETE', fields: [] });
  }

  giveBack(): void {
    if (!this.over) this.connection.giveBackStream(STREAM_ID, this.window);
  }

  reset(_streamId: number, code: ErrorCode): void {
    this.end({ kind: 'RESET', code });
  }

  goAway(lastStreamId: number, code: ErrorCode, message: string): void {
    if (lastStreamId < STREAM_ID || code !== 'NO_ERROR') this.end({ kind: 'GOAWAY', code, message });
  }

  closed(error: Error | undefined): void {
    this.end(error instanceof Http2Error ? { kind: 'BROKEN', error } : { kind: 'DISCONNECTED', error });
  }

  private end(end: RequestEnd): void {
    if (this.over) return;
    this.over = true;
    this.connection.close('NO_ERROR', '');
    this.events.ended(end);
  }
}
