/** Real TFX data, against the tables that they were made of. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Columns, ParseSpec } from './example/parse-spec';
import { InProcessReader } from './readers/in-process-reader';
import { countRecords } from './records/record-stream';
import { readSchema } from './schema/parse-schema';
import { parseSpecOf } from './schema/schema-parse-spec';
import { temporaryFolder } from './testing/temporary-folder';
import { describeWithData, testData, testFiles } from './testing/test-data';

/** Each row as text: its features by name, null where there is no value. */
function rowsOf({ rowCount, columns }: Columns): string[] {
  return Array.from({ length: rowCount }, (_, row) => JSON.stringify([...columns].map(([name, column]): [string, unknown] => {
    const [from, to] = column.kind === 'VAR_LEN' ? [column.rowSplits[row] ?? 0, column.rowSplits[row + 1] ?? 0] : [row, row + 1];
    if (to === from) return [name, null];
    if (column.dtype === 'string') return [name, Buffer.from(column.bytes.subarray(column.offsets[from], column.offsets[to])).toString('utf8')];
    const value = column.values[from];
    return [name, typeof value === 'bigint' ? value.toString() : value];
  }).sort()));
}

/** Rows that only one of two multisets has. */
function difference(rows: readonly string[], wanted: readonly string[]): { added: string[]; lost: string[] } {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  for (const row of wanted) counts.set(row, (counts.get(row) ?? 0) - 1);
  return { added: [...counts].flatMap(([row, count]) => (count > 0 ? [row] : [])), lost: [...counts].flatMap(([row, count]) => (count < 0 ? [row] : [])) };
}

describeWithData('real TFX data', () => {
  const folder = temporaryFolder();
  const reader = new InProcessReader({ cacheFolder: folder.path('cache') });
  afterAll(() => reader.close());

  async function readFiles(files: readonly string[], spec: ParseSpec): Promise<string[]> {
    const rows: string[] = [];
    for (const file of files) {
      const count = await countRecords(file);
      rows.push(...rowsOf(await reader.read({ files: [file], spec, fileOfRow: new Uint32Array(count), recordOfRow: Float64Array.from({ length: count }, (_, i) => i) })));
    }
    return rows;
  }

  function table(path: string, spec: ParseSpec): string[] {
    const rows = parse(readFileSync(testData(path)), { columns: true }) as unknown as Readonly<Record<string, string>>[];
    return rows.map((row) => JSON.stringify(spec.map(({ name, stored }): [string, unknown] => {
      const text = row[name] ?? '';
      if (text === '') return [name, null];
      return [name, stored === 'float' ? Math.fround(Number(text)) : stored === 'int64' ? BigInt(text).toString() : text];
    }).sort()));
  }

  test('the taxi records are the 15,000 rows of data.csv', async () => {
    const spec = parseSpecOf(await readSchema(testData('taxi', 'schema_gen', 'schema.pbtxt')));
    const rows = await readFiles([...testFiles('taxi', 'csv_example_gen', 'Split-train'), ...testFiles('taxi', 'csv_example_gen', 'Split-eval')], spec);
    expect(rows).toHaveLength(15_000);
    // The run that made the records left out the first two rows of this table.
    expect(difference(rows, table('taxi/data.csv', spec).slice(2))).toEqual({ added: [], lost: [] });
  });

  test('the penguin records are the 334 rows of penguins_processed.csv', async () => {
    const spec = parseSpecOf(await readSchema(testData('penguin', 'schema', 'schema.pbtxt')));
    const rows = await readFiles([...testFiles('penguin', 'data', 'Split-train'), ...testFiles('penguin', 'data', 'Split-eval')], spec);
    expect(rows).toHaveLength(334);
    expect(difference(rows, table('penguin/penguins_processed.csv', spec))).toEqual({ added: [], lost: [] });
  });

  test('the transformed taxi records are 9,909 for training and 5,091 for evaluation', async () => {
    const counts = await Promise.all(['train', 'eval'].map((split) => countRecords(testFiles('taxi', 'transform', 'transformed_examples', `Split-${split}`)[0] ?? '')));
    expect(counts).toEqual([9909, 5091]);
  });

  test('the digits are 1,000 images of 784 values in [-0.5, 0.5]', async () => {
    const file = testData('mnist', 'mnist.tfrecord');
    const { columns } = await reader.read({
      files: [file], fileOfRow: new Uint32Array(1000), recordOfRow: Float64Array.from({ length: 1000 }, (_, i) => i),
      spec: [
        { name: 'image', column: 'image_floats', stored: 'float', dtype: 'float32', layout: 'DENSE', shape: [28, 28] },
        { name: 'class', column: 'image_class', stored: 'int64', dtype: 'int32', layout: 'DENSE', shape: [] },
      ],
    });
    const [image, label] = ['image', 'class'].map((name) => columns.get(name));
    expect(image?.dtype === 'float32' && image.values.length === 784_000 && image.values.every((value) => value >= -0.5 && value <= 0.5)).toBe(true);
    expect(image?.dtype === 'float32' && new Set(image.values).size).toBeGreaterThan(200);
    expect(label?.dtype === 'int32' && [...new Set(label.values)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await countRecords(file)).toBe(1000);
  });
});
