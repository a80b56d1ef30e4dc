import * as fc from 'fast-check';
import { thrownBy } from '../testing/thrown';
import { decodeExample } from './decode-example';
import { encodeExample } from './encode-example';
import type { FeatureValue } from './feature-value';
import { parseExamples } from './parse-examples';
import type { Column, ParseFeature } from './parse-spec';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const normal = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
const featureArbitrary: fc.Arbitrary<FeatureValue> = fc.oneof(
  fc.constant<FeatureValue>({ kind: 'none' }),
  fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }).map((values): FeatureValue => ({ kind: 'bytes', values })),
  fc.array(fc.float({ noNaN: true }), { maxLength: 4 }).map((values): FeatureValue => ({ kind: 'float', values })),
  fc.array(fc.oneof(fc.bigInt(INT64), fc.bigInt({ min: -300n, max: 300n })).map(normal), { maxLength: 4 }).map((values): FeatureValue => ({ kind: 'int64', values })),
);
const exampleArbitrary = fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), featureArbitrary), { maxLength: 6 }).map((entries) => new Map(entries));

test('an example that was encoded decodes to itself, whatever the order in which it was built', () => {
  fc.assert(fc.property(exampleArbitrary, (example) => {
    const bytes = encodeExample(example);
    expect(decodeExample(bytes)).toEqual(example);
    expect(encodeExample(new Map([...example].reverse()))).toEqual(bytes);
  }));
});

// SerializeToString(deterministic=True) of Python's tf.train.Example.
test('the bytes are those of protobuf\'s deterministic serialization', () => {
  const example = new Map<string, FeatureValue>([
    ['z', { kind: 'int64', values: [1, -1, 300, 2n ** 62n] }],
    ['a', { kind: 'float', values: [0.5, -2] }],
    ['ä', { kind: 'bytes', values: [Buffer.from('x'), Buffer.alloc(0)] }],
    ['none', { kind: 'none' }],
  ]);
  expect(Buffer.from(encodeExample(example)).toString('hex')).toBe('0a4d0a110a0161120c120a0a080000003f000000c00a080a046e6f6e6512000a1f0a017a121a1a180a1601ffffffffffffffffff01ac028080808080808080400a0d0a02c3a412070a050a01780a00');
});

test.each<[string, FeatureValue, string]>([
  ['half an integer', { kind: 'int64', values: [0.5] }, 'WRONG_TYPE'],
  ['an integer that a number does not hold', { kind: 'int64', values: [2 ** 60] }, 'OUT_OF_RANGE'],
  ['more than 64 bits', { kind: 'int64', values: [2n ** 63n] }, 'OUT_OF_RANGE'],
])('does not encode %s', async (_what, value, reason) => {
  expect(await thrownBy(() => encodeExample(new Map([['f', value]])))).toMatchObject({ reason, details: { feature: 'f' } });
});

const parse = (examples: readonly ReadonlyMap<string, FeatureValue>[], spec: readonly ParseFeature[]) =>
  parseExamples(examples.map(encodeExample), spec, (row) => ({ file: 'the-file', record: 100 + row }));
const columnOf = (examples: readonly ReadonlyMap<string, FeatureValue>[], feature: ParseFeature): Column | undefined =>
  parse(examples, [feature]).columns.get(feature.name);

const float = (...values: number[]): FeatureValue => ({ kind: 'float', values });
const int64 = (...values: (number | bigint)[]): FeatureValue => ({ kind: 'int64', values });
const bytes = (...values: string[]): FeatureValue => ({ kind: 'bytes', values: values.map((value) => Buffer.from(value)) });
const none: FeatureValue = { kind: 'none' };
const only = (value: FeatureValue) => new Map([['f', value], ['other', float(9)]]);
const named = { name: 'tensor', column: 'f' } as const;
const FLOAT = { ...named, stored: 'float', dtype: 'float32' } as const;
const INT32 = { ...named, stored: 'int64', dtype: 'int32' } as const;
const BYTES = { ...named, stored: 'bytes', dtype: 'string' } as const;

