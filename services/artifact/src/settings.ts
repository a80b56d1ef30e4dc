/** A setting that a program takes: `--log-level LEVEL`, or PREFIX_LOG_LEVEL in the environment. */
export interface Setting {
  /** In kebab-case. */
  readonly key: string;
  /** What its value is called in the help. */
  readonly value: string;
  readonly help: string;
  /** What is wrong with a value, or undefined. */
  readonly fault: (value: string) => string | undefined;
}

export interface SettingsProgram {
  readonly program: string;
  readonly environmentPrefix: string;
  readonly settings: readonly Setting[];
  /** By key; every setting has one. */
  readonly defaults: Readonly<Record<string, string>>;
}

export type SettingsResult = { readonly kind: 'VALUES'; readonly values: ReadonlyMap<string, string> } | { readonly kind: 'HELP'; readonly text: string };

/** Settings that cannot be used; the message has one line a fault. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/**
 * Resolves settings: defaults, then the environment, then flags.
 *
 * @throws SettingsError with every fault: unknown names (with the nearest known one), missing and bad values
 */
export function resolveSettings(program: SettingsProgram, args: readonly string[], environment: NodeJS.ProcessEnv): SettingsResult {
  if (args.includes('--help')) return { kind: 'HELP', text: help(program) };
  const { environmentPrefix, settings, defaults } = program;
  const faults: string[] = [];
  const values = new Map(Object.entries(defaults));
  const set = (key: string, value: string, from: string): void => {
    const fault = settings.find((s) => s.key === key)?.fault(value);
    if (fault === undefined) values.set(key, value);
    else faults.push(`${from}: ${JSON.stringify(value)} ${fault}`);
  };
  const nameInEnvironment = (key: string): string => environmentPrefix + key.toUpperCase().replaceAll('-', '_');
  const known = new Map(settings.map((s) => [nameInEnvironment(s.key), s.key]));
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(environmentPrefix) || value === undefined) continue;
    const key = known.get(name);
    if (key === undefined) faults.push(`${name} is not a setting of ${program.program}: did you mean ${nearest(name, [...known.keys()])}?`);
    else set(key, value, name);
  }
  const flags = settings.map((s) => `--${s.key}`);
  for (let i = 0; i < args.length; i++) {
    const [flag = '', inline] = splitFlag(args[i] ?? '');
    if (!flags.includes(flag)) {
      faults.push(`${JSON.stringify(flag)} is not a flag of ${program.program}: did you mean ${nearest(flag, flags)}? --help lists all`);
      // What follows was meant as its value.
      if (inline === undefined && args[i + 1]?.startsWith('--') === false) i++;
      continue;
    }
    const value = inline ?? args[++i];
    if (value === undefined) faults.push(`${flag} needs a value`);
    else set(flag.slice(2), value, flag);
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return { kind: 'VALUES', values };
}

function splitFlag(argument: string): readonly [string, string?] {
  const equals = argument.indexOf('=');
  return equals < 0 ? [argument] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

function help({ program, environmentPrefix, settings, defaults }: SettingsProgram): string {
  const lines = settings.map((s) => `  ${`--${s.key} ${s.value}`.padEnd(24)} ${s.help} (default: ${defaults[s.key] ?? ''})`);
  return [`usage: ${program} [flags]`, '', ...lines, '', `Each can be set in the environment too, e.g. ${environmentPrefix}${(settings[0]?.key ?? '').toUpperCase()}; flags win.`, ''].join('\n');
}

/** The candidate that is the fewest edits away. */
function nearest(name: string, candidates: readonly string[]): string {
  const [best] = [...candidates].sort((a, b) => editDistance(name, a) - editDistance(name, b));
  return best ?? '';
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1])));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
