import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as plainTf from '@tensorflow/tfjs';
import type { LayersModel, Rank, Tensor } from '@tensorflow/tfjs';
import { exportSavedModel } from './export-saved-model';
import { GraphError, type RefusalReason } from './graph-error';
import { nativeBackend, type Tf } from './native-backend';
import type { FeatureSpec } from './parse-examples';
import { describeNative } from './testing/native';
import { SAMPLE_MODELS, setSampleWeights } from './testing/sample-models';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lockstep-graph-')); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

/** Digest of every file under a folder. */
function digests(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map((file) => join(file.parentPath, file.name)).sort().map((path) =>
    [path.slice(directory.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]));
}

function caught(run: () => unknown): GraphError {
  try {
    run();
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const FEATURES: readonly FeatureSpec[] = [
  { name: 'a', dtype: 'float32', shape: [] },
  { name: 'b', dtype: 'int64', shape: [1], default: 3 },
  { name: 'c', dtype: 'float32', shape: [2], default: [1, 2] },
];

const smallModel = (tf: Tf): LayersModel => {
  const model = tf.sequential({ name: 'small', layers: [tf.layers.dense({ name: 'out', units: 2, inputShape: [4] })] });
  setSampleWeights(tf, model);
  return model;
};

const stacked = (tf: Tf) => (features: Readonly<Record<string, Tensor>>): Tensor =>
  tf.concat(['a', 'b', 'c'].map((name) => { const t = features[name]; return t === undefined ? tf.zeros<Rank.R2>([1, 1]) : tf.reshape<Rank.R2>(tf.cast(t, 'float32'), [t.shape[0] ?? 0, -1]); }), 1);

describe('exportSavedModel without the native backend', () => {
  it('says what to do, and writes nothing', async () => {
    plainTf.env().set('IS_TEST', true); // The cpu backend advises a faster one otherwise.
    await plainTf.setBackend('cpu');
    const error = caught(() => exportSavedModel({ tf: plainTf, model: smallModel(plainTf), directory: join(root, 'model') }));
    expect(error.reason).toBe('NEEDS_NATIVE_BACKEND');
    expect(error.message).toContain("runs on 'cpu'");
    expect(error.message).toContain('npm run native');
    expect(readdirSync(root)).toEqual([]);
  });
});

describeNative('exportSavedModel', (tf) => {
  beforeEach(() => tf.setBackend('tensorflow'));

  describe('writes the same bytes for the same weights', () => {
    test.each(SAMPLE_MODELS)('$kind', ({ make }) => {
      const write = (name: string): Readonly<Record<string, string>> => {
        const model = make(tf);
        setSampleWeights(tf, model);
        exportSavedModel({ tf, model, directory: join(root, name) });
        model.dispose();
        return digests(join(root, name));
      };
      const first = write('first');
      // Ids and names of the process have moved on, and the same values come from other tensors.
      tf.dispose([tf.ones([3]), tf.variable(tf.zeros([2]))]);
      const second = write('second');
      expect(Object.keys(first)).toContain('saved_model.pb');
      expect(second).toEqual(first);
    });

    it('and other bytes for other weights', () => {
      const model = smallModel(tf);
      exportSavedModel({ tf, model, directory: join(root, 'a') });
      const weights = model.getWeights().map((weight) => weight.add(1e-3));
      model.setWeights(weights);
      exportSavedModel({ tf, model, directory: join(root, 'b') });
      const [a, b] = [digests(join(root, 'a')), digests(join(root, 'b'))];
      expect(b['saved_model.pb']).toBe(a['saved_model.pb']);
      expect(b['variables/variables.data-00000-of-00001']).not.toBe(a['variables/variables.data-00000-of-00001']);
    });

    it('in another process, with both signatures', () => {
      const program = `
        const tf = require('@tensorflow/tfjs-node');
        const { exportSavedModel } = require(process.argv[1]);
        tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
        const model = tf.sequential({ name: 'small', layers: [tf.layers.dense({ name: 'out', units: 2, inputShape: [3] })] });
        model.setWeights([tf.tensor([0.5, -1, 2, 0.25, 3, -4], [3, 2]), tf.tensor([0.125, 1])]);
        exportSavedModel({ tf, model, directory: process.argv[2], examples: {
          features: [{ name: 'x', dtype: 'float32', shape: [3] }], featuresToInputs: (f) => f.x.mul(2) } });`;
      const script = join(root, 'export.cjs');
      writeFileSync(script, program);
      const run = (name: string): Readonly<Record<string, string>> => {
        execFileSync(process.execPath, ['-e', program, join(__dirname, '..', 'dist', 'index.js'), join(root, name)], {
          cwd: join(__dirname, '..'), env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' }, stdio: ['ignore', 'ignore', 'pipe'],
        });
        return digests(join(root, name));
      };
      const model = tf.sequential({ name: 'small', layers: [tf.layers.dense({ name: 'out', units: 2, inputShape: [3] })] });
      model.setWeights([tf.tensor([0.5, -1, 2, 0.25, 3, -4], [3, 2]), tf.tensor([0.125, 1])]);
      exportSavedModel({
        tf,
        model,
        directory: join(root, 'here'),
        examples: { features: [{ name: 'x', dtype: 'float32', shape: [3] }], featuresToInputs: (f) => (f['x'] ?? tf.scalar(0)).mul(2) },
      });
      expect(run('there')).toEqual(digests(join(root, 'here')));
    });

    it('when two weights share one value', () => {
      const export1 = (name: string, share: boolean): Readonly<Record<string, string>> => {
        const model = tf.sequential({ name: 'twins', layers: ['x', 'y'].map((layer) => tf.layers.dense({ name: layer, units: 3, inputShape: [3], useBias: false })) });
        const value = tf.ones([3, 3]);
        model.setWeights(share ? [value, value] : [value, tf.ones([3, 3])]);
        exportSavedModel({ tf, model, directory: join(root, name) });
        return digests(join(root, name));
      };
      expect(export1('shared', true)).toEqual(export1('apart', false));
    });
  });

  it('describes what it wrote', () => {
    const summary = exportSavedModel({ tf, model: smallModel(tf), directory: join(root, 'model'), examples: { features: FEATURES, featuresToInputs: stacked(tf) } });
    expect(summary.signatures).toEqual({
      serving_default: { inputs: { out_input: { dtype: 'float32', shape: [-1, 4] } }, outputs: { out: { dtype: 'float32', shape: [-1, 2] } } },
      serving_examples: { inputs: { examples: { dtype: 'string', shape: [-1] } }, outputs: { out: { dtype: 'float32', shape: [-1, 2] } } },
    });
    expect(summary.variables).toEqual(['out/bias', 'out/kernel']);
  });

  it('leaves no tensor behind and the backend as it was', () => {
    const model = smallModel(tf);
    const backend = nativeBackend(tf);
    const { binding } = backend;
    const before = tf.memory().numTensors;
    exportSavedModel({ tf, model, directory: join(root, 'model') });
    expect(tf.memory().numTensors).toBe(before);
    expect(backend.binding).toBe(binding);
    expect(Object.hasOwn(backend, 'getInputTensorIds')).toBe(false);
  });

  it('exports into an empty directory and refuses another', () => {
    const model = smallModel(tf);
    mkdirSync(join(root, 'model'));
    exportSavedModel({ tf, model, directory: join(root, 'model') });
    const written = digests(join(root, 'model'));
    expect(caught(() => exportSavedModel({ tf, model, directory: join(root, 'model') })).reason).toBe('DIRECTORY_EXISTS');
    expect(digests(join(root, 'model'))).toEqual(written);
  });

  describe('refuses, leaving nothing behind', () => {
    const custom = (compute: (x: Tensor) => Tensor): LayersModel => {
      class Custom extends tf.layers.Layer {
        static className = 'Custom';
        override computeOutputShape(shape: number[]): number[] { return shape; }
        override call(inputs: Tensor | Tensor[]): Tensor { return compute(Array.isArray(inputs) ? (inputs[0] ?? tf.scalar(0)) : inputs); }
      }
      return tf.sequential({ name: 'custom', layers: [new Custom({ inputShape: [4] })] });
    };
    const counter = tf.variable(tf.scalar(0));
    let calls = 0;
    const cases: readonly { readonly title: RefusalReason; readonly when: string; readonly compute: (x: Tensor) => Tensor }[] = [
      { title: 'NOT_REPEATABLE', when: 'it draws a number in JavaScript', compute: (x) => x.mul(Math.random()) },
      { title: 'NOT_REPEATABLE', when: 'it draws noise', compute: (x) => x.add(tf.randomNormal(x.shape)) },
      { title: 'NOT_REPEATABLE', when: 'a later call takes another path', compute: (x) => (calls++ < 3 ? x.add(2) : x.add(1).add(1)) },
      { title: 'RANDOM_OP', when: 'TensorFlow draws', compute: (x) => x.add(tf.cast(tf.multinomial(tf.ones<Rank.R1>([4]), 4) as Tensor, 'float32')) },
      { title: 'READ_OF_TRACED_VALUE', when: 'its path follows a value', compute: (x) => ((x.sum().dataSync()[0] ?? 0) > 0 ? x : x.neg()) },
      { title: 'BATCH_DEPENDENT_VALUE', when: 'a constant is 1 / batch', compute: (x) => x.div(1 / (x.shape[0] ?? 1)) },
      { title: 'BATCH_DEPENDENT_STRUCTURE', when: 'it loops over the rows', compute: (x) => Array.from({ length: x.shape[0] ?? 0 }).reduce<Tensor>((sum) => sum.add(x), x) },
      { title: 'VARIABLE_ASSIGNED', when: 'it counts its calls', compute: (x) => { counter.assign(counter.add(1)); return x.add(counter); } },
    ];
    test.each(cases)('$title: $when', ({ title, compute }) => {
      const error = caught(() => exportSavedModel({ tf, model: custom(compute), directory: join(root, 'model') }));
      expect(error.reason).toBe('NOT_RECORDABLE');
      expect(error.refusals.map(({ reason }) => reason)).toContain(title);
      expect(error.message).toContain(title);
      expect(readdirSync(root)).toEqual([]);
    });

    it('and the variable that the model assigned has its value back', () => {
      expect(counter.dataSync()[0]).toBe(0);
    });

    test.each<{ title: string; features: readonly FeatureSpec[]; toInputs: (f: Readonly<Record<string, Tensor>>) => Tensor[]; message: string }>([
      { title: 'no features', features: [], toInputs: () => [], message: 'at least one feature' },
      { title: 'a feature given twice', features: [...FEATURES, ...FEATURES], toInputs: () => [], message: "'a' is given twice" },
      { title: 'a default of the wrong length', features: [{ name: 'c', dtype: 'float32', shape: [2], default: [1] }], toInputs: () => [], message: 'its default has 1' },
      { title: 'a default of the wrong type', features: [{ name: 'c', dtype: 'string', shape: [], default: 1 }], toInputs: () => [], message: 'is of dtype string' },
      { title: 'a default that is no int64', features: [{ name: 'c', dtype: 'int64', shape: [], default: 1.5 }], toInputs: () => [], message: 'is of dtype int64' },
      { title: 'too few inputs', features: FEATURES, toInputs: () => [], message: 'gives 0 inputs' },
      { title: 'an input of the wrong shape', features: FEATURES, toInputs: (f) => (f['c'] === undefined ? [] : [f['c']]), message: 'has shape [batch, 4]' },
    ])('features: $title', ({ features, toInputs, message }) => {
      const error = caught(() => exportSavedModel({ tf, model: smallModel(tf), directory: join(root, 'model'), examples: { features, featuresToInputs: toInputs } }));
      expect(error.reason).toBe('BAD_FEATURES');
      expect(error.message).toContain(message);
      expect(readdirSync(root)).toEqual([]);
    });

    it('features without a mapping that lack an input of the model', () => {
      const error = caught(() => exportSavedModel({ tf, model: smallModel(tf), directory: join(root, 'model'), examples: { features: FEATURES } }));
      expect(error.message).toContain("gives no input 'out_input'");
    });

    it('a model with a fixed batch size', () => {
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, batchInputShape: [4, 2] })] });
      const error = caught(() => exportSavedModel({ tf, model, directory: join(root, 'model') }));
      expect(error.reason).toBe('UNSUPPORTED_MODEL');
      expect(error.message).toContain('[4, 2]');
    });
  });
});
