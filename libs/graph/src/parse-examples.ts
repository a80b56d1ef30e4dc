import type { DataType as TfjsDataType } from '@tensorflow/tfjs';
import { DataType, type DataTypeNumber } from './data-type';
import { constantNode, stringConstant, typeAttr, type GraphNode, type TensorValue } from './graph-def';
import { GraphError } from './graph-error';

/** One feature of a tf.Example, of a fixed shape. */
export interface FeatureSpec {
  readonly name: string;
  /** The list of the Example that holds it. An int64 reaches the model as int32, the only integers of TensorFlow.js. */
  readonly dtype: 'float32' | 'int64' | 'string';
  /** Without the batch dimension; [] is one value an example. */
  readonly shape: readonly number[];
  /** For examples that lack the feature: one value for all elements, or all elements in row-major order. Without it the feature is required. */
  readonly default?: FeatureDefault;
}

export type FeatureDefault = number | string | readonly number[] | readonly string[];

const STORED_TYPES: Readonly<Record<FeatureSpec['dtype'], DataTypeNumber>> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
  string: DataType.STRING,
};

/** The dtype that a feature has in TensorFlow.js. */
export function featureDtype(feature: FeatureSpec): TfjsDataType {
  return feature.dtype === 'int64' ? 'int32' : feature.dtype;
}

/**
 * Nodes that parse serialized tf.Examples: a placeholder `<scope>/examples` (string [batch]) and, for feature i,
 * `<scope>/input_i` with its values.
 *
 * @throws GraphError BAD_FEATURES for a default that does not fit
 */
export function parseExamplesNodes(scope: string, features: readonly FeatureSpec[]): readonly GraphNode[] {
  const parse = `${scope}/parse`;
  const none = { kind: 'list(type)', value: [] } as const;
  const defaults = features.map((feature, i) => constantNode(`${parse}/default_${i}`, defaultValue(feature)));
  return [
    { name: `${scope}/examples`, op: 'Placeholder', inputs: [], attrs: { dtype: typeAttr(DataType.STRING), shape: { kind: 'shape', value: [-1] } } },
    stringConstant(`${parse}/names`, [0], []),
    stringConstant(`${parse}/no_keys`, [0], []),
    stringConstant(`${parse}/keys`, [features.length], features.map(({ name }) => name)),
    ...defaults,
    {
      name: parse,
      op: 'ParseExampleV2',
      inputs: [`${scope}/examples`, `${parse}/names`, `${parse}/no_keys`, `${parse}/keys`, `${parse}/no_keys`, ...defaults.map(({ name }) => name)],
      attrs: {
        Tdense: { kind: 'list(type)', value: features.map(({ dtype }) => STORED_TYPES[dtype]) },
        dense_shapes: { kind: 'list(shape)', value: features.map(({ shape }) => shape) },
        num_sparse: { kind: 'int', value: 0 },
        sparse_types: none,
        ragged_value_types: none,
        ragged_split_types: none,
      },
    },
    ...features.map((feature, i): GraphNode => {
      const name = `${scope}/input_${i}`;
      const inputs = [i === 0 ? parse : `${parse}:${i}`];
      if (feature.dtype !== 'int64') return { name, op: 'Identity', inputs, attrs: { T: typeAttr(STORED_TYPES[feature.dtype]) } };
      return { name, op: 'Cast', inputs, attrs: { SrcT: typeAttr(DataType.INT64), DstT: typeAttr(DataType.INT32) } };
    }),
  ];
}

function defaultValue(feature: FeatureSpec): TensorValue {
  const dtype = STORED_TYPES[feature.dtype];
  const count = feature.shape.reduce((product, size) => product * size, 1);
  if (feature.default === undefined) return tensorOf(feature, dtype, [0], []); // ParseExampleV2: an empty default makes it required.
  const given: readonly (number | string)[] = typeof feature.default === 'object' ? feature.default : Array<number | string>(count).fill(feature.default);
  if (given.length !== count) {
    throw new GraphError('BAD_FEATURES', `feature '${feature.name}' has ${count} values an example, and its default has ${given.length}: give one value or ${count}`);
  }
  return tensorOf(feature, dtype, feature.shape, given);
}

function tensorOf(feature: FeatureSpec, dtype: DataTypeNumber, shape: readonly number[], values: readonly (number | string)[]): TensorValue {
  const wrong = (value: number | string): GraphError =>
    new GraphError('BAD_FEATURES', `feature '${feature.name}' is of dtype ${feature.dtype}, and its default has ${JSON.stringify(value)}: give a default of that dtype`);
  const numbers = (): readonly number[] => values.map((value) => {
    if (typeof value !== 'number') throw wrong(value);
    return value;
  });
  switch (feature.dtype) {
    case 'float32':
      return { dtype, shape, values: { kind: 'BYTES', bytes: new Uint8Array(Float32Array.from(numbers()).buffer) } };
    case 'int64': {
      const integers = numbers().map((value) => {
        if (!Number.isSafeInteger(value)) throw wrong(value);
        return BigInt(value);
      });
      return { dtype, shape, values: { kind: 'BYTES', bytes: new Uint8Array(BigInt64Array.from(integers).buffer) } };
    }
    case 'string': {
      const strings = values.map((value) => {
        if (typeof value !== 'string') throw wrong(value);
        return new TextEncoder().encode(value);
      });
      return { dtype, shape, values: { kind: 'STRINGS', strings } };
    }
  }
}
