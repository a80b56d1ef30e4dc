/**
 * A chunk on its way out.
 *
 * grpc-js 1.14.7 asks a serialised message for `byteLength` and `copy(target, at)` only, while it writes its own
 * prefix. An object with these two writes header and payload once, straight into gRPC's buffer: a copy fewer than with
 * a Buffer. Other versions of grpc-js get a Buffer.
 */
import { version as installedVersion } from '@grpc/grpc-js/package.json';
import { HEADER_BYTES, writeHeader, type ChunkHeader } from './chunk-header';

/** Versions of grpc-js whose server was read and tested to use nothing else of a message. */
export const VERSIONS_WITH_DIRECT_COPY: readonly string[] = ['1.14.7'];

/** Whether the installed grpc-js takes the object instead of a Buffer. */
export const DIRECT_COPY = VERSIONS_WITH_DIRECT_COPY.includes(installedVersion);

export class ChunkMessage {
  readonly byteLength: number;

  /**
   * @param payload read when the message is serialised: it must not change before
   * @param onSerialised called then, once: the payload may change from here on
   */
  constructor(
    readonly header: ChunkHeader,
    readonly payload: Uint8Array,
    private readonly onSerialised?: () => void,
  ) {
    this.byteLength = HEADER_BYTES + payload.byteLength;
  }

  /** Writes the whole message into `target` at `at`. */
  copy(target: Buffer, at: number): number {
    target.set(this.payload, writeHeader(target, at, this.header, this.payload.byteLength));
    this.onSerialised?.();
    return this.byteLength;
  }

  toBuffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.byteLength);
    this.copy(buffer, 0);
    return buffer;
  }
}
