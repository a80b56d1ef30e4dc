/** What a schema says of a feature, as far as it decides how the feature is parsed (tensorflow_metadata's schema.proto). */
export interface SchemaFeature {
  readonly name: string;
  readonly type: 'FLOAT' | 'INT' | 'BYTES';
  /** Fixed shape of a row; [] is a scalar. Undefined where none is set. */
  readonly shape?: readonly number[];
  /** Number of values of a row that has the feature. */
  readonly valueCount?: { readonly min?: number; readonly max?: number };
  /** Part of the rows that have the feature, and their number. */
  readonly presence?: { readonly minFraction?: number; readonly minCount?: number };
  /** Deprecated, planned, alpha or for debugging: not parsed. */
  readonly disabled: boolean;
}

/** How a tensor is made of features, said explicitly: tensor_representation_group[""]. */
export type TensorRepresentation =
  | { readonly kind: 'DENSE'; readonly column: string; readonly shape: readonly number[]; readonly defaultValue?: number | string }
  | { readonly kind: 'VAR_LEN_SPARSE'; readonly column: string }
  | { readonly kind: 'RAGGED'; readonly column: string; readonly partitions: number }
  | { readonly kind: 'SPARSE' };

export interface Schema {
  /** Where the schema was read from, for errors. */
  readonly file: string;
  readonly features: readonly SchemaFeature[];
  /** Names of the sparse features, which are not parsed here. */
  readonly sparseFeatures: readonly string[];
  /** Features without a shape become ragged rather than sparse tensors. */
  readonly representVariableLengthAsRagged: boolean;
  readonly tensorRepresentations: ReadonlyMap<string, TensorRepresentation>;
}
