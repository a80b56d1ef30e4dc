import { describeWithData, testData } from '../testing/test-data';
import { thrownBy } from '../testing/thrown';
import { parseSchema, readSchema } from './parse-schema';
import type { SchemaFeature } from './schema';
import { parseSpecOf } from './schema-parse-spec';
import { parseTextFormat, type TextField } from './text-format';
import { formatSchema } from './write-schema';

type Plain = readonly (readonly [string, string | Plain])[];
const plain = (fields: readonly TextField[]): Plain => fields.map(({ name, value }) => [name, value.kind === 'SCALAR' ? value.text : plain(value.fields)]);
const parsed = (text: string): Plain => plain(parseTextFormat(text, 'f').fields);

test.each<[string, string, Plain]>([
  ['a scalar', 'a: 1', [['a', '1']]],
  ['a message, with and without colon', 'a { b: 1 } a: { b: 2 }', [['a', [['b', '1']]], ['a', [['b', '2']]]]],
  ['angle brackets', 'a < b: 1 >', [['a', [['b', '1']]]]],
  ['comments', '# head: 1\na: 1 # tail { "\n# end', [['a', '1']]],
  ['separators', 'a: 1, b: 2; c: 3', [['a', '1'], ['b', '2'], ['c', '3']]],
  ['lists', 'a: [1, 2] b [{ c: 3 }, { }] d: []', [['a', '1'], ['a', '2'], ['b', [['c', '3']]], ['b', []]]],
  ['strings side by side', 'a: "x" \'y\'\n "z"', [['a', 'xyz']]],
  ['escapes', String.raw`a: "\"\\\n\t\'\101\x42\u00e4\U0001F600"`, [['a', '"\\\n\t\'ABä😀']]],
  ['UTF-8 that was written byte by byte', String.raw`a: "\303\274"`, [['a', 'ü']]],
  ['numbers of all kinds', 'a: -1.5e-3 b: .5 c: 0x1F d: 1f e: -inf', [['a', '-1.5e-3'], ['b', '.5'], ['c', '0x1F'], ['d', '1f'], ['e', '-inf']]],
  ['extensions', '[a.b/c]: 1', [['[a.b/c]', '1']]],
  ['nothing', ' \n# nothing\n', []],
])('reads %s', (_what, text, wanted) => {
  expect(parsed(text)).toEqual(wanted);
});

