import type { RoundMemory } from '@lockstep/reduction';
import { instantiateKernel, type Kernel } from './kernel';

/** The arena as the exchange thread uses it. Addresses in bytes. */
export class ArenaAccess implements RoundMemory {
  private readonly kernel: Kernel;
  private view: Uint8Array;
  private flagView: Int32Array;

  constructor(private readonly memory: WebAssembly.Memory) {
    this.kernel = instantiateKernel(memory);
    this.view = new Uint8Array(memory.buffer);
    this.flagView = new Int32Array(memory.buffer);
  }

  /** Sees memory that the other thread has added. */
  refresh(): void {
    if (this.view.byteLength === this.memory.buffer.byteLength) return;
    this.view = new Uint8Array(this.memory.buffer);
    this.flagView = new Int32Array(this.memory.buffer);
  }

  bytes(address: number, length: number): Uint8Array {
    return this.view.subarray(address, address + length);
  }

  add(target: number, left: number, right: number, bytes: number): void {
    this.kernel.add(target, left, right, bytes);
  }

  copy(target: number, source: number, bytes: number): void {
    this.kernel.copy(target, source, bytes);
  }

  /** Publishes a 32-bit number to the compute thread. */
  setFlag(address: number, value: number): void {
    Atomics.store(this.flagView, address / Int32Array.BYTES_PER_ELEMENT, value);
  }
}
