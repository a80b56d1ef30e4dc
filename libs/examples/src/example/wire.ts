/**
 * The protobuf wire format, as far as tf.Example uses it. A reader never leaves the bytes that it was given.
 *
 * @see https://protobuf.dev/programming-guides/encoding
 */

/** Bytes that are no protobuf message; the caller says of which record. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A position in a message. The last varint lies in two halves, so that 64 bits need no BigInt. */
export class WireReader {
  position = 0;
  end = 0;
  /** Low and high 32 bits of the last varint, signed. */
  low = 0;
  high = 0;

  constructor(public bytes: Uint8Array) {
    this.end = bytes.length;
  }

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
  }

  /** Reads a varint of up to 64 bits into `low` and `high`. @throws WireError */
  varint(): void {
    const { bytes, end } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw new WireError(`a number ends after byte ${end}`);
      const byte = bytes[this.position++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw new WireError(`a number at byte ${this.position - 10} has more than 10 bytes`);
  }

  /** A field's tag: number * 8 + wire type. */
  tag(): number {
    const first = this.bytes[this.position];
    if (first !== undefined && first < 0x80 && this.position < this.end) {
      this.position++;
      return first;
    }
    this.varint();
    if (this.high !== 0) throw new WireError(`a tag before byte ${this.position} is too large`);
    return this.low >>> 0;
  }

  /** Reads a length and gives where the bytes after it end. @throws WireError when they leave the message */
  lengthEnd(): number {
    this.varint();
    const length = this.low >>> 0;
    if (this.high !== 0 || length > this.end - this.position) {
      throw new WireError(`a field of ${this.high === 0 ? length : 'more than 2^32'} bytes at byte ${this.position} leaves its message, which ends at byte ${this.end}`);
    }
    return this.position + length;
  }

  /** Passes over the value of a field that is not known. @throws WireError */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        return this.forward(8);
      case BYTES:
        this.position = this.lengthEnd();
        return;
      case FIXED32:
        return this.forward(4);
      default:
        throw new WireError(`field ${tag >>> 3} before byte ${this.position} has wire type ${tag & 7}, which tf.Example does not use`);
    }
  }

  private forward(size: number): void {
    if (size > this.end - this.position) throw new WireError(`a field of ${size} bytes at byte ${this.position} leaves its message`);
    this.position += size;
  }
}

/** Collects a message's bytes. */
export class WireWriter {
  private buffer = Buffer.alloc(256);
  private length = 0;

  uint(value: number): this {
    this.reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  /** A signed 64-bit integer as a varint. */
  int64(value: number | bigint): this {
    if (typeof value === 'number' && value >= 0) return this.uint(value);
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
    return this;
  }

  float(value: number): this {
    this.reserve(4);
    this.length = this.buffer.writeFloatLE(value, this.length);
    return this;
  }

  /** A field that holds bytes. */
  bytes(field: number, value: Uint8Array): this {
    this.uint(field * 8 + BYTES).uint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.buffer, 0, this.length);
  }

  private reserve(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const grown = Buffer.alloc(Math.max(this.buffer.length * 2, this.length + size));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
