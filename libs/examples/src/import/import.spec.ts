import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { decodeExample } from '../example/decode-example';
import type { Example } from '../example/feature-value';
import { readRecords } from '../records/record-stream';
import { parseSchema } from '../schema/parse-schema';
import { temporaryFolder } from '../testing/temporary-folder';
import { thrownBy } from '../testing/thrown';
import { readNumber } from './column-types';
import { importExamples, type ImportOptions, type ImportProgress } from './import-examples';
import { splitChooser } from './split-choice';

const folder = temporaryFolder();
let sources = 0;
function source(extension: string, text: string): string {
  const path = folder.path(`source${sources++}${extension}`);
  writeFileSync(path, text);
  return path;
}
let outs = 0;
const out = (): string => folder.path(`out${outs++}`);
const ONE_SPLIT = { splits: { all: 1 } };

async function examplesOf(root: string, split: string): Promise<Example[]> {
  const examples: Example[] = [];
  for (const name of readdirSync(join(root, `Split-${split}`)).sort()) {
    for await (const { data } of readRecords(join(root, `Split-${split}`, name))) examples.push(decodeExample(data));
  }
  return examples;
}

/** Rows as plain values: text, numbers, or null for what is missing. */
const plain = (example: Example): object => Object.fromEntries([...example].map(([name, value]) => [name,
  value.kind === 'none' ? null : value.kind === 'bytes' ? Buffer.from(value.values[0] ?? []).toString() : value.values[0]]));

async function imported(from: string, options: Partial<ImportOptions> = {}): Promise<{ rows: object[]; schema: object[] }> {
  const root = out();
  await importExamples({ from, out: root, ...ONE_SPLIT, ...options });
  const { features } = parseSchema(readFileSync(join(root, 'schema.pbtxt'), 'utf8'), 'schema.pbtxt');
  return { rows: (await examplesOf(root, 'all')).map(plain), schema: features.map(({ name, type, shape }) => ({ name, type, required: shape !== undefined })) };
}

test.each<[string, string, string, object[], string]>([
  ['types of a CSV file', '.csv', 'i,f,s,z\n1,0.5,a,01\n-2,3,,02\n', [{ i: 1, f: 0.5, s: 'a', z: '01' }, { i: -2, f: 3, s: null, z: '02' }], 'i INT, f FLOAT, s BYTES?, z BYTES'],
  ['quotes, a byte order mark, CRLF and empty lines', '.csv', '\ufeff"a ""q""",b\r\n\r\n"x, y","1\n2"\r\n', [{ 'a "q"': 'x, y', b: '1\n2' }], 'a "q" BYTES, b BYTES'],
  ['a TSV file', '.tsv', 'a\tb\n1\tx\n', [{ a: 1, b: 'x' }], 'a INT, b BYTES'],
  ['a JSON array', '.json', '[{"a": 1, "s": "x", "t": true},\n {"a": null, "s": "]},{"}]', [{ a: 1, s: 'x', t: 1 }, { a: null, s: ']},{', t: null }], 'a INT?, s BYTES, t INT?'],
  ['one object a line', '.jsonl', '{"a": 1.5}\n\n{"b": "x"}', [{ a: 1.5, b: null }, { a: null, b: 'x' }], 'a FLOAT?, b BYTES?'],
  ['numbers among texts, as text', '.json', '[{"a": 1}, {"a": "x"}]', [{ a: '1' }, { a: 'x' }], 'a BYTES'],
  ['digits in JSON strings, as text', '.json', '[{"a": "1"}]', [{ a: '1' }], 'a BYTES'],
  ['a column without values, not at all', '.csv', 'a,b\n1,\n2,\n', [{ a: 1 }, { a: 2 }], 'a INT'],
  ['integers of 64 bits', '.csv', 'a\n9223372036854775807\n', [{ a: 9223372036854775807n }], 'a INT'],
])('imports %s', async (_what, extension, text, rows, schema) => {
  const result = await imported(source(extension, text));
  expect(result.rows).toEqual(rows);
  expect((result.schema as { name: string; type: string; required: boolean }[]).map(({ name, type, required }) => `${name} ${type}${required ? '' : '?'}`).join(', ')).toBe(schema);
});

test('texts that stand for a missing value can be chosen', async () => {
  expect((await imported(source('.csv', 'a\n1\nNA\n'), { missingValues: ['', 'NA'] })).rows).toEqual([{ a: 1 }, { a: null }]);
});

