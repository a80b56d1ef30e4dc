import { readList, type FeatureLists, type ListTarget } from './feature-lists';
import type { ColumnValues, DefaultValue, FeatureType } from './parse-spec';
import { BYTES, FIXED32, VARINT, WireError, type WireReader } from './wire';

/** An integer that the column's type cannot hold. */
export class ValueOutOfRange extends Error {
  override readonly name = 'ValueOutOfRange';
  constructor(readonly value: bigint) {
    super(`${value} does not fit`);
  }
}

/** A column under construction. */
export interface ValueSink {
  /** Values so far. */
  readonly count: number;
  /** Takes the values of a feature. @throws WireError, ValueOutOfRange */
  append(reader: WireReader, lists: FeatureLists): void;
  appendValue(value: DefaultValue): void;
  /** Takes back all values from `count` on. */
  truncate(count: number): void;
  finish(): ColumnValues;
}

export function createSink(type: FeatureType, expectedValues: number): ValueSink {
  switch (type.stored) {
    case 'float':
      return new FloatSink(expectedValues);
    case 'bytes':
      return new BytesSink(expectedValues);
    case 'int64':
      switch (type.dtype) {
        case 'int32':
          return new IntegerSink(new Int32Array(expectedValues), toInt32, (values) => ({ dtype: 'int32', values }));
        case 'float32':
          return new IntegerSink(new Float32Array(expectedValues), toDouble, (values) => ({ dtype: 'float32', values }));
        case 'int64':
          return new IntegerSink(new BigInt64Array(expectedValues), toBigInt, (values) => ({ dtype: 'int64', values }));
      }
  }
}

type Numbers = Float32Array | Int32Array | BigInt64Array | Uint32Array | Uint8Array;

/** The array, or one twice as large with the same contents. */
function grown<T extends Numbers>(values: T, size: number): T {
  if (size <= values.length) return values;
  // One class on both sides, which the type of set() cannot say for a union of typed arrays.
  const larger = new (values.constructor as new (length: number) => T)(Math.max(size, values.length * 2, 16));
  (larger as Uint8Array).set(values as Uint8Array);
  return larger;
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Shorter lists are copied value by value: making two views costs more. */
const BLOCK_COPY_VALUES = 16;

class FloatSink implements ValueSink, ListTarget {
  count = 0;
  private values: Float32Array;
  private readonly word = new DataView(new ArrayBuffer(4));

  constructor(expectedValues: number) {
    this.values = new Float32Array(expectedValues);
  }

  append(reader: WireReader, lists: FeatureLists): void {
    readList(reader, lists, FIXED32, this);
  }

  piece(reader: WireReader, end: number, packed: boolean): void {
    const from = reader.position;
    const size = packed ? (end - from) >> 2 : 1;
    if (from + size * 4 > end) throw new WireError(`a float at byte ${from} is cut off`);
    this.values = grown(this.values, this.count + size);
    if (LITTLE_ENDIAN && size >= BLOCK_COPY_VALUES) {
      new Uint8Array(this.values.buffer, this.count * 4, size * 4).set(reader.bytes.subarray(from, from + size * 4));
    } else {
      for (let i = 0; i < size; i++) this.values[this.count + i] = this.float(reader.bytes, from + i * 4);
    }
    this.count += size;
    reader.position = from + size * 4;
  }

  appendValue(value: DefaultValue): void {
    this.values = grown(this.values, this.count + 1);
    this.values[this.count++] = Number(value);
  }

  truncate(count: number): void {
    this.count = count;
  }

  finish(): ColumnValues {
    return { dtype: 'float32', values: this.values.slice(0, this.count) };
  }

  private float(bytes: Uint8Array, at: number): number {
    this.word.setUint32(0, (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24));
    return this.word.getFloat32(0);
  }
}

class IntegerSink<T extends Int32Array | Float32Array | BigInt64Array> implements ValueSink, ListTarget {
  count = 0;

  constructor(
    private values: T,
    /** Value of 64 bits in two signed halves. */
    private readonly convert: (low: number, high: number) => T[number],
    private readonly column: (values: T) => ColumnValues,
  ) {}

  append(reader: WireReader, lists: FeatureLists): void {
    readList(reader, lists, VARINT, this);
  }

  piece(reader: WireReader, end: number, packed: boolean): void {
    for (let more = !packed || reader.position < end; more; more = packed && reader.position < end) {
      reader.varint();
      this.push(this.convert(reader.low, reader.high));
    }
  }

  appendValue(value: DefaultValue): void {
    const integer = BigInt(value);
    this.push(this.convert(Number(BigInt.asIntN(32, integer)), Number(integer >> 32n)));
  }

  truncate(count: number): void {
    this.count = count;
  }

  finish(): ColumnValues {
    return this.column(this.values.slice(0, this.count) as T);
  }

  private push(value: T[number]): void {
    this.values = grown(this.values, this.count + 1);
    this.values[this.count++] = value;
  }
}

const toBigInt = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);
const toDouble = (low: number, high: number): number => high * 2 ** 32 + (low >>> 0);
function toInt32(low: number, high: number): number {
  if (high !== low >> 31) throw new ValueOutOfRange(toBigInt(low, high));
  return low;
}

class BytesSink implements ValueSink, ListTarget {
  private bytes: Uint8Array;
  /** Ends of the values, behind a leading 0. */
  private offsets: Uint32Array;
  count = 0;

  constructor(expectedValues: number) {
    this.bytes = new Uint8Array(expectedValues * 16);
    this.offsets = new Uint32Array(expectedValues + 1);
  }

  append(reader: WireReader, lists: FeatureLists): void {
    readList(reader, lists, BYTES, this);
  }

  piece(reader: WireReader, end: number): void {
    this.push(reader.bytes.subarray(reader.position, end));
    reader.position = end;
  }

  appendValue(value: DefaultValue): void {
    this.push(Buffer.from(String(value), 'utf8'));
  }

  truncate(count: number): void {
    this.count = count;
  }

  finish(): ColumnValues {
    return { dtype: 'string', bytes: this.bytes.slice(0, this.offsets[this.count]), offsets: this.offsets.slice(0, this.count + 1) };
  }

  private push(value: Uint8Array): void {
    const from = this.offsets[this.count] ?? 0;
    this.bytes = grown(this.bytes, from + value.length);
    this.bytes.set(value, from);
    this.offsets = grown(this.offsets, this.count + 2);
    this.offsets[++this.count] = from + value.length;
  }
}
