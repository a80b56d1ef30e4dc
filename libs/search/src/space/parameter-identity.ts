import type { Parameter } from './parameter';

/** A text that two parameters share exactly when their names and conditions are the same, in the same order. */
export const identityOf = ({ name, conditions }: Parameter): string =>
  JSON.stringify([name, conditions.map(({ parent, values }) => [parent, values])]);

/** A parameter as an error names it. */
export const describe = ({ name, conditions }: Parameter): string =>
  conditions.length === 0 ? quoted(name) : `${quoted(name)} (under ${conditions.map(({ parent }) => quoted(parent)).join(', ')})`;

const TEXT_SHOWN = 80;

/** Text or a value within a message, cut when it is long. */
export function quoted(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value) ?? 'undefined';
  return text.length <= TEXT_SHOWN ? text : `${text.slice(0, TEXT_SHOWN)}...`;
}
