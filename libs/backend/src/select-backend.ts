import { BackendError } from './backend-error';
import { type BackendName, type NativeState, chooseBackend, forcedBackend, isNativeOptedOut } from './choice';
import { readCpu } from './cpu-instruction-set';
import { type Environment } from './environment';
import { gpuModel } from './gpu';
import { loadCpu } from './load-cpu';
import { type TensorflowLoad, loadTensorflow } from './load-tensorflow';
import { loadWasm, usesSimd } from './load-wasm';
import { checkMathThreads } from './math-threads';
import { type Tfjs, loadTfjs } from './tfjs';

/** A backend that runs. */
export interface SelectedBackend {
  readonly name: BackendName;
  /** The namespace of @tensorflow/tfjs, on this backend; the engine is the process's only one. */
  readonly tf: Tfjs;
  /** Why it is this one: a sentence fragment for logs and `lockstep doctor`. */
  readonly why: string;
  /** What would make training faster; absent when nothing would. */
  readonly faster?: string;
  /** `tfjs 4.22.0, tensorflow 2.21.0` or `tfjs 4.22.0`. */
  readonly libraryVersion: string;
  /** Threads that compute: what was asked for on `tensorflow`, 1 on the others. */
  readonly mathThreads: number;
  /** What computes: the CPU's vector extensions, a GPU's model, `wasm-simd128/x64` or `javascript/x64`. */
  readonly instructionSet: string;
}

/** What the caller decides about the backend. */
export interface BackendOptions {
  /** Threads that TensorFlow may compute with: part of the numerics fingerprint, because another number gives other bits. */
  readonly mathThreads: number;
}

/**
 * Loads the fastest backend that works here: `tensorflow`, else `wasm`, else `cpu`; LOCKSTEP_BACKEND forces one and LOCKSTEP_NATIVE=0
 * rules `tensorflow` out. To be called on a process's main thread before anything imports TensorFlow.js.
 * @param env decides; TensorFlow's own variables are set in process.env, where its library reads them
 * @throws BackendError UNKNOWN_BACKEND, UNAVAILABLE (a forced backend that does not load), INVALID_THREADS, THREADS_ALREADY_FIXED, WRONG_THREAD
 */
export async function selectBackend(env: Environment, { mathThreads }: BackendOptions): Promise<SelectedBackend> {
  checkMathThreads(mathThreads);
  const forced = forcedBackend(env);
  const tensorflow = await tryTensorflow(env, forced, mathThreads);
  if (forced === 'tensorflow' && tensorflow.kind === 'unavailable') {
    throw new BackendError('UNAVAILABLE', `LOCKSTEP_BACKEND=tensorflow, but ${tensorflow.why}; run npm run native, or unset LOCKSTEP_BACKEND`);
  }
  const choice = chooseBackend(env, nativeState(tensorflow), process.platform, process.arch);
  switch (choice.name) {
    case 'tensorflow': return { ...choice, ...describeTensorflow(loadTfjs(), tensorflow, mathThreads) };
    case 'wasm': {
      try {
        return { ...choice, ...describeWasm(await loadWasm()) };
      } catch (error) {
        if (forced === 'wasm' || !(error instanceof Error)) throw error;
        return { ...choice, ...describeCpu(await loadCpu()), name: 'cpu', why: `${choice.why}, and wasm does not load (${error.message})` };
      }
    }
    case 'cpu': return { ...choice, ...describeCpu(await loadCpu()) };
  }
}

/** Not loaded when the environment decides against it: loading starts threads and takes half a second. */
async function tryTensorflow(env: Environment, forced: BackendName | undefined, mathThreads: number): Promise<TensorflowLoad> {
  if (forced === undefined ? isNativeOptedOut(env) : forced !== 'tensorflow') return { kind: 'unavailable', why: 'the environment decides against it' };
  return loadTensorflow(mathThreads);
}

const nativeState = (load: TensorflowLoad): NativeState => load.kind === 'loaded' ? { kind: 'usable' } : { kind: 'unusable', why: load.why };

type Description = Pick<SelectedBackend, 'tf' | 'libraryVersion' | 'mathThreads' | 'instructionSet'> & { readonly faster?: string };

function describeTensorflow(tf: Tfjs, load: TensorflowLoad, mathThreads: number): Description {
  if (load.kind === 'unavailable') throw new BackendError('UNAVAILABLE', load.why);
  const gpu = gpuModel();
  return {
    tf, mathThreads,
    libraryVersion: `tfjs ${tf.version['tfjs-core']}, tensorflow ${load.tensorflowVersion}`,
    instructionSet: load.usesGpu ? `gpu ${gpu ?? 'unknown'}` : readCpu().instructionSet,
    ...(gpu !== undefined && !load.usesGpu ? { faster: `there is a GPU (${gpu}) that is not used: npm run native -- --gpu` } : {}),
  };
}

const describeWasm = (tf: Tfjs): Description => ({
  tf, mathThreads: 1,
  libraryVersion: `tfjs ${tf.version['tfjs-core']}`,
  // WebAssembly's arithmetic is specified to the bit, but XNNPACK probes the host's NaN rules and picks kernels by them.
  instructionSet: `${usesSimd(tf) ? 'wasm-simd128' : 'wasm'}/${process.arch}`,
});

const describeCpu = (tf: Tfjs): Description => ({
  tf, mathThreads: 1,
  libraryVersion: `tfjs ${tf.version['tfjs-core']}`,
  instructionSet: `javascript/${process.arch}`,
});
