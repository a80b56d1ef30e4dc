import { type BackendChoice, type NativeState, chooseBackend } from './choice';
import { readCpu } from './cpu-instruction-set';
import type { Environment } from './environment';
import { gpuModel } from './gpu';
import { loadModule } from './load-module';
import { type NativeReport, readNativeReport } from './native-report';

/** What `lockstep doctor` prints about computing: plain data. */
export interface Diagnosis {
  /** What selectBackend takes in this environment, why, and what would be faster. */
  readonly backend: BackendChoice;
  readonly native: NativeReport;
  readonly versions: { readonly node: string; readonly tfjs: string };
  readonly cpu: { readonly model: string; readonly instructionSet: string };
  /** The first NVIDIA GPU, if the driver knows one. */
  readonly gpu?: string;
}

/**
 * Finds out without loading a backend into this process: a broken addon can kill the process that loads it.
 * @throws BackendError UNKNOWN_BACKEND for a wrong LOCKSTEP_BACKEND, NO_REPORT
 */
export async function diagnose(env: Environment): Promise<Diagnosis> {
  const native = await readNativeReport(env);
  const { addon } = native;
  const state: NativeState = addon.kind === 'present' ? { kind: 'usable' } : { kind: 'unusable', why: addon.problem };
  const gpu = gpuModel();
  return {
    backend: chooseBackend(env, state, process.platform, process.arch),
    native,
    versions: { node: process.version, tfjs: tfjsVersion() },
    cpu: readCpu(),
    ...(gpu === undefined ? {} : { gpu }),
  };
}

function tfjsVersion(): string {
  return loadModule<{ readonly version: string }>('@tensorflow/tfjs-core/package.json').version;
}
