import { KERNEL_BASE64 } from './kernel-binary';

/** Arithmetic inside the arena. Addresses and lengths are in bytes. */
export interface Kernel {
  /** target[i] = left[i] + right[i] over float32 elements; the target may be one of the operands. */
  add(target: number, left: number, right: number, bytes: number): void;
  copy(target: number, source: number, bytes: number): void;
}

/** Compiles the kernel over a memory. */
export function instantiateKernel(memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64')), { arena: { memory } });
  const add = exports['add'];
  const copy = exports['copy'];
  if (!isFunction(add) || !isFunction(copy)) throw new Error('the kernel exports no add and copy: run kernel/generate.mjs');
  return { add, copy };
}

const isFunction = (value: unknown): value is (...args: number[]) => void => typeof value === 'function';
