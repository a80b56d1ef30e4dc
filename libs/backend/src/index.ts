export { BackendError, type BackendErrorReason } from './backend-error';
export { BACKEND_NAMES, type BackendChoice, type BackendName, type NativeState, chooseBackend } from './choice';
export { type Cpu, parseCpuInfo, readCpu } from './cpu-instruction-set';
export { type Diagnosis, diagnose } from './diagnose';
export type { Environment } from './environment';
export {
  type Fingerprint, type FingerprintComparison, type FingerprintDifference, type StepMode,
  compareFingerprints, fingerprintDigest, fingerprintOf, formatDifferences, formatFingerprint,
} from './fingerprint';
export type { Finding, NativeReport } from './native-report';
export { type BackendOptions, type SelectedBackend, selectBackend } from './select-backend';
export { sharedModules } from './shared-modules';
export type { Tfjs } from './tfjs';
