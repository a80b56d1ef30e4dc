/**
 * Protobuf's text format, without a descriptor: fields by name, in order, with the place where each was written.
 *
 * @see https://protobuf.dev/reference/protobuf/textformat-spec
 */
import { ExamplesError } from '../examples-error';
import { tokenize, type Token } from './text-tokens';

/** A scalar as it was written: whoever reads the field knows what it must be. */
export interface TextScalar {
  readonly kind: 'SCALAR';
  readonly form: 'STRING' | 'NUMBER' | 'IDENTIFIER';
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface TextMessage {
  readonly kind: 'MESSAGE';
  readonly fields: readonly TextField[];
  readonly line: number;
  readonly column: number;
}

export interface TextField {
  readonly name: string;
  readonly value: TextScalar | TextMessage;
}

/** Messages in messages; no schema comes near. */
const MAX_DEPTH = 100;

/** @throws ExamplesError BAD_SCHEMA with file, line and column */
export function parseTextFormat(text: string, file: string): TextMessage {
  const parser = new Parser(tokenize(text, file), file);
  const fields = parser.fields(undefined, 0);
  return { kind: 'MESSAGE', fields, line: 1, column: 1 };
}

/** What is wrong at a place of a schema file. */
export function schemaError(file: string, { line, column }: { readonly line: number; readonly column: number }, problem: string): ExamplesError {
  return new ExamplesError('BAD_SCHEMA', `${file}:${line}:${column}: ${problem}`, { file, line, column });
}

class Parser {
  private next = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly file: string,
  ) {}

  /** Fields up to the closing bracket, or to the end of the text. */
  fields(close: '}' | '>' | undefined, depth: number): TextField[] {
    const fields: TextField[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'END') {
        if (close === undefined) return fields;
        throw schemaError(this.file, token, `the text ends, and a '${close}' is missing`);
      }
      if (close !== undefined && isSymbol(token, close)) {
        this.next++;
        return fields;
      }
      this.field(fields, depth);
      if (isSymbol(this.peek(), ',') || isSymbol(this.peek(), ';')) this.next++;
    }
  }

  private field(fields: TextField[], depth: number): void {
    const name = this.fieldName();
    const colon = isSymbol(this.peek(), ':');
    if (colon) this.next++;
    const start = this.peek();
    if (!isSymbol(start, '[')) {
      fields.push({ name, value: this.value(name, colon, depth) });
      return;
    }
    this.next++;
    for (let first = true; !isSymbol(this.peek(), ']'); first = false) {
      if (!first) this.expect(',', `between the values of ${name}`);
      fields.push({ name, value: this.value(name, colon, depth) });
    }
    this.next++;
  }

  private fieldName(): string {
    const token = this.take();
    if (token.kind === 'IDENTIFIER') return token.text;
    if (!isSymbol(token, '[')) throw schemaError(this.file, token, `expected the name of a field, found ${words(token)}`);
    // An extension or Any: [some.type/name].
    let name = '';
    for (let part = this.take(); !isSymbol(part, ']'); part = this.take()) {
      if (part.kind === 'END') throw schemaError(this.file, part, "the text ends, and a ']' is missing");
      name += part.text;
    }
    return `[${name}]`;
  }

  private value(name: string, colon: boolean, depth: number): TextScalar | TextMessage {
    const token = this.take();
    const { line, column } = token;
    if (isSymbol(token, '{') || isSymbol(token, '<')) {
      if (depth >= MAX_DEPTH) throw schemaError(this.file, token, `more than ${MAX_DEPTH} messages in one another`);
      return { kind: 'MESSAGE', fields: this.fields(token.text === '{' ? '}' : '>', depth + 1), line, column };
    }
    if (!colon) throw schemaError(this.file, token, `expected ':' or '{' after ${name}, found ${words(token)}`);
    switch (token.kind) {
      case 'STRING': {
        let text = token.text;
        for (let more = this.peek(); more.kind === 'STRING'; more = this.peek()) {
          text += more.text;
          this.next++;
        }
        return { kind: 'SCALAR', form: 'STRING', text, line, column };
      }
      case 'NUMBER':
      case 'IDENTIFIER':
        return { kind: 'SCALAR', form: token.kind, text: token.text, line, column };
      case 'SYMBOL': {
        const operand = this.peek();
        if (token.text !== '-' || (operand.kind !== 'NUMBER' && operand.kind !== 'IDENTIFIER')) break;
        this.next++;
        return { kind: 'SCALAR', form: operand.kind, text: `-${operand.text}`, line, column };
      }
      case 'END':
        break;
    }
    throw schemaError(this.file, token, `expected a value for ${name}, found ${words(token)}`);
  }

  private expect(symbol: string, where: string): void {
    const token = this.take();
    if (!isSymbol(token, symbol)) throw schemaError(this.file, token, `expected '${symbol}' ${where}, found ${words(token)}`);
  }

  private peek(): Token {
    const token = this.tokens[this.next] ?? this.tokens[this.tokens.length - 1];
    if (!token) throw new Error('a list of tokens ends with END');
    return token;
  }

  private take(): Token {
    const token = this.peek();
    if (token.kind !== 'END') this.next++;
    return token;
  }
}

const isSymbol = (token: Token, symbol: string): boolean => token.kind === 'SYMBOL' && token.text === symbol;
const words = (token: Token): string => (token.kind === 'END' ? 'the end of the text' : `'${token.text}'`);
