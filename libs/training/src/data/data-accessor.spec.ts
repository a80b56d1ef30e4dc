import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReaderPool, encodeExample, ExamplesError, InProcessReader, parseSchema, writeRecordFile, type FeatureValue, type RowReader, type RowRequest } from '@lockstep/examples';
import { evenPart } from '@lockstep/reduction';
import { Ledger, ShardingError } from '@lockstep/sharding';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { BATCH_SOURCE, hasBatchSource, type BatchSource } from '../batch-source';
import { TrainingError } from '../errors';
import { createDataAccessor, type DataAccessor, type DataAccessorOptions } from './data-accessor';
import type { DatasetOptions } from './dataset-options';
import type { ExampleFiles } from './example-files';
import type { LabelledRows } from './examples-dataset';
import { openLocalExamples } from './local-example-files';

const SCHEMA = parseSchema(`
  feature { name: "id" type: INT presence { min_fraction: 1 } shape { } }
  feature { name: "x" type: FLOAT presence { min_fraction: 1 } shape { dim { size: 2 } } }
  feature { name: "maybe" type: FLOAT value_count { min: 1 max: 1 } }
  feature { name: "tags" type: BYTES value_count { min: 0 max: 2 } }
  feature { name: "large" type: INT }
`, 'schema.pbtxt');
const FILES = [30, 0, 50, 23];
const RECORDS = 103;
const NARROW = { features: ['id', 'x', 'maybe', 'tags'] } as const;

const folder = mkdtempSync(join(tmpdir(), 'lockstep-data-'));
const pattern = join(folder, 'Split-train', 'data-*');
let files: ExampleFiles;
let reader: RowReader;

const exampleOf = (id: number): Uint8Array => encodeExample(new Map<string, FeatureValue>([
  ['id', { kind: 'int64', values: [id] }],
  ['x', { kind: 'float', values: [id / 4, -id] }],
  ['maybe', id % 3 === 0 ? { kind: 'none' } : { kind: 'float', values: [id] }],
  ['tags', { kind: 'bytes', values: Array.from({ length: id % 3 }, (_, i) => Buffer.from(`tag ${id}.${i}`)) }],
  ['large', { kind: 'int64', values: [17031841900 + id] }],
]));

beforeAll(async () => {
  await tf.setBackend('cpu');
  mkdirSync(join(folder, 'Split-train'));
  let id = 0;
  for (const [i, count] of FILES.entries()) {
    await writeRecordFile(join(folder, 'Split-train', `data-${i}`), Array.from({ length: count }, () => exampleOf(id++)), { gzip: i % 2 === 1 });
  }
  writeFileSync(join(folder, 'Split-train', '.data-hidden'), 'no records');
  files = await openLocalExamples([pattern]);
  reader = new InProcessReader({ cacheFolder: join(folder, 'cache') });
});
afterAll(async () => {
  await reader.close();
  rmSync(folder, { recursive: true, force: true });
});

const accessor = (options: Partial<DataAccessorOptions> = {}): DataAccessor => createDataAccessor({ files, reader, seed: 11, schema: SCHEMA, ...options });
const dataset = (options: Partial<DatasetOptions> = {}, from = accessor()) => from.tfDatasetFactory(pattern, { batchSize: 8, ...NARROW, ...options });

/** Reads an element's tensors and disposes of them. */
function take(element: unknown): Record<string, unknown> {
  const features = element as Record<string, tf.Tensor>;
  const values = Object.fromEntries(Object.entries(features).map(([name, tensor]) => [name, tensor.arraySync()]));
  tf.dispose(features);
  return values;
}
async function idsOf(source: BatchSource, step: number, from = 0, to = source.rowCount(step)): Promise<number[]> {
  return take((await source.rows(step, { from, to })).element)['id'] as number[];
}

