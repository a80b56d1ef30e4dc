import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { ExamplesError } from '../examples-error';
import { temporaryFolder } from '../testing/temporary-folder';
import { thrownBy } from '../testing/thrown';
import { encodeFrame } from './record-frame';
import { RecordStore } from './record-store';
import { countRecords, decodeRecords, readRecords } from './record-stream';
import { writeRecordFile } from './record-writer';

const folder = temporaryFolder();
let files = 0;
const newPath = (suffix = ''): string => folder.path(`f${files++}${suffix}`);

async function readAll(file: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { data } of readRecords(file)) found.push(data.toString('latin1'));
  return found;
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield await Promise.resolve(Buffer.from(bytes.subarray(i, i + size)));
}

const RECORDS = ['first', '', 'third record', 'x'.repeat(5000)];
const FRAMES = Buffer.concat(RECORDS.map((text) => encodeFrame(Buffer.from(text, 'latin1'))));
const OFFSETS = [0, 21, 37, 65];

test.each([false, true])('a file that was written reads back (gzip %s)', async (gzip) => {
  const file = newPath('.tfrecord');
  expect(await writeRecordFile(file, RECORDS.map((text) => Buffer.from(text)), { gzip })).toBe(4);
  expect(await readAll(file)).toEqual(RECORDS);
  expect(await countRecords(file)).toBe(4);
  const bytes = readFileSync(file);
  expect(gzip ? gunzipSync(bytes) : bytes).toEqual(FRAMES);
});

test('the frame is TensorFlow\'s (TFRecordWriter, b"abc")', () => {
  expect(encodeFrame(Buffer.from('abc')).toString('hex')).toBe('0300000000000000b099490e6162636e57f121');
});

test('gzip holds no time and no operating system, so equal records have equal bytes', async () => {
  const [a, b] = [newPath(), newPath()];
  for (const file of [a, b]) await writeRecordFile(file, [Buffer.from('same')], { gzip: true });
  expect(readFileSync(a)).toEqual(readFileSync(b));
  expect(readFileSync(a).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
});

test.each(['.gz', '.tfrecord'])('compression is told by the bytes, not by the name %s', async (suffix) => {
  const plain = newPath(suffix);
  const gzip = newPath(suffix);
  writeFileSync(plain, FRAMES);
  writeFileSync(gzip, gzipSync(FRAMES));
  expect(await readAll(plain)).toEqual(RECORDS);
  expect(await readAll(gzip)).toEqual(RECORDS);
});

test('members of gzip that were concatenated are read one after the other', async () => {
  const file = newPath();
  writeFileSync(file, Buffer.concat([gzipSync(FRAMES), gzipSync(FRAMES)]));
  expect(await countRecords(file)).toBe(8);
});

test('an empty file has no records', async () => {
  const file = newPath();
  writeFileSync(file, '');
  expect(await countRecords(file)).toBe(0);
});

test('records are found however the bytes are cut into chunks', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }), fc.integer({ min: 1, max: 200 }), async (records, size) => {
    const found: Buffer[] = [];
    for await (const { data } of decodeRecords('f', chunked(Buffer.concat(records.map(encodeFrame)), size), true)) found.push(Buffer.from(data));
    expect(found).toEqual(records.map((record) => Buffer.from(record)));
  }));
});

const flipped = (at: number): Buffer => {
  const bytes = Buffer.from(FRAMES);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
};

test.each<[string, Buffer, object, RegExp]>([
  ['a length that was changed', flipped(37), { reason: 'CORRUPT', details: { record: 2, offset: 37, check: 'length CRC' } }, /record 2 of .* \(at byte 37\) is corrupt: the CRC of its length/],
  ['the CRC of a length', flipped(46), { reason: 'CORRUPT', details: { record: 2, offset: 37, check: 'length CRC' } }, /copy or write the file again/],
  ['data that were changed', flipped(50), { reason: 'CORRUPT', details: { record: 2, offset: 37, check: 'data CRC' } }, /the CRC of its data does not fit/],
  ['the CRC of data', flipped(36), { reason: 'CORRUPT', details: { record: 1, offset: 21, check: 'data CRC' } }, /record 1/],
  ['a header that is cut off', FRAMES.subarray(0, 40), { reason: 'TRUNCATED', details: { record: 2, offset: 37, check: 'length' } }, /the file ends within its header/],
  ['data that are cut off', FRAMES.subarray(0, 5000), { reason: 'TRUNCATED', details: { record: 3, offset: 65, check: 'length' } }, /the file ends within its data/],
  ['text', Buffer.from('a,b,c\n1,2,3\n4,5,6\n'), { reason: 'CORRUPT', details: { record: 0, offset: 0, check: 'length CRC' } }, /is this a TFRecord file/],
])('finds %s, plain and in gzip', async (_what, bytes, wanted, message) => {
  for (const contents of [bytes, gzipSync(bytes)]) {
    const file = newPath();
    writeFileSync(file, contents);
    const error = await thrownBy(() => readAll(file));
    expect(error).toMatchObject(wanted);
    expect(error.details.file).toBe(file);
    expect(error.message).toMatch(message);
  }
});

