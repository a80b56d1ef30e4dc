import { GRPC_PREFIX_BYTES, HEADER_BYTES, writeHeader, type ChunkHeader } from './chunk-header';

/** A chunk on its way out. */
export class ChunkMessage {
  /**
   * @param payload read when the message is sent: it must not change before
   * @param onSent called then, once: the payload may change from here on
   */
  constructor(
    readonly header: ChunkHeader,
    readonly payload: Uint8Array,
    readonly onSent: () => void = () => undefined,
  ) {}

  /** What precedes the payload on the wire: gRPC's prefix and the message's header. */
  head(): Buffer {
    const head = Buffer.allocUnsafe(GRPC_PREFIX_BYTES + HEADER_BYTES);
    head[0] = 0; // Not compressed.
    head.writeUInt32BE(HEADER_BYTES + this.payload.byteLength, 1);
    writeHeader(head, GRPC_PREFIX_BYTES, this.header, this.payload.byteLength);
    return head;
  }

  /** The whole message in a buffer of its own, without gRPC's prefix. */
  toBuffer(): Buffer {
    return Buffer.concat([this.head().subarray(GRPC_PREFIX_BYTES), this.payload]);
  }
}
