import { ExamplesError } from '../examples-error';
import { KIND_FIELDS, type Example, type FeatureValue } from './feature-value';
import { WireWriter } from './wire';

/**
 * Serializes a tf.Example, features sorted by the bytes of their names: equal examples have equal bytes, those of
 * protobuf's deterministic serialization.
 *
 * @throws ExamplesError OUT_OF_RANGE, WRONG_TYPE naming the feature
 */
export function encodeExample(example: Example): Uint8Array {
  const names = [...example.keys()].map((name) => ({ name, bytes: Buffer.from(name, 'utf8') })).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const features = new WireWriter();
  for (const { name, bytes } of names) {
    const value = example.get(name);
    if (value === undefined) continue;
    const entry = new WireWriter().bytes(1, bytes).bytes(2, encodeFeature(name, value)).finish();
    features.bytes(1, entry);
  }
  return new WireWriter().bytes(1, features.finish()).finish();
}

function encodeFeature(name: string, value: FeatureValue): Uint8Array {
  const writer = new WireWriter();
  switch (value.kind) {
    case 'none':
      return writer.finish();
    case 'bytes': {
      const list = new WireWriter();
      for (const bytes of value.values) list.bytes(1, bytes);
      return writer.bytes(KIND_FIELDS.bytes, list.finish()).finish();
    }
    case 'float': {
      const packed = new WireWriter();
      for (const number of value.values) packed.float(number);
      return writer.bytes(KIND_FIELDS.float, packedList(packed)).finish();
    }
    case 'int64': {
      const packed = new WireWriter();
      for (const integer of value.values) packed.int64(checkInt64(name, integer));
      return writer.bytes(KIND_FIELDS.int64, packedList(packed)).finish();
    }
  }
}

function packedList(packed: WireWriter): Uint8Array {
  const bytes = packed.finish();
  return bytes.length === 0 ? bytes : new WireWriter().bytes(1, bytes).finish();
}

function checkInt64(name: string, value: number | bigint): number | bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new ExamplesError('WRONG_TYPE', `feature ${name} is int64 and has the value ${value}: write it as float`, { feature: name });
  }
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : BigInt.asIntN(64, value) !== value) {
    throw new ExamplesError('OUT_OF_RANGE', `feature ${name} is int64 and cannot hold ${value} exactly: give integers beyond 2^53 as bigint, and none beyond 64 bits`, { feature: name });
  }
  return value;
}
