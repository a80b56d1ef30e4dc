import type { Column, Columns } from '@lockstep/examples';
import { tensor, type Tensor } from '@tensorflow/tfjs-core';

/** Features by name, each [rows, ...shape]; the caller disposes of them. */
export type FeatureTensors = Record<string, Tensor>;

/** Makes one tensor of each column. Strings keep their bytes, whether or not they are UTF-8. */
export function columnTensors({ rowCount, columns }: Columns): FeatureTensors {
  return Object.fromEntries([...columns].map(([name, column]) => [name, columnTensor(name, column, rowCount)]));
}

function columnTensor(name: string, column: Column, rowCount: number): Tensor {
  if (column.kind !== 'DENSE') throw new RangeError(`feature ${name} has rows of different lengths, which no tensor holds`);
  const shape = [rowCount, ...column.rowShape];
  switch (column.dtype) {
    case 'float32':
    case 'int32':
      return tensor(column.values, shape, column.dtype);
    case 'int64':
      throw new RangeError(`feature ${name} was parsed as int64, which TensorFlow.js does not have`);
    case 'string': {
      const { bytes, offsets } = column;
      const values = Array.from({ length: offsets.length - 1 }, (_, i) => bytes.subarray(offsets[i], offsets[i + 1]));
      return tensor(values, shape, 'string');
    }
  }
}
