import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Tensor } from '@tensorflow/tfjs-core';
import { readsAreCopies, type Tf } from '../tfjs';

/**
 * Copies tensors out of the backend into memory of the caller's.
 *
 * tfjs-node gives every read a new ArrayBuffer. V8 counts those, and a model's gradients in every step make it collect
 * the whole heap several times a second, on all cores. So a buffer that nobody else has goes back at once: it is moved
 * into a message that a closed port drops.
 */
export class ReadOut {
  private readonly sink: MessagePort;

  constructor(private readonly tf: Tf) {
    const { port1 } = new MessageChannel();
    port1.close();
    this.sink = port1;
  }

  /** Writes a float32 tensor's values to `target`, from `offset` on. */
  copy(tensor: Tensor, target: Float32Array, offset: number): void {
    const ours = readsAreCopies(this.tf, tensor);
    const values = tensor.dataSync<'float32'>();
    target.set(values, offset);
    if (ours && values.buffer instanceof ArrayBuffer) this.sink.postMessage(null, [values.buffer]);
  }
}
