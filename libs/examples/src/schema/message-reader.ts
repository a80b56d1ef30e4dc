import { schemaError, type TextMessage, type TextScalar } from './text-format';

/** Reads the fields of a message by name and type. Fields that nobody asks for are passed over. */
export class MessageReader {
  constructor(
    readonly message: TextMessage,
    private readonly file: string,
  ) {}

  /** All messages of a repeated field. */
  messages(name: string): readonly MessageReader[] {
    return this.values(name).map((value) => {
      if (value.kind !== 'MESSAGE') throw schemaError(this.file, value, `${name} must be a message: ${name} { ... }`);
      return new MessageReader(value, this.file);
    });
  }

  /** The message of a field, the last one if it is written twice. */
  message1(name: string): MessageReader | undefined {
    return this.messages(name).at(-1);
  }

  string(name: string): string | undefined {
    return this.scalar(name, 'a string', ({ form, text }) => (form === 'STRING' ? text : undefined));
  }

  strings(name: string): readonly string[] {
    return this.values(name).map((value) => {
      if (value.kind !== 'SCALAR' || value.form !== 'STRING') throw schemaError(this.file, value, `${name} must be a string`);
      return value.text;
    });
  }

  number(name: string): number | undefined {
    return this.scalar(name, 'a number', readNumber);
  }

  integer(name: string): number | undefined {
    return this.scalar(name, 'an integer', (scalar) => {
      const value = readNumber(scalar);
      return Number.isSafeInteger(value) ? value : undefined;
    });
  }

  boolean(name: string): boolean | undefined {
    return this.scalar(name, 'true or false', ({ text }) => (['true', 'True', 't', '1'].includes(text) ? true : ['false', 'False', 'f', '0'].includes(text) ? false : undefined));
  }

  /** One of an enum's names, or its number. */
  choice<T extends string>(name: string, choices: Readonly<Record<number, T>>): T | undefined {
    const names = Object.values(choices);
    return this.scalar(name, `one of ${names.join(', ')}`, ({ form, text }) => (form === 'NUMBER' ? choices[Number(text)] : names.find((choice) => choice === text)));
  }

  /** @throws ExamplesError BAD_SCHEMA */
  fail(problem: string): never {
    throw schemaError(this.file, this.message, problem);
  }

  private values(name: string) {
    return this.message.fields.filter((field) => field.name === name).map((field) => field.value);
  }

  private scalar<T>(name: string, wanted: string, read: (scalar: TextScalar) => T | undefined): T | undefined {
    const value = this.values(name).at(-1);
    if (value === undefined) return undefined;
    const result = value.kind === 'SCALAR' ? read(value) : undefined;
    if (result === undefined) throw schemaError(this.file, value, `${name} must be ${wanted}, not ${value.kind === 'SCALAR' ? `'${value.text}'` : 'a message'}`);
    return result;
  }
}

function readNumber({ form, text }: TextScalar): number | undefined {
  const unsigned = text.replace(/^-/, '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (form === 'IDENTIFIER') return /^inf(inity)?$/i.test(unsigned) ? sign * Infinity : /^nan$/i.test(unsigned) ? NaN : undefined;
  if (form !== 'NUMBER') return undefined;
  if (/^0[xX]/.test(unsigned)) return sign * parseInt(unsigned, 16);
  if (/^0[0-7]+$/.test(unsigned)) return sign * parseInt(unsigned, 8);
  return sign * Number(unsigned.replace(/[fF]$/, ''));
}