const feature = (body: string): string => `feature { name: "f" type: FLOAT ${body} }`;
// A § stands before the place that the error must name.
test.each<[string, string, RegExp]>([
  ['a missing bracket', 'feature {\n  name: "a"\n§', /a '}' is missing/],
  ['a missing colon', 'feature {\n  name §"a"\n}', /expected ':' or '{' after name, found 'a'/],
  ['a bracket too many', 'a: 1\n§}', /expected the name of a field, found '}'/],
  ['a string without end', 'a: §"x\n', /string does not end/],
  ['a character of no meaning', 'a: 1\n  §$', /unexpected character '\$'/],
  ['an unknown escape', 'a: §"\\q"', /unknown escape \\q/],
  ['a value that is missing', 'a: §,', /expected a value for a, found ','/],
  ['a list without comma', 'a: [1 §2]', /expected ',' between the values of a, found '2'/],
  ['messages without end', `${'a{'.repeat(100)}a§${'{a'.repeat(100)}`, /more than 100 messages/],
  ['a feature without name', '\nfeature §{ type: INT }', /has no name/],
  ['a feature without type', 'feature §{ name: "f" }', /feature 'f' has no type/],
  ['a type that is not parsed', 'feature §{ name: "f" type: STRUCT }', /has type STRUCT: give it the type FLOAT, INT or BYTES/],
  ['an unknown type', 'feature { name: "f" type: §DOUBLE }', /type must be one of .*not 'DOUBLE'/],
  ['a name that is no string', 'feature { name: §f type: INT }', /name must be a string, not 'f'/],
  ['a number that is none', feature('presence { min_fraction: §"1" }'), /min_fraction must be a number/],
  ['half a dimension', feature('shape { dim { size: §1.5 } }'), /size must be an integer/],
  ['a dimension without size', feature('shape { dim §{ } }'), /has no size/],
  ['a message where a value is wanted', feature('deprecated §{ }'), /deprecated must be true or false, not a message/],
  ['a value where a message is wanted', feature('shape: §1'), /shape must be a message/],
  ['a feature twice', `${feature('')}\n${feature('').replace('{', '§{')}`, /feature 'f' is described twice/],
])('refuses %s, with line and column', async (_what, marked, message) => {
  const before = marked.slice(0, marked.indexOf('§')).split('\n');
  const place = { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  const error = await thrownBy(() => parseSchema(marked.replace('§', ''), 'schema.pbtxt'));
  expect(error).toMatchObject({ reason: 'BAD_SCHEMA', details: { file: 'schema.pbtxt', ...place } });
  expect(error.message).toMatch(message);
  expect(error.message).toContain(`schema.pbtxt:${place.line}:${place.column}: `);
});

const ALWAYS = 'presence { min_fraction: 1 }';
const FLOAT = { name: 'f', column: 'f', stored: 'float', dtype: 'float32' };
test.each<[string, string, readonly object[]]>([
  ['a fixed shape', feature(`${ALWAYS} shape { dim { size: 2 } dim { size: 3 } }`), [{ ...FLOAT, layout: 'DENSE', shape: [2, 3] }]],
  ['a scalar', feature(`${ALWAYS} shape { }`), [{ ...FLOAT, layout: 'DENSE', shape: [] }]],
  ['no shape', feature(`${ALWAYS} value_count { min: 1 max: 1 }`), [{ ...FLOAT, layout: 'VAR_LEN' }]],
  ['no shape, ragged', `${feature('')} represent_variable_length_as_ragged: true`, [{ ...FLOAT, layout: 'VAR_LEN' }]],
  ['an integer', 'feature { name: "i" type: INT }', [{ name: 'i', column: 'i', stored: 'int64', dtype: 'int64', layout: 'VAR_LEN' }]],
  ['bytes', 'feature { name: "b" type: BYTES }', [{ name: 'b', column: 'b', stored: 'bytes', dtype: 'string', layout: 'VAR_LEN' }]],
  ['a deprecated feature', feature('deprecated: true'), []],
  ['a feature of the stage DEPRECATED', feature('lifecycle_stage: DEPRECATED'), []],
  ['a feature of the stage PLANNED', feature('lifecycle_stage: 1'), []],
  ['a feature in production', feature('lifecycle_stage: PRODUCTION'), [{ ...FLOAT, layout: 'VAR_LEN' }]],
  ['a dense representation', `${feature('')} tensor_representation_group { key: "" value { tensor_representation { key: "t" value { dense_tensor { column_name: "f" shape { dim { size: 2 } } default_value { float_value: -0.5 } } } } } }`,
    [{ ...FLOAT, name: 't', layout: 'DENSE', shape: [2], defaultValue: -0.5 }]],
  ['a representation beside a feature', `${feature('')} feature { name: "g" type: INT } tensor_representation_group { value { tensor_representation { key: "g" value { varlen_sparse_tensor { column_name: "g" } } } } }`,
    [{ name: 'g', column: 'g', stored: 'int64', dtype: 'int64', layout: 'VAR_LEN' }, { ...FLOAT, layout: 'VAR_LEN' }]],
  ['a ragged representation', `${feature('')} tensor_representation_group { value { tensor_representation { key: "r" value { ragged_tensor { feature_path { step: "f" } } } } } }`, [{ ...FLOAT, name: 'r', layout: 'VAR_LEN' }]],
  ['a group of another name', `${feature('')} tensor_representation_group { key: "serving" value { } }`, [{ ...FLOAT, layout: 'VAR_LEN' }]],
])('gives the parse spec of %s', (_what, text, wanted) => {
  expect(parseSpecOf(parseSchema(text, 'f'))).toEqual(wanted);
});

const represent = (body: string): string => `${feature('')} tensor_representation_group { value { tensor_representation { key: "t" value { ${body} } } } }`;
test.each<[string, string, RegExp]>([
  ['a shape without presence', feature('shape { dim { size: 1 } }'), /'f' has a shape and presence.min_fraction unset/],
  ['a shape of a feature that may be missing', feature('presence { min_fraction: 0.5 } shape { }'), /min_fraction 0.5/],
  ['a sparse tensor', represent('sparse_tensor { value_column_name: "f" }'), /'t' is a sparse_tensor/],
  ['a sparse feature', `${feature('')} sparse_feature { name: "s" }`, /'s' is a sparse_feature/],
  ['a column that is not described', represent('varlen_sparse_tensor { column_name: "x" }'), /feature 'x', which the schema does not describe/],
  ['partitions', represent('ragged_tensor { feature_path { step: "f" } partition { uniform_row_length: 2 } }'), /with partitions/],
  ['a default of another type', represent('dense_tensor { column_name: "f" default_value { bytes_value: "x" } }'), /default of another type/],
])('refuses %s by name', async (_what, text, message) => {
  const error = await thrownBy(() => parseSpecOf(parseSchema(text, 'f')));
  expect(error.reason).toBe('UNSUPPORTED_SCHEMA');
  expect(error.message).toMatch(message);
});

test('a schema that was written reads back', () => {
  const features: readonly SchemaFeature[] = [
    { name: 'plain', type: 'INT', disabled: false },
    { name: 'a "quoted" \\ näme\n', type: 'BYTES', disabled: false, presence: { minCount: 1 }, valueCount: { min: 1, max: 3 } },
    { name: 'image', type: 'FLOAT', disabled: false, presence: { minFraction: 1, minCount: 1 }, shape: [28, 28] },
    { name: 'rare', type: 'FLOAT', disabled: false, presence: { minFraction: 0.25 } },
    { name: 'old', type: 'FLOAT', disabled: true },
  ];
  expect(parseSchema(formatSchema(features), 'f').features).toEqual(features);
});

describeWithData('schemas of real pipelines', () => {
  test.each<[string, number, object]>([
    ['penguin/schema/schema.pbtxt', 5, { name: 'species', dtype: 'int64', layout: 'DENSE', shape: [1] }],
    ['taxi/schema_gen/schema.pbtxt', 18, { name: 'trip_start_timestamp', dtype: 'int64', layout: 'VAR_LEN' }],
    ['taxi/transform/transform_graph/transformed_metadata/schema.pbtxt', 17, { name: 'tips_xf', dtype: 'int64', layout: 'DENSE', shape: [1] }],
    ['tfx-iris-run/SchemaGen/schema/5/schema.pbtxt', 5, { name: 'petal_length', dtype: 'float32', layout: 'DENSE', shape: [1] }],
  ])('%s describes %d features', async (path, count, wanted) => {
    const spec = parseSpecOf(await readSchema(testData(path)));
    expect(spec).toHaveLength(count);
    expect(spec).toContainEqual(expect.objectContaining(wanted));
  });
});
