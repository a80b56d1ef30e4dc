import { TrainingError } from './errors';

/** What a number must be. */
interface NumberRule {
  readonly minimum?: number;
  readonly maximum?: number;
  /** Excluded. */
  readonly above?: number;
  /** Excluded. */
  readonly below?: number;
  readonly integer?: boolean;
}

/**
 * Reads the options that a module gives, whose types only TypeScript checks. An option that is missing, or undefined, has its default.
 * All methods throw TrainingError (BAD_ARGUMENT).
 */
export class OptionReader<O extends object> {
  private readonly values: Readonly<Record<string, unknown>>;

  /**
   * @param owner what is called with the options, for errors: `earlyStopping()`
   * @param names all options that there are: another name is refused
   */
  constructor(
    private readonly owner: string,
    options: O,
    names: readonly (keyof O & string)[],
  ) {
    if (typeof options !== 'object' || options === null) throw this.refuse(`the options must be an object, got ${describe(options)}`);
    this.values = options as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(options).find((name) => !names.some((known) => known === name));
    if (unknown !== undefined) throw this.refuse(`there is no option ${unknown}; there are ${names.join(', ')}`);
  }

  string(name: keyof O & string, byDefault?: string): string {
    const value = this.values[name] ?? byDefault;
    if (typeof value !== 'string' || value === '') throw this.wrong(name, 'a string that is not empty');
    return value;
  }

  boolean(name: keyof O & string, byDefault = false): boolean {
    const value = this.values[name] ?? byDefault;
    if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
    return value;
  }

  /** @returns a number that is not NaN. An option without a default must be there */
  number(name: keyof O & string, byDefault?: number, rule: NumberRule = {}): number {
    const value = this.values[name] ?? byDefault;
    if (!fits(value, rule)) throw this.wrong(name, ruleInWords(rule));
    return value;
  }

  /** @returns null when the option is missing */
  optionalNumber(name: keyof O & string, rule: NumberRule = {}): number | null {
    return this.values[name] == null ? null : this.number(name, undefined, rule);
  }

  oneOf<T extends string>(name: keyof O & string, choices: readonly T[], byDefault: T): T {
    const value = this.values[name] ?? byDefault;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.wrong(name, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`);
    return found;
  }

  /** One of the words, or a number of batches. */
  wordOrCount<T extends string>(name: keyof O & string, words: readonly T[], byDefault: T): T | number {
    const value = this.values[name] ?? byDefault;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    if (!fits(value, { minimum: 1, integer: true })) throw this.wrong(name, `${words.map((word) => `'${word}'`).join(', ')} or a number of batches`);
    return value;
  }

  wrong(name: keyof O & string, expected: string): TrainingError {
    return this.refuse(`${name} must be ${expected}, got ${describe(this.values[name])}`);
  }

  refuse(what: string): TrainingError {
    return new TrainingError('BAD_ARGUMENT', `${this.owner}: ${what}`);
  }
}

function fits(value: unknown, { minimum = -Infinity, maximum = Infinity, above = -Infinity, below = Infinity, integer = false }: NumberRule): value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  if (integer && !Number.isSafeInteger(value)) return false;
  return value >= minimum && value <= maximum && (value > above || above === -Infinity) && (value < below || below === Infinity);
}

function ruleInWords({ minimum, maximum, above, below, integer = false }: NumberRule): string {
  const limits = [
    ...(minimum === undefined ? [] : [`of at least ${minimum}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(maximum === undefined ? [] : [`of at most ${maximum}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return [integer ? 'an integer' : 'a number', limits.join(' and ')].filter((part) => part !== '').join(' ');
}

const describe = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : typeof value === 'number' || typeof value === 'boolean' || value == null ? String(value) : typeof value;
