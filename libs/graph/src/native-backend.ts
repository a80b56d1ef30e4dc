/**
 * The part of tfjs-node's backend that recording and exporting stand on (tfjs-node 4.22.0, dist/nodejs_kernel_backend.js
 * and binding/tfjs_backend.cc). Types of our own, because importing tfjs-node loads its addon.
 */
import type * as tfjs from '@tensorflow/tfjs';
import type { DataId, Tensor, TensorInfo } from '@tensorflow/tfjs';
import type { DataTypeNumber } from './data-type';
import { GraphError } from './graph-error';

/** TensorFlow.js as the caller loaded it. */
export type Tf = typeof tfjs;

/** An attribute of an eager call. */
export interface NativeAttr {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** An output of an eager call. Ids are integers, never used twice. */
export interface NativeOutput {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DataTypeNumber;
}

/** Elements of a tensor as the addon takes and gives them; byte strings for DT_STRING. */
export type NativeValues = ArrayBufferView | readonly (Uint8Array | string)[];

/** The addon's functions. Its properties are read-only. */
export interface NativeBinding {
  readonly TF_Version: string;
  /** Kind number of a type attribute in an eager call. */
  readonly TF_ATTR_TYPE: number;
  createTensor(shape: readonly number[], dtype: DataTypeNumber, values: NativeValues): number;
  tensorDataSync(id: number): NativeValues;
  executeOp(op: string, attrs: readonly NativeAttr[], inputs: readonly number[], outputs: number): NativeOutput[];
  loadSavedModel(directory: string, tags: string): number;
  runSavedModel(model: number, inputs: readonly number[], inputNames: string, outputNames: string): NativeOutput[];
  deleteSavedModel(model: number): void;
}

/** tfjs-node's backend object. */
export interface NativeBackend {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: DataId): { readonly dtype: DataTypeNumber; readonly shape: readonly number[] } };
  /** Uploads values that are still in JavaScript, then gives the addon's ids. */
  getInputTensorIds(tensors: readonly TensorInfo[]): number[];
  executeSingleOutput(op: string, attrs: readonly NativeAttr[], inputs: readonly TensorInfo[]): Tensor;
  createOutputTensor(output: NativeOutput): Tensor;
}

/** Whether TensorFlow.js runs on TensorFlow's own library now. */
export function isNativeBackend(backend: unknown): backend is NativeBackend {
  if (typeof backend !== 'object' || backend === null || !('binding' in backend)) return false;
  const { binding } = backend;
  return typeof binding === 'object' && binding !== null && 'executeOp' in binding && 'runSavedModel' in binding;
}

/**
 * The native backend of this TensorFlow.js.
 *
 * @throws GraphError NEEDS_NATIVE_BACKEND, which says how to get one
 */
export function nativeBackend(tf: Tf): NativeBackend {
  const backend: unknown = tf.backend();
  if (isNativeBackend(backend)) return backend;
  throw new GraphError(
    'NEEDS_NATIVE_BACKEND',
    `A SavedModel can only be exported on the native backend, and TensorFlow.js runs on '${tf.getBackend()}'. `
      + 'Run `npm run native` (it needs python3, pip and g++) and do not force another backend with LOCKSTEP_BACKEND; '
      + 'or export the TensorFlow.js layers format, which works on every backend.',
  );
}

/** The addon's id of a tensor's value; uploads it first where that has not happened yet. */
export function handleOf(backend: NativeBackend, tensor: TensorInfo): number {
  const [id] = backend.getInputTensorIds([tensor]);
  if (id === undefined) throw new Error('tfjs-node gave no id for a tensor');
  return id;
}
