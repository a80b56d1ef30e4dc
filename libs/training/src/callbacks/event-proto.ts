/**
 * tensorflow.Event in the protocol buffers' wire format, as far as scalars need it; the fields are in the order in which
 * TensorFlow writes them.
 *
 * @see tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto
 */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

const DT_FLOAT = 1;
const DATA_CLASS_SCALAR = 1;

/** What every event file begins with: its format, and who writes it. */
export const fileVersionEvent = (wallTimeS: number): Uint8Array =>
  Buffer.concat([double(1, wallTimeS), message(3, Buffer.from('brain.Event:2')), message(10, message(1, Buffer.from('lockstep')))]);

/** A scalar as TensorFlow 2's tf.summary.scalar() writes it. */
export function scalarEvent(wallTimeS: number, { tag, step, value }: { readonly tag: string; readonly step: number; readonly value: number }): Uint8Array {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  const tensor = [integer(1, DT_FLOAT), message(2), message(4, content)];
  const metadata = [message(1, message(1, Buffer.from('scalars'))), integer(4, DATA_CLASS_SCALAR)];
  const summaryValue = message(1, message(1, Buffer.from(tag)), message(8, ...tensor), message(9, ...metadata));
  return Buffer.concat([double(1, wallTimeS), ...(step === 0 ? [] : [integer(2, step)]), message(5, summaryValue)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const key = (field: number, wire: number): Buffer => varint(field * 8 + wire);

const integer = (field: number, value: number): Buffer => Buffer.concat([key(field, VARINT), varint(value)]);

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), bytes]);
}

/** An embedded message, or the bytes of a string. */
function message(field: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([key(field, LENGTH_DELIMITED), varint(body.length), body]);
}
