import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeExample } from '../example/encode-example';
import type { ParseSpec } from '../example/parse-spec';
import { writeRecordFile } from '../records/record-writer';
import { temporaryFolder } from '../testing/temporary-folder';
import { thrownBy } from '../testing/thrown';
import { InProcessReader } from './in-process-reader';
import { createReaderPool, ReaderPool } from './reader-pool';
import type { RowReader, RowRequest } from './row-reader';

const folder = temporaryFolder();
const cacheFolder = folder.path('cache');
const spec: ParseSpec = [
  { name: 'number', column: 'number', stored: 'int64', dtype: 'int32', layout: 'DENSE', shape: [1] },
  { name: 'text', column: 'text', stored: 'bytes', dtype: 'string', layout: 'VAR_LEN' },
];
const files = [folder.path('a'), folder.path('b.gz')];

beforeAll(async () => {
  for (const [f, file] of files.entries()) {
    const records = Array.from({ length: 50 }, (_, i) => encodeExample(new Map([
      ['number', { kind: 'int64', values: [f * 100 + i] }],
      ['text', { kind: 'bytes', values: [Buffer.from(`t${i}`)] }],
    ])));
    await writeRecordFile(file, records, { gzip: f === 1 });
  }
});

const request = (rows: readonly (readonly [number, number])[], of: Partial<RowRequest> = {}): RowRequest => ({
  files, spec, fileOfRow: Uint32Array.from(rows, ([file]) => file), recordOfRow: Float64Array.from(rows, ([, record]) => record), ...of,
});

const readers: readonly [string, () => RowReader][] = [
  ['the pool', () => createReaderPool({ cacheFolder, threads: 2 })],
  ['the reader in process', () => new InProcessReader({ cacheFolder })],
];

describe.each(readers)('%s', (_name, create) => {
  let reader: RowReader;
  beforeEach(() => (reader = create()));
  afterEach(() => reader.close());

  test('reads rows of several files in the order asked for', async () => {
    const { rowCount, columns } = await reader.read(request([[1, 7], [0, 3], [1, 0]]));
    expect(rowCount).toBe(3);
    expect(columns.get('number')).toMatchObject({ values: Int32Array.of(107, 3, 100) });
    expect(columns.get('text')).toMatchObject({ bytes: Uint8Array.from(Buffer.from('t7t3t0')), rowSplits: Uint32Array.of(0, 1, 2, 3) });
  });

  test('answers many requests, each with its own rows', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => reader.read(request([[i % 2, i]]))));
    expect(answers.map(({ columns }) => columns.get('number'))).toMatchObject(Array.from({ length: 40 }, (_, i) => ({ values: Int32Array.of((i % 2) * 100 + i) })));
  });

  test('an error keeps its class, reason, place and words', async () => {
    const missing: ParseSpec = [{ name: 'n', column: 'absent', stored: 'float', dtype: 'float32', layout: 'DENSE', shape: [1] }];
    const error = await thrownBy(() => reader.read(request([[0, 0], [1, 5]], { spec: missing })));
    expect(error).toMatchObject({ reason: 'MISSING_FEATURE', details: { file: files[0], record: 0, feature: 'absent' } });
    expect(error.message).toMatch(/feature absent is missing/);
    expect((await reader.read(request([[0, 1]]))).rowCount).toBe(1);
  });

  test.each<[string, RowRequest, string]>([
    ['a record that does not exist', request([[0, 50]]), 'NO_SUCH_RECORD'],
    ['a file that does not exist', request([[0, 0]], { files: [folder.path('none')] }), 'UNREADABLE_FILE'],
    ['a file that the request does not name', request([[2, 0]]), 'BAD_ARGUMENT'],
  ])('refuses %s', async (_what, bad, reason) => {
    expect(await thrownBy(() => reader.read(bad))).toMatchObject({ reason });
  });
});

test('a request that passes its deadline names its files, and the pool goes on with a new thread', async () => {
  const pool = new ReaderPool({ cacheFolder, timeoutMs: 1 }, hangingThread());
  const error = await thrownBy(() => pool.read(request([[0, 0]])));
  expect(error.reason).toBe('DEADLINE');
  expect(error.message).toContain(files[0]);
  expect(await thrownBy(() => pool.read(request([[1, 0]])))).toMatchObject({ reason: 'DEADLINE' });
  await pool.close();
});

test('a thread that ends takes its requests with it, by name', async () => {
  const ending = folder.path('ending.cjs');
  writeFileSync(ending, "require('node:worker_threads').parentPort.on('message', () => process.exit(3));");
  const pool = new ReaderPool({ cacheFolder }, ending);
  const error = await thrownBy(() => pool.read(request([[0, 0]])));
  expect(error.reason).toBe('READER_LOST');
  expect(error.message).toMatch(/code 3/);
  expect(error.message).toContain(files[0]);
  await pool.close();
});

test('close() refuses what is under way and what comes after it', async () => {
  const pool = new ReaderPool({ cacheFolder }, hangingThread());
  const underWay = Array.from({ length: 5 }, () => thrownBy(() => pool.read(request([[0, 0]]))));
  await pool.close();
  expect((await Promise.all(underWay)).map(({ reason }) => reason)).toEqual(Array.from({ length: 5 }, () => 'CLOSED'));
  expect(await thrownBy(() => pool.read(request([[0, 0]])))).toMatchObject({ reason: 'CLOSED' });
});

test.each<[string, string, string]>([
  ['ends by itself while threads are idle', '', '4'],
  ['outlives the threads that it closes', ".then(() => pool.close()).then(() => process.stdout.write(' closed'))", '4 closed'],
])('a process %s', (_what, then, output) => {
  const program = `
    const { createReaderPool } = require(${JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))});
    const pool = createReaderPool({ cacheFolder: ${JSON.stringify(cacheFolder)} });
    pool.read({ files: ${JSON.stringify(files)}, spec: ${JSON.stringify(spec)}, fileOfRow: Uint32Array.of(0), recordOfRow: Float64Array.of(4) })
      .then(({ columns }) => process.stdout.write(String(columns.get('number').values[0])))${then};
  `;
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 30_000 })).toBe(output);
});

test.each([{ threads: 0 }, { timeoutMs: 0 }, { timeoutMs: 2 ** 31 }])('a pool with %j is refused', async (options) => {
  expect(await thrownBy(() => createReaderPool({ cacheFolder, ...options }))).toMatchObject({ reason: 'BAD_ARGUMENT' });
});

/** A thread that never answers. */
function hangingThread(): string {
  const path = folder.path('hanging.cjs');
  writeFileSync(path, "require('node:worker_threads').parentPort.on('message', () => undefined);");
  return path;
}
