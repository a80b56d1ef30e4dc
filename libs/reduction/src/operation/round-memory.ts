/** The memory that a round lies in, as arena-layout places it. Addresses in bytes. */
export interface RoundMemory {
  /** A view, not a copy. */
  bytes(address: number, length: number): Uint8Array;
  /** Adds float32 elements, one by one: target = left + right. The target may be one of the two. */
  add(target: number, left: number, right: number, bytes: number): void;
  copy(target: number, source: number, bytes: number): void;
}