test('without shuffle, elements hold the rows of the files in order, with the schema\'s shapes', async () => {
  const elements: Record<string, unknown>[] = [];
  await dataset({ shuffle: false, numEpochs: 1, batchSize: 60 }).forEachAsync((element) => {
    const tensors = element as Record<string, tf.Tensor>;
    expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, `${dtype} ${shape.slice(1).join('x')}`]))).toEqual({ id: 'int32 ', x: 'float32 2', maybe: 'float32 1', tags: 'string 2' });
    elements.push(take(tensors));
  });
  const ids = Array.from({ length: RECORDS }, (_, id) => id);
  expect(elements.map(({ id }) => (id as number[]).length)).toEqual([60, 43]);
  expect(elements.flatMap(({ id }) => id)).toEqual(ids);
  expect(elements.flatMap(({ x }) => x)).toEqual(ids.map((id) => [id / 4, id === 0 ? -0 : -id]));
  expect(elements.flatMap(({ maybe }) => maybe)).toEqual(ids.map((id) => [id % 3 === 0 ? 0 : id]));
  expect(elements.flatMap(({ tags }) => tags)).toEqual(ids.map((id) => [0, 1].map((i) => (i < id % 3 ? `tag ${id}.${i}` : ''))));
});

test.each([
  { replicas: 4, shuffle: true, dropFinalBatch: false },
  { replicas: 3, shuffle: true, dropFinalBatch: true },
  { replicas: 11, shuffle: false, dropFinalBatch: false },
])('the parts of $replicas replicas, each from a dataset of its own, make up every batch (shuffle $shuffle)', async ({ replicas, ...options }) => {
  const create = (): BatchSource => dataset({ numEpochs: 2, ...options })[BATCH_SOURCE]();
  const whole = create();
  const members = Array.from({ length: replicas }, create);
  for (let step = 0; step < whole.stepCount; step++) {
    const rowCount = whole.rowCount(step);
    const parts = await Promise.all(members.map(async (member, replica) => {
      const range = evenPart(rowCount, replicas, replica);
      return range.from === range.to ? [] : idsOf(member, step, range.from, range.to);
    }));
    expect(parts.flat()).toEqual(await idsOf(whole, step));
  }
  expect(whole.stepCount).toBe(options.dropFinalBatch ? 25 : 26);
});

test('a ledger of four workers over three shuffled passes is disjoint and complete', async () => {
  const ledger = new Ledger({ recordCount: RECORDS, windowPositions: 16 });
  const replicas = 4;
  for (let worker = 0; worker < replicas; worker++) {
    const source = dataset({ numEpochs: 3 })[BATCH_SOURCE]();
    for (let step = 0; step < source.stepCount; step++) {
      const { from, to } = evenPart(source.rowCount(step), replicas, worker);
      const { element, visits } = await source.rows(step, { from, to });
      // What it says that it read is what it read: the ids are the records' numbers.
      expect(visits.map(({ record }) => record)).toEqual(take(element)['id']);
      ledger.record({ position: `step ${step}`, replica: worker, reader: `worker ${worker}`, visits });
    }
  }
  const { completePasses, partialPasses, rowsByReader } = ledger.check();
  expect({ completePasses, partialPasses }).toEqual({ completePasses: 3, partialPasses: [] });
  expect(Object.values(rowsByReader).reduce((a, b) => a + b, 0)).toBe(3 * RECORDS);
});

test.each(['FILE', 'OFF'] as const)('policy %s: each replica, from a dataset of its own, reads its plan\'s records', async (shardPolicy) => {
  const replicas = 3;
  const from = accessor({ replicas });
  const seen = new Map<number, number>();
  const read = await Promise.all(Array.from({ length: replicas }, async (_, replica) => {
    const source = dataset({ numEpochs: 1, shardPolicy }, from)[BATCH_SOURCE]();
    const ids: number[] = [];
    for (let step = 0; step < source.stepCount; step++) {
      const part = source.parts?.(step, replicas)[replica];
      if (part && part.from < part.to) ids.push(...await idsOf(source, step, part.from, part.to));
    }
    return ids;
  }));
  for (const id of read.flat()) seen.set(id, (seen.get(id) ?? 0) + 1);
  expect(seen.size).toBe(RECORDS);
  expect([...new Set(seen.values())]).toEqual([shardPolicy === 'FILE' ? 1 : replicas]);
  // The second file has no records, so that the first replica has the first of the three others.
  if (shardPolicy === 'FILE') expect(read.map((ids) => [ids.length, Math.min(...ids), Math.max(...ids)])).toEqual([[30, 0, 29], [50, 30, 79], [23, 80, 102]]);
});

