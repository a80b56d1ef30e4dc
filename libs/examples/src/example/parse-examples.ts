/**
 * Parses serialized tf.Examples straight into typed columns, without an object per feature.
 *
 * 1. What is returned is complete: a row that does not fit the spec is an error, and the error names it.
 * 2. A feature that is absent and one with no kind set are both missing; of a feature that comes twice the last counts.
 */
import { ExamplesError, type ExamplesErrorReason } from '../examples-error';
import { emptyLists, readFeature, readFeatures, type FeatureLists } from './feature-lists';
import { KIND_FIELDS } from './feature-value';
import type { Column, Columns, ParseFeature, ParseSpec } from './parse-spec';
import { createSink, ValueOutOfRange, type ValueSink } from './value-sink';
import { WireError, WireReader } from './wire';

/** Where a row came from, for errors. */
export interface RecordOrigin {
  readonly file: string;
  readonly record: number;
}

/** A feature of the spec, while rows are parsed. */
interface Slot {
  readonly feature: ParseFeature;
  readonly nameBytes: Buffer;
  readonly sink: ValueSink;
  readonly rowSplits: number[];
  /** Values before the current row. */
  rowStart: number;
  found: boolean;
}

const KIND_NAMES = ['no kind', 'bytes', 'float', 'int64'] as const;

/** @throws ExamplesError BAD_EXAMPLE, MISSING_FEATURE, WRONG_TYPE, WRONG_LENGTH, OUT_OF_RANGE, with feature, file and record */
export function parseExamples(records: readonly Uint8Array[], spec: ParseSpec, origin: (row: number) => RecordOrigin): Columns {
  const slots = spec.map((feature) => createSlot(feature, records.length));
  const rows = new RowParser(slots);
  records.forEach((record, row) => {
    try {
      rows.parse(record);
    } catch (cause) {
      throw placed(cause, origin(row), record.length);
    }
  });
  return { rowCount: records.length, columns: new Map(slots.map((slot) => [slot.feature.name, toColumn(slot)])) };
}

const product = (shape: readonly number[]): number => shape.reduce((size, dimension) => size * dimension, 1);

function createSlot(feature: ParseFeature, rowCount: number): Slot {
  const perRow = feature.layout === 'DENSE' ? product(feature.shape) : feature.layout === 'PADDED' ? feature.width : 1;
  return { feature, nameBytes: Buffer.from(feature.column, 'utf8'), sink: createSink(feature, rowCount * perRow), rowSplits: [0], rowStart: 0, found: false };
}

function toColumn({ feature, sink, rowSplits }: Slot): Column {
  const values = sink.finish();
  switch (feature.layout) {
    case 'DENSE':
      return { ...values, kind: 'DENSE', rowShape: feature.shape };
    case 'PADDED':
      return { ...values, kind: 'DENSE', rowShape: [feature.width] };
    case 'VAR_LEN':
      return { ...values, kind: 'VAR_LEN', rowSplits: Uint32Array.from(rowSplits) };
  }
}

