import type { Tensor } from '@tensorflow/tfjs-core';

/** The bytes of a numeric tensor, to be read at once: on some backends they are the live values. */
export function bitsOf(tensor: Tensor): Uint8Array {
  const values = tensor.dataSync();
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
