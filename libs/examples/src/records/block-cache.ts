import { closeSync, openSync, readSync } from 'node:fs';
import { fileError } from '../examples-error';

export interface BlockCacheOptions {
  /** Bytes that are kept in memory. */
  readonly capacityBytes: number;
}

const BLOCK_BYTES = 1 << 18;
const OPEN_FILES = 64;

/** Reads ranges of files through blocks that it keeps, the most recently used ones. Blocking: for a reader thread. */
export class BlockCache {
  private readonly blocks = new Map<string, Buffer>();
  private readonly files = new Map<string, number>();
  private sizeBytes = 0;

  constructor(private readonly options: BlockCacheOptions) {}

  /**
   * Bytes [from, to) of a file, or as many as there are. The result may be a view that others share: read only.
   *
   * @throws ExamplesError UNREADABLE_FILE
   */
  read(path: string, from: number, to: number): Buffer {
    const first = Math.floor(from / BLOCK_BYTES);
    const last = Math.floor(Math.max(from, to - 1) / BLOCK_BYTES);
    if (first === last) return this.block(path, first).subarray(from - first * BLOCK_BYTES, to - first * BLOCK_BYTES);
    // What spans more than the cache is worth is read past it.
    if ((last - first) * BLOCK_BYTES > this.options.capacityBytes / 4) return this.readFile(path, from, to - from);
    const parts = Array.from({ length: last - first + 1 }, (_, i) => {
      const start = (first + i) * BLOCK_BYTES;
      return this.block(path, first + i).subarray(Math.max(0, from - start), to - start);
    });
    return Buffer.concat(parts);
  }

  close(): void {
    for (const descriptor of this.files.values()) closeSync(descriptor);
    this.files.clear();
    this.blocks.clear();
    this.sizeBytes = 0;
  }

  private block(path: string, index: number): Buffer {
    const key = `${index}:${path}`;
    const known = this.blocks.get(key);
    const block = known ?? this.readFile(path, index * BLOCK_BYTES, BLOCK_BYTES);
    if (known) this.blocks.delete(key);
    else this.sizeBytes += block.length;
    this.blocks.set(key, block);
    for (const [oldest, { length }] of this.blocks) {
      if (this.sizeBytes <= this.options.capacityBytes || oldest === key) break;
      this.blocks.delete(oldest);
      this.sizeBytes -= length;
    }
    return block;
  }

  private readFile(path: string, from: number, length: number): Buffer {
    try {
      const buffer = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const read = readSync(this.descriptor(path), buffer, filled, length - filled, from + filled);
        if (read === 0) break;
        filled += read;
      }
      return buffer.subarray(0, filled);
    } catch (cause) {
      throw fileError(path, 'read', cause);
    }
  }

  private descriptor(path: string): number {
    const known = this.files.get(path);
    const descriptor = known ?? openSync(path, 'r');
    this.files.delete(path);
    this.files.set(path, descriptor);
    for (const [oldest, open] of this.files) {
      if (this.files.size <= OPEN_FILES) break;
      this.files.delete(oldest);
      closeSync(open);
    }
    return descriptor;
  }
}
