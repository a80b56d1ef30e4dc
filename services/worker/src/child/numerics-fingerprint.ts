import { create } from '@bufbuild/protobuf';
import { formatFingerprint, type Fingerprint } from '@lockstep/backend';
import { NumericsFingerprintSchema, type NumericsFingerprint } from '@lockstep/contract';

/** The numerics fingerprint as the contract carries it. */
export function toNumericsFingerprint(fingerprint: Fingerprint): NumericsFingerprint {
  return create(NumericsFingerprintSchema, {
    backend: fingerprint.backend, libraryVersion: fingerprint.libraryVersion, cpuInstructionSet: fingerprint.instructionSet,
    mathThreads: fingerprint.mathThreads, mode: fingerprint.mode, canonical: formatFingerprint(fingerprint),
  });
}
