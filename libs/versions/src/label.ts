import { quote, type Violation } from './violation';

/** A key with a value, for people and searches. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

export const MAX_LABELS = 64;
export const MAX_LABEL_VALUE_BYTES = 1024;
const KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/;
const IDENTIFIER = /^[A-Za-z](?:[A-Za-z0-9._-]{0,127})$/;
const ROLE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,127})$/;

/** What is wrong with labels; @param field name of the list in the caller's request */
export function labelViolations(labels: readonly Label[], field = 'labels'): readonly Violation[] {
  if (labels.length > MAX_LABELS) return [{ field, description: `${labels.length} labels are more than ${MAX_LABELS}` }];
  const seen = new Set<string>();
  return labels.flatMap(({ key, value }, i): Violation[] => {
    const faults: Violation[] = [];
    if (!KEY.test(key)) {
      faults.push({ field: `${field}[${i}].key`, description: `${quote(key)} is not a key: use letters and digits, with "." "_" "-" "/" between them, at most 128 characters` });
    }
    if (seen.has(key)) faults.push({ field: `${field}[${i}].key`, description: `${quote(key)} is there twice` });
    if (Buffer.byteLength(value, 'utf8') > MAX_LABEL_VALUE_BYTES) {
      faults.push({ field: `${field}[${i}].value`, description: `the value of ${quote(key)} is longer than ${MAX_LABEL_VALUE_BYTES} bytes` });
    }
    seen.add(key);
    return faults;
  });
}

/** Labels in the one order in which they are kept. */
export const sortLabels = (labels: readonly Label[]): readonly Label[] =>
  [...labels].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));

/** What is wrong with the type of an artifact or execution, or undefined. */
export function typeFault(type: string): string | undefined {
  if (type === '') return 'is required, e.g. Model';
  return IDENTIFIER.test(type) ? undefined : `${quote(type)} is not a type: begin with a letter, then letters, digits, "." "_" "-", at most 128 characters`;
}

/** What is wrong with the role of a version in an execution, or undefined. */
export const roleFault = (key: string): string | undefined =>
  ROLE.test(key) ? undefined : `${quote(key)} is not a role: begin with a letter or digit, then also "." "_" "-", at most 128 characters`;
