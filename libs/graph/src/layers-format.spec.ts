import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { GraphError } from './graph-error';
import { exportLayersModel, layersModelIn, MODEL_JSON } from './layers-format';
import { describeNative } from './testing/native';
import { SAMPLE_MODELS, setSampleWeights } from './testing/sample-models';

let root: string;
beforeAll(async () => {
  tf.env().set('IS_TEST', true); // The cpu backend advises a faster one otherwise.
  await tf.setBackend('cpu');
});
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lockstep-layers-')); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

const digests = (directory: string): readonly string[] =>
  readdirSync(directory).sort().map((name) => `${name} ${createHash('sha256').update(readFileSync(join(directory, name))).digest('hex')}`);

function large(): tf.LayersModel {
  const model = tf.sequential({ name: 'large', layers: [tf.layers.dense({ name: 'out', units: 1100, inputShape: [1000] })] });
  setSampleWeights(tf, model);
  return model;
}

async function reasonOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return error instanceof GraphError ? `${error.reason}: ${error.message}` : String(error);
  }
  return 'nothing was thrown';
}

describe('layers format', () => {
  test.each(SAMPLE_MODELS)('$kind: the same bytes again, and the same outputs after loading', async ({ make }) => {
    const model = make(tf);
    setSampleWeights(tf, model);
    await exportLayersModel({ tf, model, directory: join(root, 'a') });
    await exportLayersModel({ tf, model, directory: join(root, 'b') });
    expect(digests(join(root, 'b'))).toEqual(digests(join(root, 'a')));

    const loaded = await tf.loadLayersModel(layersModelIn(join(root, 'a')));
    const inputs = model.inputs.map((input) => tf.ones([2, ...input.shape.slice(1).map((size) => size ?? 1)], input.dtype));
    const outputs = (of: tf.LayersModel): readonly (readonly number[])[] => {
      const result = of.predict(inputs.length === 1 ? inputs[0] ?? [] : inputs);
      return (Array.isArray(result) ? result : [result]).map((tensor) => [...tensor.dataSync()]);
    };
    expect(outputs(loaded)).toEqual(outputs(model));
    expect(outputs(model).flat().some((value) => value !== 0)).toBe(true);
  });

  it('gives the same bytes for an equal model that was made later', async () => {
    const write = async (name: string): Promise<readonly string[]> => {
      const model = SAMPLE_MODELS[0]?.make(tf) ?? large();
      setSampleWeights(tf, model);
      await exportLayersModel({ tf, model, directory: join(root, name) });
      return digests(join(root, name));
    };
    expect(await write('second')).toEqual(await write('first'));
  });

  it('cuts weights into shards of 4 MiB with stable names, and joins them', async () => {
    const model = large();
    await exportLayersModel({ tf, model, directory: join(root, 'large') });
    expect(readdirSync(join(root, 'large')).sort()).toEqual(['group1-shard1of2.bin', 'group1-shard2of2.bin', MODEL_JSON]);
    const loaded = await tf.loadLayersModel(layersModelIn(join(root, 'large')));
    expect(loaded.weights.map((weight) => [...weight.read().dataSync()])).toEqual(model.weights.map((weight) => [...weight.read().dataSync()]));
  });

  it('names neither writer nor time', async () => {
    await exportLayersModel({ tf, model: large(), directory: join(root, 'large') });
    const description = JSON.parse(readFileSync(join(root, 'large', MODEL_JSON), 'utf8')) as Record<string, unknown>;
    expect(Object.keys(description)).toEqual(['format', 'modelTopology', 'weightsManifest']);
  });

  it('refuses a directory that is not empty', async () => {
    writeFileSync(join(root, 'mine.txt'), 'mine');
    expect(await reasonOf(exportLayersModel({ tf, model: large(), directory: root }))).toContain('DIRECTORY_EXISTS');
    expect(readdirSync(root)).toEqual(['mine.txt']);
  });

  test.each<[string, (directory: string) => void, string]>([
    ['no model.json', (d) => rmSync(join(d, MODEL_JSON)), 'model.json cannot be read'],
    ['broken JSON', (d) => writeFileSync(join(d, MODEL_JSON), '{'), 'is not JSON'],
    ['no topology', (d) => writeFileSync(join(d, MODEL_JSON), '{"weightsManifest": []}'), 'lacks modelTopology'],
    ['a missing shard', (d) => rmSync(join(d, 'group1-shard2of2.bin')), 'group1-shard2of2.bin cannot be read'],
    ['a short shard', (d) => writeFileSync(join(d, 'group1-shard2of2.bin'), 'short'), 'its shards have'],
    ['a shard elsewhere', (d) => writeFileSync(join(d, MODEL_JSON), readFileSync(join(d, MODEL_JSON), 'utf8').replace('group1-shard1of2.bin', '../outside.bin')), "names '../outside.bin'"],
  ])('refuses to load with %s', async (_title, damage, message) => {
    const directory = join(root, 'large');
    await exportLayersModel({ tf, model: large(), directory });
    damage(directory);
    const reason = await reasonOf(tf.loadLayersModel(layersModelIn(directory)));
    expect(reason).toContain('BAD_LAYERS_MODEL');
    expect(reason).toContain(message);
  });
});

describeNative('layers format on the native backend', (native) => {
  test.each(SAMPLE_MODELS)('$kind: the same bytes as on the cpu backend', async ({ make }) => {
    const write = async (backend: string): Promise<readonly string[]> => {
      await native.setBackend(backend);
      const model = make(native);
      setSampleWeights(native, model);
      await exportLayersModel({ tf: native, model, directory: join(root, backend) });
      return digests(join(root, backend));
    };
    expect(await write('tensorflow')).toEqual(await write('cpu'));
  });
});
