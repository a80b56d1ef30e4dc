// Numerics fingerprint: what decides the bits of a computation besides its inputs.
//
// Invariants
// 1. Equal fingerprints have equal canonical forms, different ones different forms: values cannot contain what separates them.
// 2. The canonical form names every field, in one order: a field that is added changes every form, on purpose.
import { createHash } from 'node:crypto';
import type { BackendName } from './choice';
import { type Environment, readVariable } from './environment';
import type { SelectedBackend } from './select-backend';

/** Whether a step runs operator by operator or as one recorded graph. */
export type StepMode = 'eager' | 'compiled';

/** What decides bits. Members of a STRICT job have equal ones. */
export interface Fingerprint {
  readonly backend: BackendName;
  /** Versions of TensorFlow.js and TensorFlow. */
  readonly libraryVersion: string;
  /** See SelectedBackend.instructionSet. */
  readonly instructionSet: string;
  readonly mathThreads: number;
  /** oneDNN's switch: `on`, `off`, `default` (TensorFlow decides by the CPU), with a cap on its instruction set if one is set; `none` off TensorFlow. */
  readonly oneDnn: string;
  readonly mode: StepMode;
}

const FIELDS = ['backend', 'libraryVersion', 'instructionSet', 'mathThreads', 'oneDnn', 'mode'] as const satisfies readonly (keyof Fingerprint)[];

/** The fingerprint of a selected backend in a step mode. */
export function fingerprintOf(selected: Omit<SelectedBackend, 'tf' | 'why' | 'faster'>, mode: StepMode, env: Environment): Fingerprint {
  const { name, libraryVersion, instructionSet, mathThreads } = selected;
  return { backend: name, libraryVersion, instructionSet, mathThreads, oneDnn: name === 'tensorflow' ? oneDnnSetting(env) : 'none', mode };
}

function oneDnnSetting(env: Environment): string {
  const value = readVariable(env, 'TF_ENABLE_ONEDNN_OPTS');
  const state = value === undefined ? 'default' : value === '0' || value.toLowerCase() === 'false' ? 'off' : 'on';
  const cap = readVariable(env, 'ONEDNN_MAX_CPU_ISA') ?? readVariable(env, 'DNNL_MAX_CPU_ISA');
  return cap === undefined ? state : `${state} up to ${cap}`;
}

/** One line: `backend=wasm; libraryVersion=tfjs 4.22.0; ...`. What messages carry and compare. */
export const formatFingerprint = (fingerprint: Fingerprint): string =>
  FIELDS.map((field) => `${field}=${String(fingerprint[field]).replace(/[%;=\n]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}`).join('; ');

/** SHA-256 of the canonical form, in hexadecimal. */
export const fingerprintDigest = (fingerprint: Fingerprint): string =>
  createHash('sha256').update(formatFingerprint(fingerprint)).digest('hex');

/** Equal, or the fields that differ with both values: for the error that names them. */
export type FingerprintComparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different'; readonly fields: readonly FingerprintDifference[] };

/** One field that differs. */
export interface FingerprintDifference {
  readonly field: keyof Fingerprint;
  readonly left: string | number;
  readonly right: string | number;
}

/** Compares field by field. */
export function compareFingerprints(left: Fingerprint, right: Fingerprint): FingerprintComparison {
  const fields = FIELDS.filter((field) => left[field] !== right[field]).map((field) => ({ field, left: left[field], right: right[field] }));
  return fields.length === 0 ? { kind: 'equal' } : { kind: 'different', fields };
}

/** `mathThreads (1 against 4), mode (eager against compiled)`: the middle of an error message. */
export const formatDifferences = (differences: readonly FingerprintDifference[]): string =>
  differences.map(({ field, left, right }) => `${field} (${left} against ${right})`).join(', ');
