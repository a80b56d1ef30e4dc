import { Http2Error } from '../http2-error';
import { STATIC_TABLE, type HeaderField } from './static-table';

/** What a field counts beside its bytes (RFC 7541, section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

/** Size of a field in tables and lists. */
export const fieldBytes = ({ name, value }: HeaderField): number => name.length + value.length + ENTRY_OVERHEAD_BYTES;

/** Static and dynamic table under one numbering (RFC 7541, section 2.3). */
export class DynamicTable {
  /** Newest first. */
  private readonly entries: HeaderField[] = [];
  private usedBytes = 0;
  private limitBytes: number;

  /** @param maxBytes largest size that the encoder may choose */
  constructor(private readonly maxBytes: number) {
    this.limitBytes = maxBytes;
  }

  /** @throws Http2Error COMPRESSION_ERROR when there is no such field */
  at(index: number): HeaderField {
    const field = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.entries[index - STATIC_TABLE.length - 1];
    if (!field) throw new Http2Error('COMPRESSION_ERROR', `a header block names field ${index}; the tables have ${STATIC_TABLE.length + this.entries.length}`);
    return field;
  }

  /** Adds a field; one that is larger than the table empties it. */
  add(field: HeaderField): void {
    const bytes = fieldBytes(field);
    this.evict(this.limitBytes - bytes);
    if (bytes > this.limitBytes) return;
    this.entries.unshift(field);
    this.usedBytes += bytes;
  }

  resize(bytes: number): void {
    if (bytes > this.maxBytes) throw new Http2Error('COMPRESSION_ERROR', `a header block sets its table to ${bytes} bytes; the limit is ${this.maxBytes}`);
    this.limitBytes = bytes;
    this.evict(bytes);
  }

  private evict(downTo: number): void {
    while (this.usedBytes > downTo) {
      const oldest = this.entries.pop();
      if (!oldest) return;
      this.usedBytes -= fieldBytes(oldest);
    }
  }
}