test.each<[string, string, string, number, RegExp]>([
  ['a row with a field too few', '.csv', 'a,b\n1,2\n3\n', 3, /columns length is 2, got 1/],
  ['a row with a field too many', '.csv', 'a,b\n1,2,3\n', 2, /got 3/],
  ['a quote that is not closed', '.csv', 'a\n"1\n2\n', 3, /no CSV .*quote/i],
  ['a column twice', '.csv', 'a,a\n1,2\n', 1, /names column 'a' twice/],
  ['a column without name', '.csv', 'a,\n1,2\n', 1, /column 2 of the header has no name/],
  ['a number too large', '.csv', 'a\n0.5\n1e300\n', 3, /column 'a' holds 1e\+300, which is too large for float32/],
  ['a broken line', '.jsonl', '{"a": 1}\n{"a": \n', 2, /no JSON/],
  ['a line that is no object', '.jsonl', '{"a": 1}\n[1]\n', 2, /must be an object .* not an array/],
  ['a broken element', '.json', '[{"a": 1},\n\n {"a" 2}]', 3, /no JSON/],
  ['an element that is no object', '.json', '[\n1]', 2, /not a number/],
  ['a nested value', '.json', '[{"a": 1},\n{"a": [1]}]', 2, /column 'a' holds an array, and rows must be flat/],
  ['a missing element', '.json', '[{"a": 1},\n,{"a": 2}]', 2, /a row is missing before ','/],
  ['a comma at the end', '.json', '[{"a": 1},\n]', 2, /a row is missing before ']'/],
  ['an array without end', '.json', '[{"a": 1}\n', 2, /']' of its array is missing/],
  ['text after the array', '.json', '[]\nx', 2, /'x' after the end/],
  ['an object instead of an array', '.json', '\n{"a": 1}', 2, /must hold an array of rows.*\.jsonl/],
  ['an empty file', '.json', '', 1, /holds no array/],
])('refuses %s with file, line and advice, and writes nothing', async (_what, extension, text, line, message) => {
  const from = source(extension, text);
  const root = out();
  const before = readdirSync(folder.path());
  const error = await thrownBy(() => importExamples({ from, out: root, ...ONE_SPLIT }));
  expect(error).toMatchObject({ reason: 'BAD_ROW', details: { file: from, line } });
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/correct the file and import it again/);
  expect(readdirSync(folder.path())).toEqual(before);
});

test.each<[string, Partial<ImportOptions>, string, RegExp]>([
  ['an unknown format', { from: 'x.xls' }, 'BAD_ARGUMENT', /name it .csv/],
  ['no split', { splits: {} }, 'BAD_ARGUMENT', /at least one split/],
  ['a share of 0', { splits: { train: 1, eval: 0 } }, 'BAD_ARGUMENT', /share of split eval must be a positive number/],
  ['a split that is a path', { splits: { '../x': 1 } }, 'BAD_ARGUMENT', /no name for a split/],
  ['half a seed', { seed: 0.5 }, 'BAD_ARGUMENT', /seed/],
  ['files without records', { recordsPerFile: 0 }, 'BAD_ARGUMENT', /at least one record/],
  ['a split that would be empty', { splits: { train: 1e9, eval: 1 } }, 'EMPTY_SPLIT', /split eval of .* would hold no record/],
  ['a source that does not exist', { from: 'none.csv' }, 'UNREADABLE_FILE', /none.csv/],
])('refuses %s and writes nothing', async (_what, options, reason, message) => {
  const root = out();
  const from = source('.csv', 'a\n1\n2\n');
  const before = readdirSync(folder.path());
  const error = await thrownBy(() => importExamples({ from, out: root, ...options }));
  expect(error.reason).toBe(reason);
  expect(error.message).toMatch(message);
  expect(readdirSync(folder.path())).toEqual(before);
});

test('a file without any value is refused', async () => {
  expect(await thrownBy(() => importExamples({ from: source('.csv', 'a,b\n,\n'), out: out() }))).toMatchObject({ reason: 'BAD_ROW' });
});

test('a folder that is not empty is left as it is; an empty one is filled', async () => {
  const root = folder.path('mine');
  const from = source('.csv', 'a\n1\n');
  mkdirSync(root);
  writeFileSync(join(root, 'file'), 'mine');
  expect(await thrownBy(() => importExamples({ from, out: root, ...ONE_SPLIT }))).toMatchObject({ reason: 'OUTPUT_EXISTS' });
  expect(readdirSync(root)).toEqual(['file']);
  const empty = folder.path('empty');
  mkdirSync(empty);
  await importExamples({ from, out: empty, ...ONE_SPLIT });
  expect(readdirSync(empty).sort()).toEqual(['Split-all', 'schema.pbtxt', 'statistics.json']);
});

