import { createHash } from 'node:crypto';
import { encodeCanonicalJson, type JsonValue } from '../canonical-json';
import type { CallExtent, CallKind, PlannedData } from '../runtime';

/** What all members must agree on before a collective call begins. */
export interface CallRequest {
  readonly kind: CallKind;
  /** The call in words, for errors and logs. */
  readonly label: string;
  /** How long it will be, for progress: epochs, and steps of each where they are known. */
  readonly extent?: CallExtent;
  /** What it trains on, where that can be planned: for a ledger. */
  readonly data?: PlannedData;
  /** All that the call's course depends on. */
  readonly arguments: JsonValue;
}

/** SHA-256 of kind and arguments. */
export const claimDigest = (request: CallRequest): Buffer =>
  createHash('sha256').update(encodeCanonicalJson([request.kind, request.arguments])).digest();

/** `fit(epochs=3, batchSize=32)`: what is undefined or null is left out. */
export function callLabel(kind: CallKind, shown: Readonly<Record<string, string | number | null | undefined>>): string {
  const parts = Object.entries(shown).flatMap(([name, value]) => (value == null ? [] : [`${name}=${value}`]));
  return `${kind}(${parts.join(', ')})`;
}