test.each<[string, (gzip: Buffer) => Buffer, string]>([
  ['is cut off', (gzip) => gzip.subarray(0, gzip.length - 12), 'TRUNCATED'],
  ['is damaged', (gzip) => Buffer.concat([gzip.subarray(0, 12), Buffer.alloc(20, 0xff), gzip.subarray(32)]), 'BAD_GZIP'],
])('a gzip stream that %s is named as such', async (_what, damage, reason) => {
  const file = newPath('.gz');
  writeFileSync(file, damage(gzipSync(FRAMES)));
  const error = await thrownBy(() => readAll(file));
  expect(error).toMatchObject({ reason, details: { file } });
  expect(error.message).toContain(file);
});

test('a file that does not exist is named', async () => {
  const error = await thrownBy(() => countRecords(folder.path('missing')));
  expect(error).toMatchObject({ reason: 'UNREADABLE_FILE', details: { file: folder.path('missing') } });
});

test.each([false, true])('a file that exists is not overwritten, and one that fails is not left behind (gzip %s)', async (gzip) => {
  const file = newPath();
  writeFileSync(file, 'mine');
  expect(await thrownBy(() => writeRecordFile(file, [Buffer.from('a')], { gzip }))).toMatchObject({ reason: 'UNREADABLE_FILE' });
  expect(readFileSync(file, 'utf8')).toBe('mine');
  const failing = newPath();
  async function* records(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.alloc(100_000));
    throw new TypeError('no more');
  }
  await expect(writeRecordFile(failing, records(), { gzip })).rejects.toThrow(TypeError);
  expect(existsSync(failing)).toBe(false);
});

describe('RecordStore', () => {
  const open = (name: string): RecordStore => new RecordStore({ cacheFolder: folder.path(name), memoryBytes: 1 << 20 });
  const texts = Array.from({ length: 300 }, (_, i) => `record ${i} ${'y'.repeat((i * 977) % 3000)}`);

  test.each([false, true])('reads any record in any order (gzip %s)', async (gzip) => {
    const file = newPath();
    await writeRecordFile(file, texts.map((text) => Buffer.from(text)), { gzip });
    const store = open('cache-order');
    const index = await store.open(file);
    expect(index.offsets).toHaveLength(301);
    for (let i = 0; i < 300; i++) {
      const record = (i * 181) % 300;
      expect(Buffer.from(store.read(index, record)).toString()).toBe(texts[record]);
    }
    expect(await thrownBy(() => store.read(index, 300))).toMatchObject({ reason: 'NO_SUCH_RECORD', details: { file, record: 300 } });
    store.close();
  });

  test('a record larger than the memory is read', async () => {
    const file = newPath();
    const large = Buffer.alloc(3 << 20, 'z');
    await writeRecordFile(file, [Buffer.from('a'), large, Buffer.from('b')], { gzip: false });
    const store = open('cache-large');
    const index = await store.open(file);
    expect(large.equals(store.read(index, 1))).toBe(true);
    expect(Buffer.from(store.read(index, 2)).toString()).toBe('b');
    store.close();
  });

  test('a gzip file is decompressed once, and again when it changes', async () => {
    const file = newPath('.gz');
    const cache = folder.path('cache-once');
    const contents = async (): Promise<string> => {
      const store = new RecordStore({ cacheFolder: cache });
      const first = Buffer.from(store.read(await store.open(file), 0)).toString();
      store.close();
      return first;
    };
    writeFileSync(file, gzipSync(encodeFrame(Buffer.from('old'))));
    expect(await contents()).toBe('old');
    const cached = readdirSync(cache).sort();
    expect(cached).toHaveLength(2);
    const made = cached.map((name) => statSync(folder.path('cache-once', name)).ino);
    expect(await contents()).toBe('old');
    expect(cached.map((name) => statSync(folder.path('cache-once', name)).ino)).toEqual(made);
    writeFileSync(file, gzipSync(encodeFrame(Buffer.from('new'))));
    utimesSync(file, 1, 1);
    expect(await contents()).toBe('new');
  });

  test.each<[string, (path: string) => void]>([
    ['was cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 20))],
    ['has a flipped bit', (path) => {
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(9) ^ 1, 9);
      writeFileSync(path, bytes);
    }],
    ['is longer', (path) => appendFileSync(path, 'x')],
  ])('an index in the cache that %s is made anew', async (what, damage) => {
    const file = newPath();
    const cache = folder.path(`cache ${what}`);
    writeFileSync(file, FRAMES);
    const read = async (): Promise<readonly number[]> => {
      const store = new RecordStore({ cacheFolder: cache });
      const { offsets } = await store.open(file);
      store.close();
      return [...offsets];
    };
    await read();
    const [index = ''] = readdirSync(cache);
    damage(`${cache}/${index}`);
    expect(await read()).toEqual([...OFFSETS, FRAMES.length]);
  });

  test('data are checked when they are read, and the record is named', async () => {
    const file = newPath();
    writeFileSync(file, flipped(50));
    const store = open('cache-corrupt');
    const index = await store.open(file);
    expect(Buffer.from(store.read(index, 0)).toString()).toBe('first');
    expect(await thrownBy(() => store.read(index, 2))).toMatchObject({ reason: 'CORRUPT', details: { file, record: 2, offset: 37, check: 'data CRC' } });
    store.close();
  });

  test('a truncated gzip file leaves nothing in the cache', async () => {
    const file = newPath('.gz');
    writeFileSync(file, gzipSync(FRAMES.subarray(0, 3000)));
    const cache = folder.path('cache-truncated');
    await expect(new RecordStore({ cacheFolder: cache }).open(file)).rejects.toThrow(ExamplesError);
    expect(readdirSync(cache)).toEqual([]);
  });
});
