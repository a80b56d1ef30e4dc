/** Buffers that stay for later use: enough for a few chunks of every peer. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Smaller payloads come from the heap: they cost little. */
const SMALL_BYTES = 16 * 1024;

/**
 * Memory for chunks that come before their operation. It is used again: megabytes of new buffers in every step would
 * make V8 collect the whole heap many times a second.
 */
export class EarlyBuffers {
  private readonly free: ArrayBuffer[] = [];

  /** @param chunkBytes payload of a full chunk */
  constructor(private readonly chunkBytes: number) {}

  take(bytes: number): Uint8Array {
    if (bytes <= SMALL_BYTES || bytes > this.chunkBytes) return Buffer.allocUnsafe(bytes);
    return new Uint8Array(this.free.pop() ?? new ArrayBuffer(this.chunkBytes), 0, bytes);
  }

  /** The buffer must not be used again. */
  giveBack({ buffer, byteLength }: Uint8Array): void {
    if (byteLength <= SMALL_BYTES || !(buffer instanceof ArrayBuffer) || buffer.byteLength !== this.chunkBytes) return;
    if ((this.free.length + 1) * this.chunkBytes <= KEPT_BYTES) this.free.push(buffer);
  }
}