test.each<[string, readonly FeatureValue[], ParseFeature, object]>([
  ['floats of a shape', [float(1, 2), float(3, 4)], { ...FLOAT, layout: 'DENSE', shape: [2] }, { values: Float32Array.of(1, 2, 3, 4), rowShape: [2] }],
  ['a scalar', [float(1), float(2)], { ...FLOAT, layout: 'DENSE', shape: [] }, { values: Float32Array.of(1, 2), rowShape: [] }],
  ['int32 to its limits', [int64(-(2 ** 31), 2 ** 31 - 1)], { ...INT32, layout: 'DENSE', shape: [2] }, { values: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) }],
  ['integers as float32', [int64(17031841900, -5)], { ...INT32, dtype: 'float32', layout: 'DENSE', shape: [2] }, { values: Float32Array.of(17031841900, -5) }],
  ['integers of 64 bits', [int64(INT64.min, INT64.max)], { ...INT32, dtype: 'int64', layout: 'DENSE', shape: [2] }, { values: BigInt64Array.of(INT64.min, INT64.max) }],
  ['a default for a row without the feature', [none, float(1)], { ...FLOAT, layout: 'DENSE', shape: [1], defaultValue: 7 }, { values: Float32Array.of(7, 1) }],
  ['a default for each element', [none], { ...INT32, layout: 'DENSE', shape: [2], defaultValue: [-7, 8] }, { values: Int32Array.of(-7, 8) }],
  ['rows filled up', [int64(1), none, int64(2, 3)], { ...INT32, layout: 'PADDED', width: 2, padding: -1 }, { values: Int32Array.of(1, -1, -1, -1, 2, 3), rowShape: [2] }],
  ['rows of different lengths', [float(1), none, float(2, 3)], { ...FLOAT, layout: 'VAR_LEN' }, { kind: 'VAR_LEN', values: Float32Array.of(1, 2, 3), rowSplits: Uint32Array.of(0, 1, 1, 3) }],
  ['strings', [bytes('a', 'ü'), none, bytes('')], { ...BYTES, layout: 'VAR_LEN' }, { bytes: Uint8Array.from(Buffer.from('aü')), offsets: Uint32Array.of(0, 1, 3, 3), rowSplits: Uint32Array.of(0, 2, 2, 3) }],
  ['strings filled up', [bytes('abc'), none], { ...BYTES, layout: 'PADDED', width: 1, padding: '?' }, { bytes: Uint8Array.from(Buffer.from('abc?')), offsets: Uint32Array.of(0, 3, 4) }],
])('parses %s', (_what, values, feature, wanted) => {
  expect(columnOf(values.map(only), feature)).toMatchObject(wanted);
});

test.each<[string, FeatureValue, ParseFeature, string, RegExp]>([
  ['a required feature that is missing', none, { ...FLOAT, layout: 'DENSE', shape: [1] }, 'MISSING_FEATURE', /feature f is missing/],
  ['another type', int64(1), { ...FLOAT, layout: 'DENSE', shape: [1] }, 'WRONG_TYPE', /holds int64 values, and the schema wants float/],
  ['bytes where integers are wanted', bytes('1'), { ...INT32, layout: 'VAR_LEN' }, 'WRONG_TYPE', /holds bytes values, and the schema wants int64/],
  ['too many values', float(1, 2), { ...FLOAT, layout: 'DENSE', shape: [1] }, 'WRONG_LENGTH', /has 2 values, and its shape \[1\] holds 1/],
  ['an empty list', float(), { ...FLOAT, layout: 'DENSE', shape: [1] }, 'WRONG_LENGTH', /has 0 values/],
  ['more than the width', float(1, 2, 3), { ...FLOAT, layout: 'PADDED', width: 2, padding: 0 }, 'WRONG_LENGTH', /at most 2 are read/],
  ['an integer beyond 32 bits', int64(2 ** 31), { ...INT32, layout: 'VAR_LEN' }, 'OUT_OF_RANGE', /2147483648, which int32 cannot hold: ask for this feature as float32/],
  ['an integer below 32 bits', int64(-(2 ** 31) - 1), { ...INT32, layout: 'VAR_LEN' }, 'OUT_OF_RANGE', /-2147483649/],
])('refuses %s, naming feature, record and file', async (_what, value, feature, reason, message) => {
  const good: FeatureValue = feature.stored === 'float' ? float(1) : feature.stored === 'int64' ? int64(1) : bytes('a');
  const error = await thrownBy(() => parse([only(good), only(value)], [feature]));
  expect(error).toMatchObject({ reason, details: { feature: 'f', record: 101, file: 'the-file' } });
  expect(error.message).toMatch(message);
  expect(error.message).toContain('record 101 of the-file');
});

test('a parse agrees with the generic decoder on any examples', () => {
  fc.assert(fc.property(fc.array(fc.array(fc.oneof(fc.bigInt(INT64), fc.bigInt({ min: -9n, max: 9n })), { maxLength: 4 })), (rows) => {
    const column = columnOf(rows.map((row) => only(int64(...row))), { ...named, stored: 'int64', dtype: 'int64', layout: 'VAR_LEN' });
    expect(column).toMatchObject({ values: BigInt64Array.from(rows.flat()) });
  }));
});

test('features in another order in every record, and ones that nobody wants, are told apart', () => {
  const names = ['a', 'b', 'ab', 'ba', 'c'];
  const examples = Array.from({ length: 30 }, (_, row) => {
    const order = names.map((_name, i) => names[(i * 2 + row) % names.length] ?? '').slice(row % 3);
    return order.map((name) => ({ name, value: row * 10 + names.indexOf(name) }));
  });
  // Written by hand, since the encoder sorts.
  const records = examples.map((features) => Buffer.concat(features.map(({ name, value }) => feature(name, Buffer.concat([Buffer.from([0x1a, 2, 0x08]), Buffer.from([value & 0x7f])])))));
  const spec = ['ab', 'a', 'c'].map((name): ParseFeature => ({ ...INT32, name, column: name, layout: 'PADDED', width: 1, padding: -1 }));
  const { columns } = parseExamples(records.map((record) => Buffer.concat([Buffer.from([0x0a, record.length]), record])), spec, () => ({ file: '', record: 0 }));
  for (const name of ['ab', 'a', 'c']) {
    const wanted = examples.map((features) => (features.find((found) => found.name === name)?.value ?? -1) & (features.some((found) => found.name === name) ? 0x7f : -1));
    expect(columns.get(name)).toMatchObject({ values: Int32Array.from(wanted) });
  }
});

