/** HEADERS and the CONTINUATIONs that belong to it, to one header block (RFC 9113, sections 6.2 and 6.10). */
import { FLAG, FRAME, type ControlFrame } from './frame';
import { Http2Error } from './http2-error';

const PRIORITY_BYTES = 5;

/** A whole header block. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly block: Buffer;
  readonly endStream: boolean;
}

export class HeaderAssembly {
  private parts: Buffer[] = [];
  private bytes = 0;
  private open: { readonly streamId: number; readonly endStream: boolean } | undefined;

  constructor(private readonly maxBytes: number) {}

  /** Within a block no other frame may come. */
  check({ type, streamId }: ControlFrame): void {
    const { open } = this;
    if ((type === FRAME.CONTINUATION) !== (open !== undefined) || (open && open.streamId !== streamId)) {
      throw new Http2Error('PROTOCOL_ERROR', open ? `frame of type ${type} within the header block of stream ${open.streamId}` : 'CONTINUATION without HEADERS');
    }
  }

  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** @returns the block when this frame ends it */
  add({ type, flags, streamId, payload }: ControlFrame): HeaderBlock | undefined {
    if (type === FRAME.HEADERS) {
      if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'HEADERS outside a stream');
      this.open = { streamId, endStream: (flags & FLAG.END_STREAM) !== 0 };
      this.push(fragmentOf(flags, payload));
    } else {
      this.push(payload);
    }
    if (!this.open || (flags & FLAG.END_HEADERS) === 0) return undefined;
    const block = { ...this.open, block: Buffer.concat(this.parts) };
    this.open = undefined;
    this.parts = [];
    this.bytes = 0;
    return block;
  }

  private push(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes > this.maxBytes) throw new Http2Error('ENHANCE_YOUR_CALM', `a header block of more than ${this.maxBytes} bytes`);
    this.parts.push(Buffer.from(part));
  }
}

/** HEADERS without padding and priority. */
function fragmentOf(flags: number, payload: Buffer): Buffer {
  const padded = (flags & FLAG.PADDED) !== 0 ? 1 : 0;
  const start = padded + ((flags & FLAG.PRIORITY) === 0 ? 0 : PRIORITY_BYTES);
  const end = payload.length - (padded === 1 ? (payload[0] ?? 0) : 0);
  if (start > end) throw new Http2Error('PROTOCOL_ERROR', `HEADERS of ${payload.length} bytes are shorter than their padding and priority`);
  return payload.subarray(start, end);
}
