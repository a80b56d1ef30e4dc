import type { DataType as TfjsDataType } from '@tensorflow/tfjs';

/** Numbers of tensorflow.DataType (tensorflow/core/framework/types.proto), for the types that TensorFlow.js knows or that an export needs. */
export const DataType = {
  FLOAT: 1,
  INT32: 3,
  UINT8: 4,
  STRING: 7,
  COMPLEX64: 8,
  INT64: 9,
  BOOL: 10,
} as const;

/** A value of tensorflow.DataType; the addon may report numbers beyond the named ones. */
export type DataTypeNumber = number;

const NUMBER_OF = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  bool: DataType.BOOL,
  complex64: DataType.COMPLEX64,
  string: DataType.STRING,
} as const satisfies Record<TfjsDataType, DataTypeNumber>;

/** TensorFlow's number of a TensorFlow.js dtype. */
export const dataTypeNumber = (dtype: TfjsDataType): DataTypeNumber => NUMBER_OF[dtype];

const NAMES: Readonly<Record<number, string>> = {
  1: 'float32', 3: 'int32', 4: 'uint8', 7: 'string', 8: 'complex64', 9: 'int64', 10: 'bool',
};

/** `float32`, `int64`, ...: for messages and summaries. */
export const dataTypeName = (dtype: DataTypeNumber): string => NAMES[dtype] ?? `DataType ${dtype}`;
