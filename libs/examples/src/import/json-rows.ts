import { messageOf } from '../examples-error';
import { badRow, MAX_ROW_CHARACTERS, type Cell, type ImportRow } from './import-row';

/** A value as text, with the line on which it starts. */
interface Element {
  readonly text: string;
  readonly line: number;
}

/** Rows of a file with one flat JSON object a line. @throws ExamplesError BAD_ROW */
export async function* jsonLinesRows(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  let line = 1;
  let rest = '';
  for await (const text of decode(bytes)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_ROW_CHARACTERS) throw badRow(file, line + lines.length, `a line of more than ${MAX_ROW_CHARACTERS} characters`);
    for (const whole of lines) {
      if (whole.trim() !== '') yield toRow(file, { text: whole, line });
      line++;
    }
  }
  if (rest.trim() !== '') yield toRow(file, { text: rest, line });
}

/** Rows of a file that holds one array of flat JSON objects. @throws ExamplesError BAD_ROW */
export async function* jsonArrayRows(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<ImportRow> {
  const splitter = new ArraySplitter(file);
  for await (const text of decode(bytes)) for (const element of splitter.push(text)) yield toRow(file, element);
  splitter.end();
}

async function* decode(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Cuts the elements out of an array without holding the whole of it. */
class ArraySplitter {
  private state: 'BEFORE' | 'ELEMENT' | 'AFTER' = 'BEFORE';
  private text = '';
  private line = 1;
  private startLine = 1;
  /** A character of the element has come. */
  private started = false;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private elements = 0;

  constructor(private readonly file: string) {}

  *push(chunk: string): Generator<Element> {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const character = chunk[i] ?? '';
      if (character === '\n') this.line++;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (character === '\\') this.escaped = true;
        else if (character === '"') this.inString = false;
        continue;
      }
      if (character.trim() === '') continue;
      if (this.state !== 'ELEMENT') {
        this.outside(character);
        from = i + 1;
        continue;
      }
      if (this.depth === 0 && (character === ',' || character === ']')) {
        yield* this.finish(this.text + chunk.slice(from, i), character);
        this.text = '';
        this.started = false;
        from = i + 1;
        continue;
      }
      if (!this.started) this.startLine = this.line;
      this.started = true;
      if (character === '"') this.inString = true;
      else if (character === '{' || character === '[') this.depth++;
      else if (character === '}' || character === ']') this.depth--;
    }
    this.text += this.state === 'ELEMENT' ? chunk.slice(from) : '';
    if (this.text.length > MAX_ROW_CHARACTERS) throw badRow(this.file, this.startLine, `a row of more than ${MAX_ROW_CHARACTERS} characters`);
  }

  end(): void {
    if (this.state === 'BEFORE') throw badRow(this.file, this.line, 'the file holds no array of rows: write [{...}, {...}], or one object a line in a .jsonl file');
    if (this.state === 'ELEMENT') throw badRow(this.file, this.line, "the file ends, and the ']' of its array is missing");
  }

  private outside(character: string): void {
    if (this.state === 'AFTER') throw badRow(this.file, this.line, `'${character}' after the end of the array`);
    if (character !== '[') throw badRow(this.file, this.line, `the file must hold an array of rows, [{...}, {...}], and starts with '${character}'; one object a line is read from a .jsonl file`);
    this.state = 'ELEMENT';
  }

  private *finish(text: string, separator: string): Generator<Element> {
    const last = separator === ']';
    if (last) this.state = 'AFTER';
    if (text.trim() === '') {
      if (last && this.elements === 0) return;
      throw badRow(this.file, this.line, `a row is missing before '${separator}'`);
    }
    this.elements++;
    yield { text, line: this.startLine };
  }
}

function toRow(file: string, { text, line }: Element): ImportRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badRow(file, line, `no JSON (${messageOf(cause)})`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRow(file, line, `a row must be an object {"column": value, ...}, not ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}`);
  }
  return { line, cells: new Map(Object.entries(value).map(([column, cell]) => [column, toCell(file, line, column, cell)])) };
}

function toCell(file: string, line: number, column: string, value: unknown): Cell {
  if (column === '') throw badRow(file, line, 'a column has no name');
  if (value === null) return { kind: 'MISSING' };
  if (typeof value === 'string') return { kind: 'STRING', text: value };
  if (typeof value === 'number') return { kind: 'NUMBER', value };
  if (typeof value === 'boolean') return { kind: 'NUMBER', value: value ? 1 : 0 };
  throw badRow(file, line, `column '${column}' holds ${Array.isArray(value) ? 'an array' : 'an object'}, and rows must be flat: numbers, strings, booleans or null`);
}
