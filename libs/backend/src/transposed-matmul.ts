// wasm's matrix product with a transposed operand takes a slow path: a 784-512-512-10 MLP step at batch 128 ran at 1.8 GFLOP/s where a
// plain product runs at 18. Here the operand is transposed first and the plain product does the rest.
// It also mends what tfjs-backend-wasm 4.22.0 gets wrong: its fused product of a transposed operand adds the bias of another column.
//
// Invariants
// 1. The stock kernel is called with both flags false, and on untouched operands when they were false already.
// 2. What is transposed here is disposed here, also when the product throws.
import type { KernelBackend, KernelConfig, KernelFunc, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { Tfjs } from './tfjs';

const PRODUCT_KERNELS = ['BatchMatMul', '_FusedMatMul'] as const;

/** Kernels that this module registered: wrapping twice would look the stock kernel up in vain. */
const wrapped = new WeakSet<KernelFunc>();

/** Replaces wasm's product kernels in `tf` by ones that transpose first. Idempotent. */
export function transposeProductsFirst(tf: Tfjs): void {
  for (const kernelName of PRODUCT_KERNELS) {
    const stock: KernelConfig = tf.getKernel(kernelName, 'wasm');
    if (wrapped.has(stock.kernelFunc)) continue;
    const kernelFunc = transposeFirst(stock.kernelFunc, tf.getKernel('Transpose', 'wasm').kernelFunc);
    wrapped.add(kernelFunc);
    tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ ...stock, kernelFunc });
  }
}

/**
 * A product kernel over `a [..., m, k]` and `b [..., k, n]` (float32) that resolves transposeA and transposeB before `product`
 * sees them.
 */
export function transposeFirst(product: KernelFunc, transpose: KernelFunc): KernelFunc {
  return ({ inputs, backend, attrs }) => {
    const temporary: TensorInfo[] = [];
    const swapLastTwo = (name: 'a' | 'b'): NamedTensorInfoMap => {
      const x = operand(inputs, name);
      const swapped = only(transpose({ inputs: { x }, backend, attrs: { perm: lastTwoSwapped(x.shape.length) } }));
      temporary.push(swapped);
      return { [name]: swapped };
    };
    try {
      return product({
        inputs: {
          ...inputs,
          ...(attrs?.['transposeA'] === true ? swapLastTwo('a') : {}),
          ...(attrs?.['transposeB'] === true ? swapLastTwo('b') : {}),
        },
        backend,
        attrs: { ...attrs, transposeA: false, transposeB: false },
      });
    } finally {
      for (const { dataId } of temporary) (backend as KernelBackend).disposeData(dataId);
    }
  };
}

function lastTwoSwapped(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

function operand(inputs: NamedTensorInfoMap, name: 'a' | 'b'): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`matMul was called without its operand ${name}`);
  return tensor;
}

function only(output: TensorInfo | TensorInfo[]): TensorInfo {
  if (!Array.isArray(output)) return output;
  const [first] = output;
  if (first === undefined) throw new Error('Transpose returned no tensor');
  return first;
}
