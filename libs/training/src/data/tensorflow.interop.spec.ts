/** A dataset that is not shuffled, row for row against tf.data in Python. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InProcessReader, parseSpecOf, readSchema } from '@lockstep/examples';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { createDataAccessor } from './data-accessor';
import { openLocalExamples } from './local-example-files';

const libraries = resolve(__dirname, '..', '..', '..');
const data = process.env['LOCKSTEP_TEST_DATA'] ?? resolve(libraries, '..', '..', 'shared', 'data');
const python = process.env['LOCKSTEP_PYTHON'];
const missing = !python ? 'LOCKSTEP_PYTHON names no Python with TensorFlow' : existsSync(data) ? undefined : 'no test data; set LOCKSTEP_TEST_DATA';

interface Case {
  readonly folder: string;
  readonly schema: string;
  readonly batchSize: number;
  readonly numEpochs: number;
  readonly float32?: readonly string[];
}

/** tf.data reads the same files in the order of their names. */
function readWithTensorFlow(files: readonly string[], features: object, batchSize: number, repeat: number) {
  const output = execFileSync(python ?? '', [join(libraries, 'examples', 'src', 'testing', 'read_with_tensorflow.py')], {
    input: JSON.stringify({ files, gzip: true, batchSize, repeat, features }), encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'],
  });
  return JSON.parse(output) as readonly Readonly<Record<string, { values: (number | string)[]; rowLengths: number[] | null }>>[];
}

const tests = (): void => {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'lockstep-data-interop-'));
  const reader = new InProcessReader({ cacheFolder });
  beforeAll(() => tf.setBackend('cpu'));
  afterAll(async () => {
    await reader.close();
    rmSync(cacheFolder, { recursive: true, force: true });
  });

  test.each<[string, Case]>([
    ['penguins, two passes', { folder: 'penguin/data/Split-train', schema: 'penguin/schema/schema.pbtxt', batchSize: 50, numEpochs: 2 }],
    ['raw taxi data', { folder: 'taxi/csv_example_gen/Split-eval', schema: 'taxi/schema_gen/schema.pbtxt', batchSize: 1000, numEpochs: 1, float32: ['pickup_census_tract', 'dropoff_census_tract'] }],
  ])('%s: every batch holds the rows that tf.data reads', async (_what, { folder, schema: schemaPath, batchSize, numEpochs, float32 = [] }) => {
    const files = readdirSync(join(data, folder)).sort().map((name) => join(data, folder, name));
    const schema = await readSchema(join(data, schemaPath));
    const spec = parseSpecOf(schema);
    const wanted = readWithTensorFlow(files, Object.fromEntries(spec.map((feature) => [feature.name, { dtype: feature.stored, shape: feature.layout === 'DENSE' ? feature.shape : null }])), batchSize, numEpochs);
    const pattern = join(data, folder, '*');
    const accessor = createDataAccessor({ files: await openLocalExamples([pattern]), reader, seed: 0, schema });
    const dataset = accessor.tfDatasetFactory(pattern, { batchSize, numEpochs, shuffle: false, dtypes: Object.fromEntries(float32.map((name) => [name, 'float32'])) });
    let step = 0;
    await dataset.forEachAsync((element) => {
      const batch = wanted[step++] ?? {};
      expect(Object.keys(element as object).sort()).toEqual(Object.keys(batch).sort());
      for (const [name, tensor] of Object.entries(element as Record<string, tf.Tensor>)) {
        const { values = [], rowLengths = null } = batch[name] ?? {};
        const typed = values.map((value) => (typeof value === 'number' ? value : tensor.dtype === 'string' ? Buffer.from(value, 'base64').toString() : tensor.dtype === 'float32' ? Math.fround(Number(value)) : Number(value)));
        // What tf.data leaves out of a row of no values is filled up here.
        let next = 0;
        const filled = rowLengths ? rowLengths.map((length) => (length === 0 ? (tensor.dtype === 'string' ? '' : 0) : typed[next++])) : typed;
        expect(Array.from<number | string, number | string>(tensor.dataSync() as unknown as ArrayLike<number | string>, (value) => value)).toEqual(filled);
      }
      tf.dispose(element);
    });
    expect(step).toBe(wanted.length);
    expect(step).toBeGreaterThan(1);
  });
};

if (missing === undefined) describe('tf.data in Python', tests);
else describe.skip(`tf.data in Python (skipped: ${missing})`, tests);
