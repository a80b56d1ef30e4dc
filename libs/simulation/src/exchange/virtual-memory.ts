/** The memory of a member's rounds: what the arena is to the exchange's threads, without threads and without SIMD. */
import type { RoundMemory } from '@lockstep/reduction';

const ELEMENT_BYTES = Float32Array.BYTES_PER_ELEMENT;

export class VirtualMemory implements RoundMemory {
  private buffer = new ArrayBuffer(0);

  /** Makes it at least that large; what was in it is lost. */
  reserve(sizeBytes: number): void {
    if (this.buffer.byteLength < sizeBytes) this.buffer = new ArrayBuffer(sizeBytes);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.buffer, address, length);
  }

  add(target: number, left: number, right: number, bytes: number): void {
    const length = bytes / ELEMENT_BYTES;
    const [sum, a, b] = [this.floats(target, length), this.floats(left, length), this.floats(right, length)];
    for (let i = 0; i < length; i++) sum[i] = (a[i] ?? NaN) + (b[i] ?? NaN);
  }

  copy(target: number, source: number, bytes: number): void {
    this.bytes(target, bytes).set(this.bytes(source, bytes));
  }
}
