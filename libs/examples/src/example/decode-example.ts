import { ExamplesError } from '../examples-error';
import type { Example, FeatureValue } from './feature-value';
import { emptyLists, readFeature, readFeatures, readList, type FeatureLists } from './feature-lists';
import { BYTES, FIXED32, VARINT, WireError, WireReader } from './wire';

/**
 * All features of a serialized tf.Example, whatever they are: for tools and tests. Training uses parseExamples.
 *
 * @throws ExamplesError BAD_EXAMPLE
 */
export function decodeExample(bytes: Uint8Array): Example {
  const reader = new WireReader(bytes);
  const text = new TextDecoder();
  const example = new Map<string, FeatureValue>();
  const lists = emptyLists();
  try {
    readFeatures(reader, (nameFrom, nameTo, valueFrom, valueTo) => {
      reader.position = valueFrom;
      readFeature(reader, valueTo, lists);
      example.set(text.decode(bytes.subarray(nameFrom, nameTo)), readValue(reader, lists));
    });
  } catch (cause) {
    if (cause instanceof WireError) throw new ExamplesError('BAD_EXAMPLE', `these ${bytes.length} bytes are no tf.Example: ${cause.message}`, {}, { cause });
    throw cause;
  }
  return example;
}

function readValue(reader: WireReader, lists: FeatureLists): FeatureValue {
  const { bytes } = reader;
  switch (lists.field) {
    case 0:
      return { kind: 'none' };
    case 1: {
      const values: Uint8Array[] = [];
      readList(reader, lists, BYTES, {
        piece: (_reader, end) => {
          values.push(bytes.slice(reader.position, end));
          reader.position = end;
        },
      });
      return { kind: 'bytes', values };
    }
    case 2: {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values: number[] = [];
      readList(reader, lists, FIXED32, {
        piece: (_reader, end, packed) => {
          const last = packed ? end : reader.position + 4;
          if (last > end) throw new WireError(`a float at byte ${reader.position} is cut off`);
          for (; reader.position + 4 <= last; reader.position += 4) values.push(view.getFloat32(reader.position, true));
        },
      });
      return { kind: 'float', values };
    }
    case 3: {
      const values: (number | bigint)[] = [];
      readList(reader, lists, VARINT, {
        piece: (_reader, end, packed) => {
          for (let more = !packed || reader.position < end; more; more = packed && reader.position < end) {
            reader.varint();
            const value = (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
            values.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
          }
        },
      });
      return { kind: 'int64', values };
    }
  }
}
