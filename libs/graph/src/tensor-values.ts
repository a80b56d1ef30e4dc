import type { TensorValues } from './graph-def';
import type { NativeValues } from './native-backend';

const encoder = new TextEncoder();

/** A copy of what the addon gives, as a graph holds it. */
export function tensorValues(values: NativeValues): TensorValues {
  if (ArrayBuffer.isView(values)) {
    return { kind: 'BYTES', bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice() };
  }
  return { kind: 'STRINGS', strings: values.map((value) => (typeof value === 'string' ? encoder.encode(value) : Uint8Array.from(value))) };
}

/** Whether two tensors have the same elements, bit for bit. */
export function sameValues(a: TensorValues, b: TensorValues): boolean {
  if (a.kind === 'BYTES' && b.kind === 'BYTES') return Buffer.compare(a.bytes, b.bytes) === 0;
  if (a.kind === 'STRINGS' && b.kind === 'STRINGS') {
    return a.strings.length === b.strings.length && a.strings.every((value, i) => Buffer.compare(value, b.strings[i] ?? new Uint8Array()) === 0);
  }
  return false;
}

/**
 * The one value that all elements have, or undefined when they differ or there are none.
 *
 * @param count the number of elements
 */
export function splatOf(values: TensorValues, count: number): TensorValues | undefined {
  if (count === 0) return undefined;
  switch (values.kind) {
    case 'BYTES': {
      const size = values.bytes.length / count;
      // All elements are equal exactly when the bytes equal themselves moved by one element.
      if (Buffer.compare(values.bytes.subarray(size), values.bytes.subarray(0, -size)) !== 0) return undefined;
      return { kind: 'BYTES', bytes: values.bytes.slice(0, size) };
    }
    case 'STRINGS': {
      const first = values.strings[0];
      if (first === undefined || !values.strings.every((value) => Buffer.compare(value, first) === 0)) return undefined;
      return { kind: 'STRINGS', strings: [first] };
    }
  }
}
