/**
 * Header blocks to fields (RFC 7541).
 *
 * 1. The table's state follows from all blocks of a connection: every block is decoded, also that of a refused stream.
 * 2. A block is bounded by its list's size, a field's size by the block; integers end at 28 bits.
 */
import { Http2Error } from '../http2-error';
import { DynamicTable, fieldBytes } from './dynamic-table';
import { decodeHuffman } from './huffman';
import type { HeaderField } from './static-table';

/** HTTP/2's default, which we do not change. */
const TABLE_BYTES = 4096;
/** Integers take at most four bytes after the first one. */
const MAX_INTEGER_SHIFT = 21;

export class HpackDecoder {
  private readonly table = new DynamicTable(TABLE_BYTES);

  /** @param maxListBytes largest list of fields, each counted with 32 bytes more than it has */
  constructor(private readonly maxListBytes: number) {}

  /** @throws Http2Error COMPRESSION_ERROR, or ENHANCE_YOUR_CALM above the limit */
  decode(block: Uint8Array): HeaderField[] {
    const fields: HeaderField[] = [];
    const reader = new BlockReader(block);
    let listBytes = 0;
    while (!reader.ended) {
      const first = reader.peek();
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw new Http2Error('COMPRESSION_ERROR', 'a header block changes the table after its first field');
        this.table.resize(reader.integer(5));
        continue;
      }
      const field = this.field(reader, first);
      listBytes += fieldBytes(field);
      if (listBytes > this.maxListBytes) throw new Http2Error('ENHANCE_YOUR_CALM', `a header list of more than ${this.maxListBytes} bytes`);
      fields.push(field);
    }
    return fields;
  }

  private field(reader: BlockReader, first: number): HeaderField {
    if ((first & 0x80) !== 0) return this.table.at(reader.integer(7));
    const indexed = (first & 0x40) !== 0;
    const nameIndex = reader.integer(indexed ? 6 : 4);
    const name = nameIndex === 0 ? reader.string() : this.table.at(nameIndex).name;
    const field = { name, value: reader.string() };
    if (indexed) this.table.add(field);
    return field;
  }
}

class BlockReader {
  private at = 0;

  constructor(private readonly block: Uint8Array) {}

  get ended(): boolean {
    return this.at >= this.block.length;
  }

  peek(): number {
    const byte = this.block[this.at];
    if (byte === undefined) throw new Http2Error('COMPRESSION_ERROR', 'a header block ends within a field');
    return byte;
  }

  /** An integer whose first byte has so many bits for it. */
  integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.peek() & mask;
    this.at++;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (shift > MAX_INTEGER_SHIFT) throw new Http2Error('COMPRESSION_ERROR', 'a header block contains a number that is too large');
      const byte = this.peek();
      this.at++;
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  string(): string {
    const huffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    if (length > this.block.length - this.at) throw new Http2Error('COMPRESSION_ERROR', 'a header block ends within a string');
    const bytes = this.block.subarray(this.at, this.at + length);
    this.at += length;
    return huffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString('latin1');
  }
}
