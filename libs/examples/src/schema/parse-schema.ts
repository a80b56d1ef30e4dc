import { readFile } from 'node:fs/promises';
import { fileError } from '../examples-error';
import { MessageReader } from './message-reader';
import type { Schema, SchemaFeature, TensorRepresentation } from './schema';
import { parseTextFormat } from './text-format';

const FEATURE_TYPES = { 0: 'TYPE_UNKNOWN', 1: 'BYTES', 2: 'INT', 3: 'FLOAT', 4: 'STRUCT' } as const;
const LIFECYCLE_STAGES = {
  0: 'UNKNOWN_STAGE', 1: 'PLANNED', 2: 'ALPHA', 3: 'BETA', 4: 'PRODUCTION', 5: 'DEPRECATED', 6: 'DEBUG_ONLY', 7: 'DISABLED',
} as const;
/** Stages whose features TFX does not parse (tfx_bsl, tensor_representation_util). */
const NOT_PARSED: readonly (typeof LIFECYCLE_STAGES)[keyof typeof LIFECYCLE_STAGES][] = ['PLANNED', 'ALPHA', 'DEPRECATED', 'DEBUG_ONLY'];

/**
 * Reads a schema.pbtxt. What does not decide how features are parsed (domains, drift comparators, ...) is passed over.
 *
 * @throws ExamplesError UNREADABLE_FILE, BAD_SCHEMA with line and column
 */
export async function readSchema(file: string): Promise<Schema> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw fileError(file, 'read', cause);
  }
  return parseSchema(text, file);
}

/** @param file for errors. @throws ExamplesError BAD_SCHEMA with line and column */
export function parseSchema(text: string, file: string): Schema {
  const schema = new MessageReader(parseTextFormat(text, file), file);
  const features = schema.messages('feature').map(readFeature);
  const seen = new Set<string>();
  schema.messages('feature').forEach((message, i) => {
    const name = features[i]?.name ?? '';
    if (seen.has(name)) message.fail(`feature '${name}' is described twice: keep one of the two`);
    seen.add(name);
  });
  const group = schema.messages('tensor_representation_group').filter((entry) => (entry.string('key') ?? '') === '').at(-1);
  const representations = group?.message1('value')?.messages('tensor_representation') ?? [];
  return {
    file,
    features,
    sparseFeatures: schema.messages('sparse_feature').map((message) => message.string('name') ?? ''),
    representVariableLengthAsRagged: schema.boolean('represent_variable_length_as_ragged') ?? false,
    tensorRepresentations: new Map(representations.map((entry) => [entry.string('key') ?? '', readRepresentation(entry)])),
  };
}

function readFeature(message: MessageReader): SchemaFeature {
  const name = message.string('name');
  if (name === undefined || name === '') return message.fail("a feature has no name: add name: '...'");
  const type = message.choice('type', FEATURE_TYPES);
  if (type !== 'BYTES' && type !== 'INT' && type !== 'FLOAT') {
    return message.fail(`feature '${name}' has ${type === undefined ? 'no type' : `type ${type}`}: give it the type FLOAT, INT or BYTES`);
  }
  const shape = message.message1('shape');
  const valueCount = message.message1('value_count');
  const presence = message.message1('presence');
  const stage = message.choice('lifecycle_stage', LIFECYCLE_STAGES);
  return {
    name,
    type,
    disabled: message.boolean('deprecated') === true || (stage !== undefined && NOT_PARSED.includes(stage)),
    ...(shape && { shape: readShape(shape, name) }),
    ...(valueCount && { valueCount: defined({ min: valueCount.integer('min'), max: valueCount.integer('max') }) }),
    ...(presence && { presence: defined({ minFraction: presence.number('min_fraction'), minCount: presence.integer('min_count') }) }),
  };
}

/** Without the fields that are undefined. */
const defined = (values: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));

function readShape(shape: MessageReader, name: string): readonly number[] {
  return shape.messages('dim').map((dim) => {
    const size = dim.integer('size');
    return size !== undefined && size > 0 ? size : dim.fail(`a dimension of '${name}' has ${size === undefined ? 'no size' : `the size ${size}`}: give it a positive one`);
  });
}

function readRepresentation(entry: MessageReader): TensorRepresentation {
  const tensor = entry.string('key') ?? '';
  const value = entry.message1('value') ?? entry.fail(`tensor '${tensor}' has no representation`);
  const columnOf = (message: MessageReader): string => message.string('column_name') ?? message.fail(`tensor '${tensor}' has no column_name`);
  const dense = value.message1('dense_tensor');
  if (dense) {
    const given = dense.message1('default_value');
    const defaultValue = given && (given.string('bytes_value') ?? given.integer('int_value') ?? given.integer('uint_value') ?? given.number('float_value'));
    const shape = dense.message1('shape');
    return { kind: 'DENSE', column: columnOf(dense), shape: shape ? readShape(shape, tensor) : [], ...(defaultValue !== undefined && { defaultValue }) };
  }
  const varLen = value.message1('varlen_sparse_tensor');
  if (varLen) return { kind: 'VAR_LEN_SPARSE', column: columnOf(varLen) };
  const ragged = value.message1('ragged_tensor');
  if (ragged) {
    const path = ragged.message1('feature_path')?.strings('step') ?? [];
    const [column] = path;
    if (column === undefined || path.length > 1) return ragged.fail(`ragged tensor '${tensor}' needs a feature_path of one step`);
    return { kind: 'RAGGED', column, partitions: ragged.messages('partition').length };
  }
  if (value.message1('sparse_tensor')) return { kind: 'SPARSE' };
  return value.fail(`tensor '${tensor}' has no dense_tensor, varlen_sparse_tensor, ragged_tensor or sparse_tensor`);
}
