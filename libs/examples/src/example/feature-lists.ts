import { KIND_FIELDS } from './feature-value';
import { BYTES, WireError, type WireReader } from './wire';

/** What a serialized tf.Feature holds: one of the lists, or nothing. */
export type ListField = 0 | 1 | 2 | 3;

/**
 * Where the values of a feature lie. A serializer writes one list, in one piece; the pieces of others are merged as
 * protobuf says: those of a kind are joined, and the last kind wins.
 */
export interface FeatureLists {
  field: ListField;
  /** Start and end of each piece; of these the first `spanEnd` values count. */
  readonly spans: number[];
  spanEnd: number;
}

export const emptyLists = (): FeatureLists => ({ field: 0, spans: [], spanEnd: 0 });

/** Takes the values of a list. An object rather than a function, so that none is made for every feature of every row. */
export interface ListTarget {
  /**
   * Takes what lies from the reader's position on and leaves it behind the last byte: all values up to `end` of a packed
   * field, else one value, which for bytes ends at `end`.
   */
  piece(reader: WireReader, end: number, packed: boolean): void;
}

const isListField = (field: number): field is 1 | 2 | 3 => field === KIND_FIELDS.bytes || field === KIND_FIELDS.float || field === KIND_FIELDS.int64;

/** Reads the tf.Feature that ends at `end`. @throws WireError */
export function readFeature(reader: WireReader, end: number, into: FeatureLists): void {
  const outer = reader.end;
  reader.end = end;
  into.field = 0;
  into.spanEnd = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (!isListField(field) || (tag & 7) !== BYTES) {
      reader.skip(tag);
      continue;
    }
    if (into.field !== field) into.spanEnd = 0;
    into.field = field;
    const listEnd = reader.lengthEnd();
    into.spans[into.spanEnd++] = reader.position;
    into.spans[into.spanEnd++] = listEnd;
    reader.position = listEnd;
  }
  reader.end = outer;
}

/**
 * Hands on each piece of a list: the whole of a packed field, or one value. Elements have field number 1.
 *
 * @param unpackedType wire type of a single value; BYTES for a list of bytes, which is never packed
 * @throws WireError
 */
export function readList(reader: WireReader, { spans, spanEnd }: FeatureLists, unpackedType: number, target: ListTarget): void {
  const outer = reader.end;
  for (let i = 0; i < spanEnd; i += 2) {
    reader.position = spans[i] ?? 0;
    reader.end = spans[i + 1] ?? 0;
    while (reader.position < reader.end) {
      const tag = reader.tag();
      if (tag === 8 + BYTES) {
        const end = reader.lengthEnd();
        target.piece(reader, end, unpackedType !== BYTES);
        if (reader.position !== end) throw new WireError(`a packed list does not end at byte ${end}`);
      } else if (tag === 8 + unpackedType) target.piece(reader, reader.end, false);
      else reader.skip(tag);
    }
  }
  reader.end = outer;
}

/**
 * Calls back with the name's and the value's place of every feature of a serialized tf.Example. A name may come twice:
 * the last one counts.
 *
 * @throws WireError
 */
export function readFeatures(reader: WireReader, feature: (nameFrom: number, nameTo: number, valueFrom: number, valueTo: number) => void): void {
  const exampleEnd = reader.end;
  while (reader.position < exampleEnd) {
    const exampleTag = reader.tag();
    if (exampleTag !== 8 + BYTES) {
      reader.skip(exampleTag);
      continue;
    }
    const featuresEnd = reader.lengthEnd();
    reader.end = featuresEnd;
    while (reader.position < featuresEnd) {
      const featuresTag = reader.tag();
      if (featuresTag !== 8 + BYTES) {
        reader.skip(featuresTag);
        continue;
      }
      const entryEnd = reader.lengthEnd();
      reader.end = entryEnd;
      let nameFrom = 0;
      let nameTo = 0;
      let valueFrom = entryEnd;
      let valueTo = entryEnd;
      while (reader.position < entryEnd) {
        const tag = reader.tag();
        if (tag === 8 + BYTES) {
          nameTo = reader.lengthEnd();
          nameFrom = reader.position;
          reader.position = nameTo;
        } else if (tag === 16 + BYTES) {
          valueTo = reader.lengthEnd();
          valueFrom = reader.position;
          reader.position = valueTo;
        } else reader.skip(tag);
      }
      feature(nameFrom, nameTo, valueFrom, valueTo);
      reader.position = entryEnd;
      reader.end = featuresEnd;
    }
    reader.end = exampleEnd;
  }
}
