import { parseSpecOf, type DefaultValue, type ParseFeature, type ParseSpec, type Schema } from '@lockstep/examples';
import { TrainingError } from '../errors';
import type { ResolvedDatasetOptions } from './dataset-options';

/**
 * What is parsed of each example, so that every feature is one tensor whose shape does not depend on the batch: a
 * replica's part of a batch must look like the whole. A feature without shape becomes [rows, width], where width is
 * the schema's value_count.max, or 1; more values are an error.
 *
 * @throws TrainingError BAD_ARGUMENT, ExamplesError UNSUPPORTED_SCHEMA
 */
export function datasetSpec(schema: Schema, options: ResolvedDatasetOptions): ParseSpec {
  const all = new Map(parseSpecOf(schema).map((feature) => [feature.name, feature]));
  const check = (option: string, names: readonly string[]): void => {
    for (const name of names) {
      if (!all.has(name)) throw new TrainingError('BAD_ARGUMENT', `${option} names the feature '${name}', and ${schema.file} describes ${[...all.keys()].join(', ')}`);
    }
  };
  const { labelKey, features = [...all.keys()] } = options;
  const label = labelKey === undefined ? [] : [labelKey];
  check('labelKey', label);
  check('features', features);
  check('dtypes', Object.keys(options.dtypes));
  check('missingValues', Object.keys(options.missingValues));
  const widths = new Map(schema.features.map((feature) => [feature.name, feature.valueCount?.max ?? 1]));
  return [...new Set([...features, ...label])].flatMap((name) => {
    const feature = all.get(name);
    return feature ? [oneTensor(feature, widths.get(feature.column) ?? 1, options)] : [];
  });
}

function oneTensor(feature: ParseFeature, width: number, options: ResolvedDatasetOptions): ParseFeature {
  const typed = narrow(feature, options.dtypes[feature.name]);
  const missing = missingValue(typed, options.missingValues[feature.name]);
  switch (typed.layout) {
    case 'DENSE':
      return missing === undefined ? typed : { ...typed, defaultValue: missing };
    case 'VAR_LEN':
    case 'PADDED':
      return { ...typed, layout: 'PADDED', width, padding: missing ?? (typed.dtype === 'string' ? '' : 0) };
  }
}

function narrow(feature: ParseFeature, dtype: 'int32' | 'float32' | undefined): ParseFeature {
  if (feature.stored === 'int64') return { ...feature, dtype: dtype ?? 'int32' };
  if (dtype !== undefined) throw new TrainingError('BAD_ARGUMENT', `dtypes: feature '${feature.name}' holds ${feature.stored} values: only the type of integers can be chosen`);
  return feature;
}

function missingValue(feature: ParseFeature, value: DefaultValue | undefined): DefaultValue | undefined {
  if (value === undefined) return undefined;
  const wanted = feature.dtype === 'string' ? 'a string' : feature.stored === 'int64' ? 'an integer' : 'a number';
  const fits = feature.dtype === 'string' ? typeof value === 'string' : feature.stored === 'int64' ? Number.isSafeInteger(value) : typeof value === 'number';
  if (!fits) throw new TrainingError('BAD_ARGUMENT', `missingValues: '${value}' cannot stand for a missing value of '${feature.name}', which needs ${wanted}`);
  return value;
}
