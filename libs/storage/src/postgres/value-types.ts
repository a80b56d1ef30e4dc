import { TypeOverrides, types } from 'pg';

/** int8 comes as text: it may be larger than a number holds. Nothing of ours is. */
function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds ${text}, which is beyond 2^53`);
  return value;
}

/** As SQLite gives it: a plain Uint8Array, no Buffer. The driver asks for the text form, `\x` and hexadecimal digits. */
const parseBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.slice(2), 'hex'));

/** How values are read: as SQLite's driver gives them, so that the same code runs on both. */
export const valueTypes = new TypeOverrides();
valueTypes.setTypeParser(types.builtins.INT8, parseInteger);
valueTypes.setTypeParser(types.builtins.BYTEA, parseBytes);
