import { ExamplesError } from '../examples-error';

/** A word of protobuf's text format. */
export interface Token {
  readonly kind: 'IDENTIFIER' | 'NUMBER' | 'STRING' | 'SYMBOL' | 'END';
  /** Of a string its value, not what was written. */
  readonly text: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

const SPACE_OR_COMMENT = /(?:\s+|#[^\n]*)+/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?)/y;
const STRING = /"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)'/y;
const SYMBOL = /[{}<>[\]:,;/.-]/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gu;
const NAMED_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"', '?': '?' };

/** @throws ExamplesError BAD_SCHEMA with file, line and column */
export function tokenize(text: string, file: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let line = 1;
  let lineStart = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(text);
  };
  for (;;) {
    const space = match(SPACE_OR_COMMENT)?.[0] ?? '';
    for (let i = space.indexOf('\n'); i >= 0; i = space.indexOf('\n', i + 1)) {
      line++;
      lineStart = position + i + 1;
    }
    position += space.length;
    const place = { line, column: position - lineStart + 1 };
    if (position >= text.length) return [...tokens, { kind: 'END', text: '', ...place }];
    const fail = (problem: string): never => {
      throw new ExamplesError('BAD_SCHEMA', `${file}:${place.line}:${place.column}: ${problem}`, { file, ...place });
    };
    const push = (kind: Token['kind'], written: string, value = written): void => {
      tokens.push({ kind, text: value, ...place });
      position += written.length;
    };
    const string = match(STRING);
    const word = match(IDENTIFIER)?.[0];
    const number = match(NUMBER)?.[0];
    const symbol = match(SYMBOL)?.[0];
    if (string) push('STRING', string[0], unescape(string[1] ?? string[2] ?? '', fail));
    else if (word !== undefined) push('IDENTIFIER', word);
    else if (number !== undefined) push('NUMBER', number);
    else if (symbol !== undefined) push('SYMBOL', symbol);
    else fail(text[position] === '"' || text[position] === "'" ? 'a string does not end on its line' : `unexpected character '${text[position]}'`);
  }
}

/** Bytes that are written one by one (octal, hexadecimal) are UTF-8, as Python's text_format writes it. */
function unescape(written: string, fail: (problem: string) => never): string {
  if (!written.includes('\\')) return written;
  const parts: Buffer[] = [];
  let end = 0;
  for (const match of written.matchAll(ESCAPE)) {
    const [all, hex, octal, short, long, named] = match;
    parts.push(Buffer.from(written.slice(end, match.index), 'utf8'));
    end = match.index + all.length;
    if (hex !== undefined) parts.push(Buffer.from([parseInt(hex, 16)]));
    else if (octal !== undefined) parts.push(Buffer.from([parseInt(octal, 8) & 0xff]));
    else if (short !== undefined || long !== undefined) parts.push(Buffer.from(codePoint(parseInt(short ?? long ?? '', 16), fail), 'utf8'));
    else parts.push(Buffer.from(NAMED_ESCAPES[named ?? ''] ?? fail(`unknown escape \\${named}`), 'utf8'));
  }
  parts.push(Buffer.from(written.slice(end), 'utf8'));
  return Buffer.concat(parts).toString('utf8');
}

const codePoint = (value: number, fail: (problem: string) => never): string => (value <= 0x10ffff ? String.fromCodePoint(value) : fail(`no character has the code ${value}`));
