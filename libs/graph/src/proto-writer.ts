/**
 * Writes protocol buffers (proto3 wire format, https://protobuf.dev/programming-guides/encoding).
 *
 * 1. Bytes are a function of the calls alone: fields come out in the order in which they were written.
 * 2. Large byte arrays are kept by reference until `finish`, so a weight is copied once.
 */
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;
const encoder = new TextEncoder();

export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];
  private sizeBytes = 0;

  /** An int32, int64, enum or bool field; negative values take ten bytes as the format says. */
  int(field: number, value: number): this {
    this.tag(field, WIRE_VARINT);
    return this.varint(value);
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0);
  }

  float(field: number, value: number): this {
    this.tag(field, WIRE_FIXED32);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.push(bytes);
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.tag(field, WIRE_BYTES);
    this.varint(value.length);
    return this.push(value);
  }

  /** An embedded message. */
  message(field: number, value: ProtoWriter): this {
    this.tag(field, WIRE_BYTES);
    this.varint(value.sizeBytes);
    for (const chunk of value.chunks) this.push(chunk);
    return this;
  }

  /** A map<string, message> field, its entries sorted by key in code-unit order. */
  map<T>(field: number, entries: Readonly<Record<string, T>>, write: (value: T) => ProtoWriter): this {
    for (const [key, value] of sortedEntries(entries)) {
      this.message(field, new ProtoWriter().string(1, key).message(2, write(value)));
    }
    return this;
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.sizeBytes);
    let offset = 0;
    for (const chunk of this.chunks) {
      out.set(chunk, offset);
      offset += chunk.length;
    }
    return out;
  }

  private tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  private varint(value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer that a varint field can hold exactly`);
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    return this.push(Uint8Array.from(bytes));
  }

  private push(chunk: Uint8Array): this {
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
    return this;
  }
}

/** Entries of a record in code-unit order of their keys: the same on every machine and in every locale. */
export function sortedEntries<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
