import { formatFingerprint, type Fingerprint } from '@lockstep/backend';
import type { NumericsFingerprint } from '@lockstep/contract';

/** The fields of the contract's numerics fingerprint. Of the contract its type is enough here: a probe begins sooner without it. */
export type NumericsFields = Omit<NumericsFingerprint, '$typeName' | '$unknown'>;

/** The numerics fingerprint as the contract carries it. */
export const toNumericsFields = (fingerprint: Fingerprint): NumericsFields => ({
  backend: fingerprint.backend, libraryVersion: fingerprint.libraryVersion, cpuInstructionSet: fingerprint.instructionSet,
  mathThreads: fingerprint.mathThreads, mode: fingerprint.mode, canonical: formatFingerprint(fingerprint),
});
