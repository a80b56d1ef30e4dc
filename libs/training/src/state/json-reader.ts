import type { JsonValue } from '../canonical-json';
import { StateError } from '../errors';

/** Reads typed values out of JSON; what is missing or of another type is refused with its path. */
export class JsonReader {
  constructor(
    readonly value: JsonValue,
    private readonly path: string,
  ) {}

  field(name: string): JsonReader {
    const value = this.value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.refuse('an object');
    const found = (value as Readonly<Record<string, JsonValue | undefined>>)[name];
    if (found === undefined) throw new StateError('CORRUPT', `the state's ${this.path} has no ${name}`);
    return new JsonReader(found, `${this.path}.${name}`);
  }

  item(index: number): JsonReader {
    const found = Array.isArray(this.value) ? (this.value as readonly (JsonValue | undefined)[])[index] : undefined;
    if (found === undefined) throw this.refuse(`a list with an item ${index}`);
    return new JsonReader(found, `${this.path}[${index}]`);
  }

  list<T>(read: (item: JsonReader) => T): readonly T[] {
    if (!Array.isArray(this.value)) throw this.refuse('a list');
    return (this.value as readonly JsonValue[]).map((item, i) => read(new JsonReader(item, `${this.path}[${i}]`)));
  }

  record<T>(read: (item: JsonReader) => T): Readonly<Record<string, T>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) throw this.refuse('an object');
    return Object.fromEntries(Object.keys(this.value).map((name) => [name, read(this.field(name))]));
  }

  nullable<T>(read: (json: JsonReader) => T): T | null {
    return this.value === null ? null : read(this);
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.refuse('a string');
    return this.value;
  }

  number(): number {
    if (typeof this.value !== 'number') throw this.refuse('a number');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.refuse('true or false');
    return this.value;
  }

  numberBooleanOrNull(): number | boolean | null {
    if (this.value !== null && typeof this.value !== 'number' && typeof this.value !== 'boolean') throw this.refuse('a number, true, false or null');
    return this.value;
  }

  /** A safe integer of at least `minimum`. */
  integer(minimum = Number.MIN_SAFE_INTEGER): number {
    if (typeof this.value !== 'number' || !Number.isSafeInteger(this.value) || this.value < minimum) throw this.refuse('an integer in range');
    return this.value;
  }

  /** An integer from 0 to 2^64 - 1 in decimal digits: a JSON number would lose some of them. */
  uint64(): bigint {
    const digits = this.string();
    if (!/^\d{1,20}$/.test(digits) || BigInt(digits) >= 2n ** 64n) throw this.refuse('an integer of 64 bits in decimal digits');
    return BigInt(digits);
  }

  oneOf<T extends string>(values: readonly T[]): T {
    const found = values.find((value) => value === this.value);
    if (found === undefined) throw this.refuse(`one of ${values.join(', ')}`);
    return found;
  }

  private refuse(expected: string): StateError {
    return new StateError('CORRUPT', `the state's ${this.path} is not ${expected}`);
  }
}
