/** Foreign programs against a running cluster: they know the .proto files, or the exported model, and nothing of ours. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExample, readRecords } from '@lockstep/examples';
import { layersModelIn } from '@lockstep/graph';
import { LocalCluster } from './cluster';
import { IMPORT_PENGUINS, moduleFile, ROOT } from './fixtures';
import { describeWithPython, runPython } from './foreign';

const PYTHON = join(ROOT, 'integration', 'clients', 'python');
const TIMEOUT_MS = 240_000;
const SCALES = ['Beak Length (mm)=0.1', 'Beak Depth (mm)=0.1', 'Flipper Length (mm)=0.01', 'Body Mass (g)=0.001'];

describeWithPython('a running cluster', () => {
  let cluster: LocalCluster;
  let module: string;
  beforeAll(async () => {
    cluster = await LocalCluster.start(2);
    await cluster.json(...IMPORT_PENGUINS);
    const jobs = await cluster.json<{ spec?: { module: string }; state?: string; result?: { model: string } }>('train', moduleFile('everything'), '--examples', 'penguins', '--output', 'ours', '--workers', '2', '--seed', '5');
    module = jobs.at(-1)?.spec?.module ?? '';
  }, TIMEOUT_MS);
  afterAll(() => cluster.stop(), 60_000);

  test('a Python client with the protos alone submits, watches, resumes and downloads', async () => {
    const to = join(cluster.folder, 'python-model');
    const { stdout } = await runPython(join(PYTHON, 'train.py'), [
      '--cluster', join(cluster.facts.data, 'cluster.json'), '--protos', join(ROOT, 'protos'),
      '--module', module, '--examples', 'artifacts/penguins/versions/1', '--output', 'theirs', '--to', to,
    ], { timeoutMs: TIMEOUT_MS });
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { violations: string[]; same_job: boolean; resumed_equals_whole: boolean; state: string; events: string[]; files: string[]; model_digest: string };
    expect(told.violations).toEqual(['spec.module', 'spec.examples', 'spec.output']);
    expect([told.same_job, told.resumed_equals_whole, told.state]).toEqual([true, true, 'JOB_STATE_SUCCEEDED']);
    expect(told.events[0]).toBe('created');
    expect(told.events).toEqual(expect.arrayContaining(['generation_formed', 'call_started', 'epoch_ended']));
    expect(told.files).toContain('Format-Layers/model.json');
    const ours = await cluster.json<{ result?: { modelDigest: string } }>('jobs', 'list');
    expect(ours.map((j) => j.result?.modelDigest)).toEqual([told.model_digest, told.model_digest]);
  }, TIMEOUT_MS);

  test("Python's TensorFlow serves the SavedModel: the layers model's outputs to 1e-5, through both signatures", async () => {
    const model = join(cluster.folder, 'model');
    const examples = join(cluster.folder, 'examples');
    for (const [version, to] of [['ours', model], ['penguins', examples]] as const) expect((await cluster.run('artifacts', 'get', version, '--to', to)).code).toBe(0);
    const records = readdirSync(join(examples, 'Split-eval'));
    const file = join(examples, 'Split-eval', records[0] ?? '');
    const { stdout } = await runPython(join(PYTHON, 'check_model.py'), [join(model, 'Format-Serving'), file, ...SCALES], { timeoutMs: TIMEOUT_MS });
    const served = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { default: number[][]; examples: number[][] };
    const expected = await outputsOfLayersModel(join(model, 'Format-Layers'), file);
    expect(expected.length).toBeGreaterThan(40);
    for (const rows of [served.default, served.examples]) {
      expect(rows).toHaveLength(expected.length);
      rows.forEach((row, i) => row.forEach((value, k) => expect(Math.abs(value - (expected[i]?.[k] ?? NaN))).toBeLessThan(1e-5)));
    }
  }, TIMEOUT_MS);
});

/** What the layers format gives on the same records, computed by plain TensorFlow.js. */
async function outputsOfLayersModel(folder: string, records: string): Promise<number[][]> {
  const tf = await import('@tensorflow/tfjs');
  const model = await tf.loadLayersModel(layersModelIn(folder));
  const rows: number[][] = [];
  for await (const record of readRecords(records)) {
    const example = decodeExample(record.data);
    rows.push(SCALES.map((column) => {
      const [name = '', scale] = column.split('=');
      const value = example.get(name);
      return (value?.kind === 'float' || value?.kind === 'int64' ? Number(value.values[0]) : NaN) * Number(scale);
    }));
  }
  return (model.predict(tf.tensor2d(rows)) as { arraySync(): number[][] }).arraySync();
}
