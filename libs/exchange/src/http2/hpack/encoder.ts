/**
 * Fields to header blocks: what the static table has by its index, everything else as a literal that no table keeps.
 * A pull sends two blocks in its life: there is nothing to win, and so no state to share with the peer.
 */
import { STATIC_TABLE, type HeaderField } from './static-table';

export function encodeFields(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.flatMap(({ name, value }) => {
    const whole = STATIC_TABLE.findIndex((field) => field.name === name && field.value === value);
    if (whole >= 0) return [encodeInteger(0x80, 7, whole + 1)];
    const named = STATIC_TABLE.findIndex((field) => field.name === name);
    return [encodeInteger(0x00, 4, named + 1), ...(named < 0 ? [encodeString(name)] : []), encodeString(value)];
  }));
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeInteger(0x00, 7, bytes.length), bytes]);
}

/** @param first bits above the integer in the first byte */
function encodeInteger(first: number, prefixBits: number, value: number): Buffer {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) return Buffer.from([first | value]);
  const bytes = [first | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
