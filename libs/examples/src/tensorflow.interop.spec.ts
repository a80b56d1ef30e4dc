/** What TensorFlow in Python reads of files, against what is read here; and what it reads of files that were written here. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeExample } from './example/encode-example';
import type { FeatureValue } from './example/feature-value';
import type { Column, ParseSpec } from './example/parse-spec';
import { importExamples } from './import/import-examples';
import { InProcessReader } from './readers/in-process-reader';
import { countRecords } from './records/record-stream';
import { writeRecordFile } from './records/record-writer';
import { readSchema } from './schema/parse-schema';
import { parseSpecOf } from './schema/schema-parse-spec';
import { temporaryFolder } from './testing/temporary-folder';
import { describeWithData, testData, testFiles } from './testing/test-data';
import { describeWithTensorFlow, readWithTensorFlow, type TensorFlowColumn } from './testing/tensorflow';

const ALL_ROWS = 100_000;

function asTensorFlow(column: Column): TensorFlowColumn {
  const values = column.dtype === 'string'
    ? Array.from({ length: column.offsets.length - 1 }, (_, i) => Buffer.from(column.bytes.subarray(column.offsets[i], column.offsets[i + 1])).toString('base64'))
    : Array.from<number | bigint, number | string>(column.values, (value) => (typeof value === 'bigint' ? value.toString() : value));
  const rowLengths = column.kind === 'VAR_LEN' ? Array.from(column.rowSplits.subarray(1), (end, row) => end - (column.rowSplits[row] ?? 0)) : null;
  return { values, rowLengths };
}

describeWithTensorFlow('TensorFlow', () => {
  const folder = temporaryFolder();
  const reader = new InProcessReader({ cacheFolder: folder.path('cache') });
  afterAll(() => reader.close());

  async function readHere(files: readonly string[], spec: ParseSpec): Promise<Readonly<Record<string, TensorFlowColumn>>> {
    const counts = await Promise.all(files.map(countRecords));
    const { columns } = await reader.read({
      files, spec,
      fileOfRow: Uint32Array.from(counts.flatMap((count, file) => Array.from({ length: count }, () => file))),
      recordOfRow: Float64Array.from(counts.flatMap((count) => Array.from({ length: count }, (_, record) => record))),
    });
    return Object.fromEntries([...columns].map(([name, column]) => [name, asTensorFlow(column)]));
  }

  async function expectSame(files: readonly string[], gzip: boolean, spec: ParseSpec, rows: number): Promise<void> {
    const [wanted, ...more] = readWithTensorFlow(files, gzip, spec, ALL_ROWS);
    expect(more).toEqual([]);
    const found = await readHere(files, spec);
    const columns = Object.values(found);
    expect(Object.keys(found).sort()).toEqual(spec.map(({ name }) => name).sort());
    expect(columns.every(({ values, rowLengths }) => (rowLengths ?? values).length >= rows)).toBe(true);
    expect(found).toEqual(wanted);
  }

  describeWithData('on real TFX data', () => {
    test.each<[string, string, readonly string[], number]>([
      ['the penguins', 'penguin/schema/schema.pbtxt', ['penguin', 'data', 'Split-train'], 234],
      ['the penguins for evaluation', 'penguin/schema/schema.pbtxt', ['penguin', 'data', 'Split-eval'], 100],
      ['the raw taxi data', 'taxi/schema_gen/schema.pbtxt', ['taxi', 'csv_example_gen', 'Split-train'], 9909],
      ['the transformed taxi data', 'taxi/transform/transform_graph/transformed_metadata/schema.pbtxt', ['taxi', 'transform', 'transformed_examples', 'Split-eval'], 5091],
      ['the irises', 'tfx-iris-run/SchemaGen/schema/5/schema.pbtxt', ['tfx-iris-run', 'CsvExampleGen', 'examples', '2', 'training'], 1],
    ])('%s have the same values', async (_what, schema, path, rows) => {
      await expectSame(testFiles(...path), true, parseSpecOf(await readSchema(testData(schema))), rows);
    });
  });

  const spec: ParseSpec = [
    { name: 'ints', column: 'ints', stored: 'int64', dtype: 'int64', layout: 'VAR_LEN' },
    { name: 'floats', column: 'floats', stored: 'float', dtype: 'float32', layout: 'DENSE', shape: [2] },
    { name: 'bytes', column: 'bytes', stored: 'bytes', dtype: 'string', layout: 'VAR_LEN' },
  ];
  test.each([false, true])('reads what was written here (gzip %s)', async (gzip) => {
    const file = folder.path(`written-${gzip}`);
    const records = Array.from({ length: 500 }, (_, i) => encodeExample(new Map<string, FeatureValue>([
      ['ints', i % 7 === 0 ? { kind: 'none' } : { kind: 'int64', values: Array.from({ length: i % 4 }, (_v, k) => (k === 2 ? -(2n ** 63n) + BigInt(i) : i - 250)) }],
      ['floats', { kind: 'float', values: [i / 3, -1e30 / (i + 1)] }],
      ['bytes', { kind: 'bytes', values: i % 5 === 0 ? [] : [Buffer.from([i & 0xff, 0, 0xff]), Buffer.from('ü'.repeat(i))] }],
    ])));
    await writeRecordFile(file, records, { gzip });
    await expectSame([file], gzip, spec, 500);
  });

  test('reads the penguins that were imported here, with the schema that was inferred', async () => {
    const root = folder.path('penguins');
    await importExamples({ from: join(dirname(require.resolve('vega-datasets')), '..', 'data', 'penguins.json'), out: root });
    const imported = parseSpecOf(await readSchema(join(root, 'schema.pbtxt')));
    await expectSame(readdirSync(join(root, 'Split-train')).map((name) => join(root, 'Split-train', name)), true, imported, 250);
  });
});
