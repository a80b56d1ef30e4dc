/** Values of one feature of a tf.Example. */
export type FeatureValue =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  /** float32; an encoder rounds. */
  | { readonly kind: 'float'; readonly values: readonly number[] }
  /** A number where it is a safe integer, a bigint beyond. */
  | { readonly kind: 'int64'; readonly values: readonly (number | bigint)[] }
  /** A Feature with no kind set: how TFX writes a missing value. */
  | { readonly kind: 'none' };

/** A tf.Example: its features by name. */
export type Example = ReadonlyMap<string, FeatureValue>;

/** Fields of tf.Feature, which are also the list's kind. */
export const KIND_FIELDS = { bytes: 1, float: 2, int64: 3 } as const;
