import type { Connection } from './connection';
import type { HeaderField } from './hpack/static-table';
import { encodeFields } from './hpack/encoder';
import type { RequestFields } from './request-fields';
import type { SendingStream } from './sender';

/** A request's body. */
export type RequestBody = { readonly kind: 'WHOLE'; readonly bytes: Buffer } | { readonly kind: 'TOO_LARGE' };

/** CUT: answered before it ended, because it is too large; what still comes of it is dropped. */
export type BodyState = 'OPEN' | 'ENDED' | 'CUT';

/** A request and its answer, on the server's side. */
export class ServerStream {
  private readonly sending: SendingStream;
  private readonly closedListeners: (() => void)[] = [];
  private parts: Buffer[] = [];
  private bytes = 0;
  private body: BodyState = 'OPEN';
  private finished = false;
  private closed = false;

  /** @param onOver called once, when the stream counts no longer */
  constructor(
    readonly streamId: number,
    private readonly connection: Connection,
    readonly fields: RequestFields,
    private readonly maxBodyBytes: number,
    private readonly onOver: () => void,
  ) {
    this.sending = connection.sender.open(streamId);
  }

  get bodyState(): BodyState {
    return this.body;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** @returns false when the body is too large */
  receive(bytes: Uint8Array): boolean {
    this.bytes += bytes.byteLength;
    if (this.bytes > this.maxBodyBytes) return false;
    this.parts.push(Buffer.from(bytes));
    return true;
  }

  endBody(how: 'ENDED' | 'CUT'): RequestBody {
    this.body = how;
    const body: RequestBody = this.bytes > this.maxBodyBytes ? { kind: 'TOO_LARGE' } : { kind: 'WHOLE', bytes: Buffer.concat(this.parts) };
    this.parts = [];
    return body;
  }

  /** Sends the answer's headers. */
  respond(fields: readonly HeaderField[]): void {
    if (!this.closed) this.connection.sendHeaders(this.streamId, fields, false);
  }

  /**
   * Sends bytes of the answer: head, then payload.
   *
   * @param payload stays as it is until `onSent` or the end of the stream
   */
  send(head: Uint8Array, payload: Uint8Array, onSent: () => void): void {
    if (!this.closed && !this.finished) this.connection.sender.send(this.sending, { kind: 'DATA', head, payload, endStream: false, onSent });
  }

  /** Ends the answer. @param how after what was sent, or at once, which drops what did not go out */
  finish(trailers: readonly HeaderField[], how: 'AFTER_SENT' | 'AT_ONCE'): void {
    if (this.closed || this.finished) return;
    this.finished = true;
    if (how === 'AT_ONCE') this.sending.drop();
    this.connection.sender.send(this.sending, {
      kind: 'TRAILERS', block: encodeFields(trailers),
      onSent: () => { if (!this.closed) this.connection.ping(() => this.over()); },
    });
    if (this.body === 'CUT') this.connection.reset(this.streamId, 'NO_ERROR');
  }

  /** The stream ended, for whatever reason. */
  over(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.sender.close(this.sending);
    this.onOver();
    for (const listener of this.closedListeners) listener();
  }

  /** Called once when the stream is over and the peer has read what it wanted to; at once if it is over already. */
  onClosed(listener: () => void): void {
    if (this.closed) listener();
    else this.closedListeners.push(listener);
  }
}