test('policy FILE needs a file for each replica', () => {
  expect(() => dataset({ shardPolicy: 'FILE' }, accessor({ replicas: 4 }))).toThrow(/deals whole files to 4 logical replicas, but .* has 3 with records: write the examples as at least 4 files/);
});

test('seeds, iterations and passes have orders of their own, and each is always the same', async () => {
  const first = async (options: Partial<DatasetOptions>, iteration: number, step: number): Promise<string> =>
    (await idsOf(dataset({ batchSize: RECORDS, ...options })[BATCH_SOURCE](iteration), step)).join();
  const orders = await Promise.all([first({}, 0, 0), first({}, 0, 1), first({}, 1, 0), first({ shuffleSeed: 12 }, 0, 0)]);
  expect(new Set(orders).size).toBe(4);
  expect(await first({}, 1, 0)).toBe(orders[2]);
  expect(await first({ shuffleSeed: 11 }, 0, 0)).toBe(orders[0]);
});

test('the same records under other names are read in the same order', async () => {
  const elsewhere = join(folder, 'elsewhere');
  cpSync(join(folder, 'Split-train'), elsewhere, { recursive: true });
  const moved = createDataAccessor({ files: await openLocalExamples([join(elsewhere, '*')]), reader, seed: 11, schema: SCHEMA })
    .tfDatasetFactory(join(elsewhere, '*'), { batchSize: RECORDS, ...NARROW });
  expect(await idsOf(moved[BATCH_SOURCE](), 0)).toEqual(await idsOf(dataset({ batchSize: RECORDS })[BATCH_SOURCE](0), 0));
});

test('the label is apart from the features, and its integers may be floats', async () => {
  const [element] = await accessor().tfDatasetFactory([pattern], { batchSize: 2, shuffle: false, labelKey: 'large', features: ['id'], dtypes: { large: 'float32' } }).take(1).toArray() as LabelledRows[];
  expect(Object.keys(element?.xs ?? {})).toEqual(['id']);
  expect(element?.ys.dtype).toBe('float32');
  expect(element?.ys.arraySync()).toEqual([[Math.fround(17031841900)], [Math.fround(17031841901)]]);
  tf.dispose(element);
});

test('what stands for a missing value can be chosen', async () => {
  const source = dataset({ shuffle: false, missingValues: { maybe: -1, tags: 'none' } })[BATCH_SOURCE]();
  const { maybe, tags } = take((await source.rows(0, { from: 3, to: 5 })).element);
  expect(maybe).toEqual([[-1], [4]]);
  expect(tags).toEqual([['none', 'none'], ['tag 4.0', 'none']]);
});