test('a listener that throws ends the import, and nothing is visible', async () => {
  const root = out();
  const stop = new TypeError('stop');
  await expect(importExamples({ from: source('.csv', 'a\n1\n'), out: root, ...ONE_SPLIT, onProgress: () => { throw stop; } })).rejects.toBe(stop);
  expect(existsSync(root)).toBe(false);
});

describe('the penguins', () => {
  const from = join(dirname(require.resolve('vega-datasets')), '..', 'data', 'penguins.json');
  const penguins = JSON.parse(readFileSync(from, 'utf8')) as readonly Readonly<Record<string, unknown>>[];
  const wanted = penguins.map((row) => JSON.stringify(Object.entries(row).map(([name, value]): [string, unknown] => [name, typeof value === 'number' ? Math.fround(value) : value]).sort()));

  test('are all imported, each into one split, with nothing added or changed', async () => {
    const root = out();
    const summary = await importExamples({ from, out: root, seed: 7 });
    const rows = (await Promise.all(['train', 'eval'].map((split) => examplesOf(root, split)))).flat().map((example) => JSON.stringify(Object.entries(plain(example)).sort()));
    expect(rows.sort()).toEqual([...wanted].sort());
    expect(summary).toMatchObject({ rows: 344, columns: expect.arrayContaining([{ name: 'Sex', type: 'BYTES', missing: penguins.filter((row) => row['Sex'] === null).length }]) });
    expect(JSON.parse(readFileSync(join(root, 'statistics.json'), 'utf8'))).toEqual(summary);
    expect(summary.splits['train']?.records).toBe((await examplesOf(root, 'train')).length);
  });

  test('have the same bytes for the same seed, and are split otherwise for another', async () => {
    const read = (root: string): string[] => (readdirSync(root, { recursive: true }) as string[]).filter((name) => name.includes('.')|| name.includes('data_')).sort().map((name) => `${name} ${readFileSync(join(root, name)).toString('base64')}`);
    const roots = [1, 1, 2].map((seed, i) => ({ seed, root: folder.path(`penguins${i}`) }));
    for (const { seed, root } of roots) await importExamples({ from, out: root, seed, recordsPerFile: 50 });
    const [a, b, c] = roots.map(({ root }) => read(root));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(readdirSync(folder.path('penguins0', 'Split-train'))).toContain('data_tfrecord-00005-of-00006.gz');
  });

  test('report their progress to the last byte', async () => {
    const seen: ImportProgress[] = [];
    await importExamples({ from, out: out(), onProgress: (progress) => seen.push(progress) });
    const totalBytes = readFileSync(from).length;
    expect(seen).toEqual([{ phase: 'INFER', rows: 344, bytes: totalBytes, totalBytes }, { phase: 'WRITE', rows: 344, bytes: totalBytes, totalBytes }]);
  });
});

test('an element of a JSON array is found however the file is read', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ a: i, text: `"quoted\\" [${i}] {,}`, filler: 'x'.repeat(i % 700) }));
  const from = source('.json', JSON.stringify(rows, null, 1));
  expect((await imported(from)).rows).toEqual(rows.map(({ a, text, filler }) => ({ a, text, filler })));
});

test.each<[string, object | undefined]>([
  ['1', { kind: 'INT', value: 1 }], ['-0', { kind: 'INT', value: 0 }], ['9223372036854775808', { kind: 'FLOAT', value: 2 ** 63 }],
  ['1.', { kind: 'FLOAT', value: 1 }], ['.5', { kind: 'FLOAT', value: 0.5 }], ['-1e-3', { kind: 'FLOAT', value: -0.001 }], ['+2', { kind: 'FLOAT', value: 2 }],
  ['007', undefined], ['00.5', undefined], ['1 000', undefined], ['0x10', undefined], ['NaN', undefined], ['', undefined], ['.', undefined],
])('the text %j says %j', (text, number) => {
  expect(readNumber(text)).toEqual(number);
});

test('shares are kept, and the split of a record depends on it and the seed alone', () => {
  const choose = splitChooser({ train: 3, eval: 1 }, 5);
  const records = Array.from({ length: 4000 }, (_, i) => Buffer.from(`record ${i}`));
  const train = records.filter((record) => choose(record) === 'train');
  expect(train.length).toBeGreaterThan(2900);
  expect(train.length).toBeLessThan(3100);
  fc.assert(fc.property(fc.uint8Array(), (record) => {
    expect(splitChooser({ train: 3, eval: 1 }, 5)(record)).toBe(choose(Uint8Array.from(record)));
  }));
});