/** An entry of tf.Features. */
function feature(name: string, value: Uint8Array): Buffer {
  const key = Buffer.from(name);
  const entry = Buffer.concat([Buffer.from([0x0a, key.length]), key, Buffer.from([0x12, value.length]), value]);
  return Buffer.concat([Buffer.from([0x0a, entry.length]), entry]);
}
const exampleOf = (...entries: Buffer[]): Buffer => {
  const features = Buffer.concat(entries);
  return Buffer.concat([Buffer.from([0x0a, features.length]), features]);
};

test.each<[string, Buffer, readonly number[]]>([
  ['integers that are not packed', exampleOf(feature('f', Buffer.from([0x1a, 4, 0x08, 5, 0x08, 6]))), [5, 6]],
  ['packed and single integers', exampleOf(feature('f', Buffer.from([0x1a, 6, 0x0a, 2, 5, 6, 0x08, 7]))), [5, 6, 7]],
  ['an empty packed list', exampleOf(feature('f', Buffer.from([0x1a, 2, 0x0a, 0]))), []],
  ['a list in two pieces', exampleOf(feature('f', Buffer.from([0x1a, 2, 0x08, 5, 0x1a, 2, 0x08, 6]))), [5, 6]],
  ['a kind that replaces another', exampleOf(feature('f', Buffer.from([0x12, 0, 0x1a, 2, 0x08, 5]))), [5]],
  ['a feature that comes twice: the last', exampleOf(feature('f', Buffer.from([0x1a, 2, 0x08, 5])), feature('f', Buffer.from([0x1a, 2, 0x08, 6]))), [6]],
  ['two messages of features', Buffer.concat([exampleOf(feature('g', Buffer.alloc(0))), exampleOf(feature('f', Buffer.from([0x1a, 2, 0x08, 5])))]), [5]],
  ['unknown fields', Buffer.concat([Buffer.from([0x18, 1, 0x25, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0, 0x32, 1, 0]), exampleOf(feature('f', Buffer.from([0x1a, 2, 0x08, 5])))]), [5]],
])('reads %s, as protobuf allows', (_what, record, values) => {
  const { columns } = parseExamples([record], [{ ...INT32, layout: 'VAR_LEN' }], () => ({ file: '', record: 0 }));
  expect(columns.get('tensor')).toMatchObject({ values: Int32Array.from(values) });
  expect(decodeExample(record).get('f')).toEqual({ kind: 'int64', values });
});

test.each<[string, Buffer]>([
  ['text', Buffer.from('hello, world')],
  ['a length beyond the end', Buffer.from([0x0a, 200, 1])],
  ['a number without end', Buffer.from([0x0a, 0xff])],
  ['a number of eleven bytes', Buffer.from([0x08, ...Array.from({ length: 10 }, () => 0xff), 1])],
  ['a packed list that ends within a number', exampleOf(feature('f', Buffer.from([0x1a, 3, 0x0a, 1, 0x80])))],
  ['a wire type that does not exist', Buffer.from([0x0f])],
  ['a fixed field that is cut off', Buffer.from([0x25, 0, 0])],
])('refuses %s as no tf.Example', async (_what, record) => {
  const error = await thrownBy(() => parseExamples([record], [{ ...INT32, layout: 'VAR_LEN' }], () => ({ file: 'the-file', record: 3 })));
  expect(error).toMatchObject({ reason: 'BAD_EXAMPLE', details: { file: 'the-file', record: 3 } });
  expect(await thrownBy(() => decodeExample(record))).toMatchObject({ reason: 'BAD_EXAMPLE' });
});

test('floats that are cut off are refused', async () => {
  const record = exampleOf(feature('f', Buffer.from([0x12, 5, 0x0a, 3, 0, 0, 0])));
  expect(await thrownBy(() => parseExamples([record], [{ ...FLOAT, layout: 'VAR_LEN' }], () => ({ file: '', record: 0 })))).toMatchObject({ reason: 'BAD_EXAMPLE' });
});

test('any bytes are parsed or refused, and nothing else happens', () => {
  fc.assert(fc.property(exampleArbitrary, fc.nat(), fc.nat(255), (example, at, value) => {
    const damaged = encodeExample(new Map([...example, ['f', int64(1, 2, 3)]]));
    damaged[at % damaged.length] = value;
    try {
      expect(parseExamples([damaged], [{ ...INT32, layout: 'VAR_LEN' }], () => ({ file: '', record: 0 })).rowCount).toBe(1);
    } catch (error) {
      expect((error as Error).name).toBe('ExamplesError');
    }
  }), { numRuns: 1000 });
});