describe('mapRows', () => {
  const stacked = (options: Partial<DatasetOptions> = {}) => accessor()
    .tfDatasetFactory(pattern, { batchSize: 8, labelKey: 'id', features: ['x', 'maybe'], numEpochs: 1, ...options })
    .mapRows(({ xs, ys }) => ({ xs: tf.concat([xs['x'], xs['maybe']].flatMap((tensor) => (tensor ? [tensor] : [])), 1), ys }))
    .mapRows(({ xs, ys }) => ({ xs: tf.mul(xs, 2), ys: tf.oneHot(tf.mod(ys, tf.scalar(3, 'int32')), 3) }));

  test('keeps reading by replica, and cleans up', async () => {
    const mapped = stacked({ shuffle: false });
    expect(hasBatchSource(mapped)).toBe(true);
    const before = tf.memory().numTensors;
    const { xs, ys } = take((await mapped[BATCH_SOURCE]().rows(1, { from: 0, to: 2 })).element);
    expect(xs).toEqual([[4, -16, 16], [4.5, -18, 0]]);
    expect(ys).toEqual([[0, 0, 1], [1, 0, 0]]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('gives through tf.data what it gives by replica', async () => {
    const mapped = stacked();
    const source = mapped[BATCH_SOURCE]();
    const elements = await mapped.toArray();
    expect(elements).toHaveLength(13);
    for (const [step, element] of elements.entries()) {
      expect(take(element)).toEqual(take((await source.rows(step, { from: 0, to: source.rowCount(step) })).element));
    }
  });

  test('a plain map() works through tf.data and is no longer read by replica', async () => {
    const mapped = dataset({ numEpochs: 1, shuffle: false, batchSize: 50 }).map((element) => ({ sum: tf.sum((element as Record<string, tf.Tensor>)['id'] ?? 0) }));
    expect(hasBatchSource(mapped)).toBe(false);
    const sums: unknown[] = [];
    await mapped.forEachAsync((element) => void sums.push(take(element)['sum']));
    expect(sums).toEqual([1225, 3725, 303]);
  });
});

test.each<[Partial<DatasetOptions>, number]>([
  [{ numEpochs: 1 }, 13], [{ numEpochs: 1, dropFinalBatch: true }, 12], [{ numEpochs: 2 }, 26], [{}, Infinity],
])('the size with %j is %d', (options, size) => {
  expect(dataset(options).size).toBe(size);
  expect(dataset(options)[BATCH_SOURCE]().stepCount).toBe(size);
});

/** Counts what passes through it, and lets nothing through before it is told. */
class GatedReader implements RowReader {
  readonly requests: RowRequest[] = [];
  private readonly waiting: (() => void)[] = [];
  private open = false;

  constructor(private readonly inner: RowReader) {}

  async read(request: RowRequest) {
    this.requests.push(request);
    if (!this.open) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.inner.read(request);
  }

  release(): void {
    this.open = true;
    for (const go of this.waiting.splice(0)) go();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('reading ahead', () => {
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('is bounded, starts with prefetch(), and reads nothing twice', async () => {
    const gate = new GatedReader(reader);
    const source = dataset({ batchSize: 100 }, accessor({ reader: gate }))[BATCH_SOURCE]();
    source.prefetch?.(0, [{ from: 0, to: 50 }]);
    await settle();
    expect(gate.requests).toHaveLength(1);
    const rows = source.rows(0, { from: 0, to: 50 });
    await settle();
    // 512 rows ahead, in parts of 50.
    expect(gate.requests).toHaveLength(12);
    gate.release();
    tf.dispose((await rows).element);
    for (let step = 1; step < 5; step++) tf.dispose((await source.rows(step, { from: 0, to: 50 })).element);
    await settle();
    expect(gate.requests).toHaveLength(16);
  });

  test('a step that is redone, or asked for by another range, has the same rows', async () => {
    const source = dataset()[BATCH_SOURCE]();
    const [first, , again, part] = [await idsOf(source, 3), await idsOf(source, 4), await idsOf(source, 3), await idsOf(source, 3, 2, 5)];
    expect(again).toEqual(first);
    expect(part).toEqual(first.slice(2, 5));
  });

  test('the pool of threads reads what the reader in process reads', async () => {
    const pool = createReaderPool({ cacheFolder: join(folder, 'cache') });
    const [here, there] = [dataset()[BATCH_SOURCE](), dataset({}, accessor({ reader: pool }))[BATCH_SOURCE]()];
    for (let step = 0; step < 15; step++) {
      const range = { from: 0, to: here.rowCount(step) };
      expect(take((await there.rows(step, range)).element)).toEqual(take((await here.rows(step, range)).element));
    }
    await pool.close();
  });
});

test('a corrupt record fails the step that reads it, by file and record, and no other', async () => {
  const broken = join(folder, 'broken');
  const bytes = Buffer.from(readFileSync(join(folder, 'Split-train', 'data-0')));
  const copy = join(folder, 'whole');
  writeFileSync(copy, bytes);
  const local = await openLocalExamples([copy]);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 10) ^ 1, bytes.length - 10);
  writeFileSync(broken, bytes);
  // The file was whole when its records were counted.
  const source = accessor({ files: { shards: () => local.shards([copy]), localPath: () => Promise.resolve(broken) } })
    .tfDatasetFactory(copy, { batchSize: 5, shuffle: false, ...NARROW })[BATCH_SOURCE]();
  expect(await idsOf(source, 4)).toEqual([20, 21, 22, 23, 24]);
  await expect(source.rows(5, { from: 0, to: 5 })).rejects.toMatchObject({ name: 'ExamplesError', reason: 'CORRUPT', details: { file: broken, record: 29, check: 'data CRC' } });
  expect(await idsOf(source, 5, 0, 4)).toEqual([25, 26, 27, 28]);
  await expect(openLocalExamples([broken])).rejects.toMatchObject({ reason: 'CORRUPT', details: { file: broken, record: 29 } });
});

test.each<[string, Partial<DatasetOptions>, RegExp]>([
  ['a label that the schema lacks', { labelKey: 'species' }, /labelKey names the feature 'species', and schema.pbtxt describes id, x, maybe, tags, large/],
  ['a feature that the schema lacks', { features: ['y'] }, /features names the feature 'y'/],
  ['a batch size of 0', { batchSize: 0 }, /batchSize must be a positive integer, not 0/],
  ['a policy that there is not', { shardPolicy: 'AUTO' as never }, /shardPolicy must be one of DATA, FILE, OFF, not AUTO/],
  ['half an epoch', { numEpochs: 0.5 }, /numEpochs/],
  ['an empty buffer', { shuffleBufferSize: 0 }, /shuffleBufferSize/],
  ['a seed that is no integer', { shuffleSeed: NaN }, /shuffleSeed/],
  ['a dtype for floats', { dtypes: { x: 'int32' } }, /'x' holds float values/],
  ['text for a missing number', { missingValues: { maybe: '?' } }, /'\?' cannot stand for a missing value of 'maybe', which needs a number/],
  ['a number for a missing text', { missingValues: { tags: 0 } }, /needs a string/],
  ['a fraction for a missing integer', { missingValues: { id: 0.5 } }, /needs an integer/],
])('refuses %s by name', (_what, options, message) => {
  expect(() => dataset(options)).toThrow(TrainingError);
  expect(() => dataset(options)).toThrow(message);
});

test('an integer beyond 32 bits says what to do', async () => {
  const source = dataset({ features: ['large'] })[BATCH_SOURCE]();
  await expect(source.rows(0, { from: 0, to: 1 })).rejects.toThrow(/feature large has the value 170318419\d\d, which int32 cannot hold: ask for this feature as float32/);
});

test('a dataset needs a schema, files and records', async () => {
  const { schema: _schema, ...without } = { files, reader, seed: 1, schema: SCHEMA };
  expect(() => createDataAccessor(without).tfDatasetFactory(pattern, { batchSize: 1 })).toThrow(/needs a schema/);
  expect(createDataAccessor(without).tfDatasetFactory(pattern, { batchSize: 1, numEpochs: 1 }, SCHEMA).size).toBe(RECORDS);
  expect(() => accessor().tfDatasetFactory('other', { batchSize: 1 })).toThrow(ExamplesError);
  await expect(openLocalExamples([join(folder, 'none-*')])).rejects.toMatchObject({ reason: 'NO_FILES' });
  await expect(openLocalExamples([join(folder, 'nowhere', '*')])).rejects.toMatchObject({ reason: 'NO_FILES' });
  const empty = join(folder, 'Split-train', 'data-1');
  const nothing = createDataAccessor({ files: await openLocalExamples([empty]), reader, seed: 1, schema: SCHEMA });
  expect(() => nothing.tfDatasetFactory(empty, { batchSize: 1 })).toThrow(ShardingError);
});
