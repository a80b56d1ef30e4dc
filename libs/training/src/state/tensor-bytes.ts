/** Tensors as bytes of the state: little endian, row-major. All platforms of Node are little endian. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';
import type { StateDtype, StateTensor } from './training-state';

const CONSTRUCTORS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const satisfies Record<StateDtype, unknown>;

const isStateDtype = (dtype: string): dtype is StateDtype => dtype in CONSTRUCTORS;

/** @throws TrainingError (UNSUPPORTED_LAYER) when the tensor has a dtype that a state does not hold */
export function readTensor(name: string, tensor: Tensor): StateTensor {
  const { dtype, shape } = tensor;
  if (!isStateDtype(dtype)) throw new TrainingError('UNSUPPORTED_LAYER', `tensor ${name} has dtype ${dtype}; a state holds float32, int32 and bool`);
  const values = tensor.dataSync();
  // A copy: what the cpu backend returns is the live array.
  const data = Uint8Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return { name, dtype, shape: [...shape], data };
}

/** A tensor that is the caller's to dispose of, also within a tidy. */
export function toTensor(tf: Tf, { data, dtype, shape }: StateTensor): Tensor {
  const copy = Uint8Array.from(data);
  return tf.keep(tf.tensor(new CONSTRUCTORS[dtype](copy.buffer), [...shape], dtype));
}
