import type { JsonValue } from '../canonical-json';
import { isTensor, type Tf } from '../tfjs';

/** Shapes and types of what a call was given, for its claim: members that hold other data must not go on together. */
export function describeData(tf: Tf, data: unknown): JsonValue {
  if (isTensor(tf, data)) return `${data.dtype}[${data.shape.join(',')}]`;
  if (Array.isArray(data)) return data.map((item: unknown) => describeData(tf, item));
  if (typeof data === 'object' && data !== null) return Object.fromEntries(Object.entries(data).map(([name, item]) => [name, describeData(tf, item)]));
  return typeof data;
}

/** Rows of the first tensor in what a call was given, undefined where there is none. */
export function countRows(tf: Tf, data: unknown): number | undefined {
  if (isTensor(tf, data)) return data.shape[0];
  const first: unknown = typeof data === 'object' && data !== null ? Object.values(data)[0] : undefined;
  return isTensor(tf, first) ? first.shape[0] : undefined;
}
