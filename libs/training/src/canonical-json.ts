/**
 * JSON with one text per value: keys sorted, no spaces, and every float64 exactly, with -0, NaN and the infinities.
 *
 * 1. Numbers that JSON lacks are the strings `~-0`, `~NaN`, `~Infinity`, `~-Infinity`; a string that starts with `~`
 *    gets one more in front. So decode(encode(x)) is x, bit for bit (NaN has one payload).
 * 2. Finite numbers are in JavaScript's shortest form that reads back to the same bits.
 */

/** What canonical JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const MARK = '~';
const SPECIAL = new Map<string, number>([
  ['~-0', -0],
  ['~NaN', NaN],
  ['~Infinity', Infinity],
  ['~-Infinity', -Infinity],
]);

function encodeNumber(value: number): string {
  if (Object.is(value, -0)) return '"~-0"';
  return Number.isFinite(value) ? String(value) : `"${MARK}${value}"`;
}

/** @throws TypeError for what is not a JsonValue (undefined, functions, bigint, ...), with its path. */
export function encodeCanonicalJson(value: JsonValue, path = '$'): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return encodeNumber(value);
    case 'string':
      return JSON.stringify(value.startsWith(MARK) ? MARK + value : value);
    case 'object': {
      if (isArray(value)) return `[${value.map((item, i) => encodeCanonicalJson(item, `${path}[${i}]`)).join(',')}]`;
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${encodeCanonicalJson(item, `${path}.${key}`)}`).join(',')}}`;
    }
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      throw new TypeError(`${path} is ${typeof value}, which JSON cannot hold`);
  }
}

const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

function decodeValue(value: unknown): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') {
    if (!value.startsWith(MARK)) return value;
    const special = SPECIAL.get(value);
    if (special !== undefined) return special;
    if (value.startsWith(MARK + MARK)) return value.slice(1);
    throw new SyntaxError(`${JSON.stringify(value)} is no canonical string`);
  }
  if (Array.isArray(value)) return value.map(decodeValue);
  // A null prototype, so that a key named __proto__ is a key like any other.
  const result: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  for (const [key, item] of Object.entries(value as object)) result[key] = decodeValue(item);
  return result;
}

/** @throws SyntaxError when the text is not what encodeCanonicalJson writes. */
export const decodeCanonicalJson = (text: string): JsonValue => decodeValue(JSON.parse(text));
