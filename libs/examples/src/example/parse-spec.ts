/** How a feature is stored in a tf.Example, and as what its values are wanted. */
export type FeatureType =
  | { readonly stored: 'float'; readonly dtype: 'float32' }
  /**
   * As int32, the only integers of TensorFlow.js, a value beyond 32 bits is an error; as float32 it is rounded; as int64
   * it is kept, in a BigInt64Array.
   */
  | { readonly stored: 'int64'; readonly dtype: 'int32' | 'float32' | 'int64' }
  | { readonly stored: 'bytes'; readonly dtype: 'string' };

/** A value that stands in for a missing one. */
export type DefaultValue = number | string;

/** One tensor to be made of a feature. */
export type ParseFeature = FeatureType & {
  /** Name of the tensor. */
  readonly name: string;
  /** Name of the feature in the tf.Example. */
  readonly column: string;
} & FeatureLayout;

/** How the values of a row are laid out. */
export type FeatureLayout =
  /**
   * Exactly as many values as the shape holds ([] is one): tf.io.FixedLenFeature. A row without the feature takes the
   * default for each of them, and is an error where there is none.
   */
  | { readonly layout: 'DENSE'; readonly shape: readonly number[]; readonly defaultValue?: DefaultValue | readonly DefaultValue[] }
  /** Up to `width` values a row, filled up with `padding`: tf.sparse.to_dense of a tf.io.VarLenFeature. */
  | { readonly layout: 'PADDED'; readonly width: number; readonly padding: DefaultValue }
  /** Any number of values a row: tf.io.RaggedFeature. */
  | { readonly layout: 'VAR_LEN' };

/** What is parsed of each tf.Example; other features are passed over. */
export type ParseSpec = readonly ParseFeature[];

/** Values of a column, one row after the other. */
export type ColumnValues =
  | { readonly dtype: 'float32'; readonly values: Float32Array }
  | { readonly dtype: 'int32'; readonly values: Int32Array }
  | { readonly dtype: 'int64'; readonly values: BigInt64Array }
  /** Value i is bytes[offsets[i], offsets[i + 1]). */
  | { readonly dtype: 'string'; readonly bytes: Uint8Array; readonly offsets: Uint32Array };

/** A feature of several rows. */
export type Column = ColumnValues & (
  /** Shape of one row; the values of all rows lie one after the other. */
  | { readonly kind: 'DENSE'; readonly rowShape: readonly number[] }
  /** Row i has the values [rowSplits[i], rowSplits[i + 1]). */
  | { readonly kind: 'VAR_LEN'; readonly rowSplits: Uint32Array }
);

/** Parsed rows. */
export interface Columns {
  readonly rowCount: number;
  readonly columns: ReadonlyMap<string, Column>;
}
