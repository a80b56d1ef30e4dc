/** One value of a parameter. Whether a number is an integer or a float is told by its parameter (`ValueType`). */
export type Value = number | string | boolean;

/** Values by the name of their parameter, active ones only. Names are any text: '/', unicode, '__proto__'. */
export type Values = ReadonlyMap<string, Value>;

/** KerasTuner and its wire tell 1 from 1.0; JavaScript does not. */
export type ValueType = 'INT' | 'FLOAT' | 'STRING' | 'BOOLEAN';

/** The narrowest type that holds all values, or undefined when they are mixed or none. Numbers with one fraction among them are FLOAT. */
export function commonType(values: readonly Value[]): ValueType | undefined {
  if (values.length === 0) return undefined;
  if (values.every((value) => typeof value === 'string')) return 'STRING';
  if (values.every((value) => typeof value === 'boolean')) return 'BOOLEAN';
  if (values.every((value) => typeof value === 'number')) return values.every(Number.isInteger) ? 'INT' : 'FLOAT';
  return undefined;
}

const keys = new WeakMap<Values, string>();

/** A text that two maps share exactly when they hold the same values under the same names, in whatever order. */
export function valuesKey(values: Values): string {
  const known = keys.get(values);
  if (known !== undefined) return known;
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify(sorted.map(([name, value]) => [name, Object.is(value, -0) ? 0 : value]));
  keys.set(values, key);
  return key;
}
