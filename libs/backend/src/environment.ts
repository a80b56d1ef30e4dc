/** Environment variables as Node hands them out; an argument, so that tests choose it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable, where an empty one counts as not set. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}
