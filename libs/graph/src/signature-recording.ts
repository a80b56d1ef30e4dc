import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './native-backend';
import { record } from './recorder';
import type { Recording } from './recording';
import type { SignatureFunction } from './serving-signature';
import type { BatchRecordings } from './unknown-batch';

const BATCH_SIZES = [3, 5, 7] as const;

/**
 * Records a signature's function at three batch sizes and once more at the first.
 *
 * @throws GraphError NEEDS_NATIVE_BACKEND, and whatever the function throws
 */
export function recordSignature(tf: Tf, fn: SignatureFunction): BatchRecordings {
  const at = (batchSize: number): Recording => {
    // Zeros are in every range: a category, an index into an embedding.
    const inputs = fn.inputs.map(({ dtype, rowShape }) => filled(tf, [batchSize, ...rowShape], dtype, () => 0));
    try {
      return record(
        tf,
        inputs.map((tensor, i) => ({ name: fn.inputs[i]?.name ?? `input_${i}`, tensor })),
        () => fn.apply(inputs),
      );
    } finally {
      tf.dispose(inputs);
    }
  };
  const [small, middle, large] = BATCH_SIZES;
  return { batchSizes: BATCH_SIZES, recordings: [at(small), at(middle), at(large)], repeated: at(small) };
}

/** Inputs with which a graph can be compared: floats spread over [0, 1), so that as a category they are 0, and zeros. */
export function sampleInputs(tf: Tf, fn: SignatureFunction, batchSize: number): readonly Tensor[] {
  return fn.inputs.map(({ dtype, rowShape }) => filled(tf, [batchSize, ...rowShape], dtype, (i) => (i * 0.618034) % 1));
}

function filled(tf: Tf, shape: number[], dtype: Tensor['dtype'], valueAt: (index: number) => number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  switch (dtype) {
    case 'float32': return tf.tensor(Float32Array.from({ length: count }, (_, i) => valueAt(i)), shape, dtype);
    case 'int32': return tf.tensor(new Int32Array(count), shape, dtype);
    case 'bool': return tf.tensor(new Uint8Array(count), shape, dtype);
    case 'string': return tf.tensor(Array<string>(count).fill(''), shape, dtype);
    case 'complex64': return tf.complex(tf.zeros(shape), tf.zeros(shape));
  }
}
