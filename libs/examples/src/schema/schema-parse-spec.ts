import { ExamplesError } from '../examples-error';
import type { FeatureType, ParseFeature, ParseSpec } from '../example/parse-spec';
import type { Schema, SchemaFeature } from './schema';

/** The stored type of each schema type, and the dtype that it has by itself. */
const TYPES: Readonly<Record<SchemaFeature['type'], FeatureType>> = {
  FLOAT: { stored: 'float', dtype: 'float32' },
  INT: { stored: 'int64', dtype: 'int64' },
  BYTES: { stored: 'bytes', dtype: 'string' },
};

/**
 * How TFX parses the examples that a schema describes (tfx_bsl, tensor_representation_util): a feature with a shape is
 * dense and required, one without has any number of values; an explicit tensor representation wins, and replaces the
 * features that it is made of. int64 stays int64: the caller narrows it.
 *
 * @throws ExamplesError UNSUPPORTED_SCHEMA naming the feature
 */
export function parseSpecOf(schema: Schema): ParseSpec {
  const byName = new Map(schema.features.map((feature) => [feature.name, feature]));
  const explicit = [...schema.tensorRepresentations].map(([name, representation]): ParseFeature => {
    const refuse = (problem: string): ExamplesError => unsupported(schema, name, problem);
    if (representation.kind === 'SPARSE') throw refuse('is a sparse_tensor, which is not parsed: make it a dense_tensor or a varlen_sparse_tensor');
    const feature = byName.get(representation.column);
    if (!feature) throw refuse(`is made of the feature '${representation.column}', which the schema does not describe: add it`);
    const type = TYPES[feature.type];
    const common = { ...type, name, column: representation.column };
    switch (representation.kind) {
      case 'DENSE': {
        const { shape, defaultValue } = representation;
        if (defaultValue !== undefined && (typeof defaultValue === 'string') !== (type.dtype === 'string')) {
          throw refuse(`has a default of another type than its feature '${representation.column}': give it a ${type.stored} value`);
        }
        return { ...common, layout: 'DENSE', shape, ...(defaultValue !== undefined && { defaultValue }) };
      }
      case 'VAR_LEN_SPARSE':
        return { ...common, layout: 'VAR_LEN' };
      case 'RAGGED':
        if (representation.partitions > 0) throw refuse('is a ragged_tensor with partitions, which are not parsed: take them out');
        return { ...common, layout: 'VAR_LEN' };
    }
  });
  if (schema.sparseFeatures.length > 0) throw unsupported(schema, schema.sparseFeatures[0] ?? '', 'is a sparse_feature, which is not parsed: take it out of the schema');
  const used = new Set(explicit.flatMap(({ name, column }) => [name, column]));
  const inferred = schema.features.filter((feature) => !feature.disabled && !used.has(feature.name)).map((feature): ParseFeature => {
    const common = { ...TYPES[feature.type], name: feature.name, column: feature.name };
    if (feature.shape === undefined) return { ...common, layout: 'VAR_LEN' };
    if (feature.presence?.minFraction !== 1) {
      throw unsupported(schema, feature.name, `has a shape and presence.min_fraction ${feature.presence?.minFraction ?? 'unset'}: set it to 1, or say value_count rather than shape`);
    }
    return { ...common, layout: 'DENSE', shape: feature.shape };
  });
  return [...explicit, ...inferred];
}

const unsupported = (schema: Schema, feature: string, problem: string): ExamplesError =>
  new ExamplesError('UNSUPPORTED_SCHEMA', `${schema.file}: '${feature}' ${problem}`, { file: schema.file, feature });
