/**
 * JSON as Python writes it: 1.0 is a float and 1 is not, and a float may be NaN or infinite.
 */
import { SearchError } from '../search-error';

/** A number that Python wrote as a float. */
export class PythonFloat {
  constructor(readonly value: number) {}
}

/** A document; its plain numbers are integers. */
export type PythonJson = null | boolean | number | string | PythonFloat | readonly PythonJson[] | { readonly [key: string]: PythonJson };

/** Stands for a float while JSON.parse is at work; no text that a program writes has a key of this name. */
const FLOAT_KEY = '\u0000float';

/** Strings, which are skipped, and numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * @param source what the text is, for the error, e.g. a file's name
 * @throws {SearchError} MALFORMED_JSON
 */
export function parsePythonJson(text: string, source: string): PythonJson {
  const marked = text.replace(TOKENS, (token) => (token.startsWith('"') || /^-?\d+$/.test(token) ? token : JSON.stringify({ [FLOAT_KEY]: token })));
  try {
    return JSON.parse(marked, (_key, value: unknown) => asFloat(value) ?? value) as PythonJson;
  } catch (error) {
    throw new SearchError('MALFORMED_JSON', [{ field: source, description: `not a JSON document: ${error instanceof Error ? error.message : String(error)}` }]);
  }
}

function asFloat(value: unknown): PythonFloat | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, FLOAT_KEY)) return undefined;
  return new PythonFloat(Number((value as { readonly [key: string]: unknown })[FLOAT_KEY]));
}

/** The text that Python's json.dumps gives for the document. */
export function formatPythonJson(json: PythonJson): string {
  if (json instanceof PythonFloat) return formatFloat(json.value);
  if (typeof json === 'string') return formatText(json);
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  if (isArray(json)) return `[${json.map(formatPythonJson).join(', ')}]`;
  return `{${Object.entries(json).map(([key, value]) => `${formatText(key)}: ${formatPythonJson(value)}`).join(', ')}}`;
}

const isArray = (json: PythonJson): json is readonly PythonJson[] => Array.isArray(json);

const formatText = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Python's repr: the shortest digits that give the number back, an exponent below 1e-4 and from 1e16 on. */
function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const plain = exponent < 0 ? value.toFixed(Math.max(0, digits.replace(/[-.]/g, '').length - 1 - exponent)) : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}