/** What is wrong with a feature of the row at hand. */
class FeatureProblem extends Error {
  override readonly name = 'FeatureProblem';
  constructor(
    readonly reason: ExamplesErrorReason,
    readonly feature: string,
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

function placed(cause: unknown, { file, record }: RecordOrigin, sizeBytes: number): unknown {
  const where = `record ${record} of ${file}`;
  if (cause instanceof FeatureProblem) {
    return new ExamplesError(cause.reason, `${where}: feature ${cause.feature} ${cause.message}: ${cause.advice}`, { file, record, feature: cause.feature });
  }
  if (cause instanceof WireError) {
    return new ExamplesError('BAD_EXAMPLE', `${where} (${sizeBytes} bytes) is no tf.Example: ${cause.message}: write it again, as tf.Example`, { file, record }, { cause });
  }
  return cause;
}

/** Slots of one feature, found by the hash of its name's bytes: no text is made of the names that come by. */
interface NamedSlots {
  readonly nameBytes: Buffer;
  readonly slots: Slot[];
}

const NO_SLOTS: readonly Slot[] = [];

class RowParser {
  private readonly reader = new WireReader(new Uint8Array(0));
  private readonly lists = emptyLists();
  private readonly byHash = new Map<number, NamedSlots[]>();

  constructor(private readonly slots: readonly Slot[]) {
    for (const slot of slots) {
      const { nameBytes } = slot;
      const hash = hashBytes(nameBytes, 0, nameBytes.length);
      const sameHash = this.byHash.get(hash) ?? [];
      const sameName = sameHash.find((named) => named.nameBytes.equals(nameBytes));
      if (sameName) sameName.slots.push(slot);
      else sameHash.push({ nameBytes, slots: [slot] });
      this.byHash.set(hash, sameHash);
    }
  }

  parse(record: Uint8Array): void {
    this.reader.reset(record);
    for (const slot of this.slots) {
      slot.rowStart = slot.sink.count;
      slot.found = false;
    }
    readFeatures(this.reader, this.takeFeature);
    for (const slot of this.slots) finishRow(slot);
  }

  private readonly takeFeature = (nameFrom: number, nameTo: number, valueFrom: number, valueTo: number): void => {
    const { reader, lists } = this;
    const slots = this.slotsFor(nameFrom, nameTo);
    if (slots.length === 0) return;
    reader.position = valueFrom;
    readFeature(reader, valueTo, lists);
    for (const slot of slots) takeValues(slot, reader, lists);
  };

  private slotsFor(nameFrom: number, nameTo: number): readonly Slot[] {
    const { bytes } = this.reader;
    const candidates = this.byHash.get(hashBytes(bytes, nameFrom, nameTo));
    if (candidates) for (const { nameBytes, slots } of candidates) if (sameBytes(nameBytes, bytes, nameFrom, nameTo)) return slots;
    return NO_SLOTS;
  }
}

/** FNV-1a, 32 bits. */
function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash;
}

function sameBytes(name: Buffer, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

function takeValues(slot: Slot, reader: WireReader, lists: FeatureLists): void {
  const { feature, sink, rowStart } = slot;
  if (slot.found) sink.truncate(rowStart);
  slot.found = lists.field !== 0;
  if (lists.field === 0) return;
  if (lists.field !== KIND_FIELDS[feature.stored]) {
    throw new FeatureProblem('WRONG_TYPE', feature.column, `holds ${KIND_NAMES[lists.field]} values, and the schema wants ${feature.stored}`, 'write the data with the schema\'s type, or correct the schema');
  }
  try {
    sink.append(reader, lists);
  } catch (cause) {
    if (!(cause instanceof ValueOutOfRange)) throw cause;
    throw new FeatureProblem('OUT_OF_RANGE', feature.column, `has the value ${cause.value}, which int32 cannot hold`, 'ask for this feature as float32, or rescale it in the data');
  }
}

function finishRow({ feature, sink, rowSplits, rowStart, found }: Slot): void {
  const count = sink.count - rowStart;
  switch (feature.layout) {
    case 'DENSE': {
      const size = product(feature.shape);
      if (found && count !== size) {
        throw new FeatureProblem('WRONG_LENGTH', feature.column, `has ${count} values, and its shape [${feature.shape.join(', ')}] holds ${size}`, 'correct the data or the shape in the schema');
      }
      if (!found) fillDefault(feature.column, feature.defaultValue, size, sink);
      return;
    }
    case 'PADDED': {
      if (count > feature.width) {
        throw new FeatureProblem('WRONG_LENGTH', feature.column, `has ${count} values, and at most ${feature.width} are read`, 'set value_count.max or a shape for it in the schema');
      }
      for (let i = count; i < feature.width; i++) sink.appendValue(feature.padding);
      return;
    }
    case 'VAR_LEN':
      rowSplits.push(sink.count);
  }
}

function fillDefault(column: string, defaultValue: (ParseFeature & { layout: 'DENSE' })['defaultValue'], size: number, sink: ValueSink): void {
  if (defaultValue === undefined) {
    throw new FeatureProblem('MISSING_FEATURE', column, 'is missing, and the schema requires it', 'give the feature a value in the data, or take its shape out of the schema to make it optional');
  }
  for (let i = 0; i < size; i++) {
    const value = typeof defaultValue === 'object' ? defaultValue[i] : defaultValue;
    if (value === undefined) throw new FeatureProblem('WRONG_LENGTH', column, `has a default of ${i} values for a shape of ${size}`, 'give one value, or as many as the shape holds');
    sink.appendValue(value);
  }
}
