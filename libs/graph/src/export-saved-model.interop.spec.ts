import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayersModel, Rank, SymbolicTensor, Tensor } from '@tensorflow/tfjs';
import { exportSavedModel } from './export-saved-model';
import type { Tf } from './native-backend';
import type { FeatureSpec } from './parse-examples';
import type { ModelInputs } from './serving-signature';
import { describeNative } from './testing/native';
import { SAMPLE_MODELS, setSampleWeights } from './testing/sample-models';

const python = process.env['LOCKSTEP_PYTHON'];
const packageFolder = join(__dirname, '..');
const TOLERANCE = 1e-5;
const BATCH_SIZES = [1, 11];

interface Values { readonly shape: readonly number[]; readonly values: readonly number[] }
interface Result {
  readonly error?: string;
  readonly inputs?: Readonly<Record<string, readonly [string, readonly (number | null)[]]>>;
  readonly outputs?: Readonly<Record<string, Values>>;
  readonly variables?: Readonly<Record<string, Values>>;
}

/** Runs Python's TensorFlow once for all requests. */
function serve(requests: readonly unknown[]): readonly Result[] {
  if (python === undefined) throw new Error('LOCKSTEP_PYTHON names no Python');
  const answer = execFileSync(python, [join(packageFolder, 'serve-saved-models.py')], {
    input: JSON.stringify(requests), maxBuffer: 64 * 1024 * 1024, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'],
  });
  return JSON.parse(answer) as Result[];
}

const values = (tensor: Tensor): Values => ({ shape: tensor.shape, values: [...tensor.dataSync()] });

/** Values for an input: categories for integers and embeddings, floats in [-1, 1) otherwise. */
function sample(tf: Tf, model: LayersModel, index: number, batchSize: number): Tensor {
  const input = model.inputs[index];
  const shape = [batchSize, ...(input?.shape.slice(1) ?? []).map((size) => size ?? 1)];
  const categories = input?.dtype === 'int32' || model.layers.some((layer) => layer.name === 'embed' && model.inputs.length === 1);
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Array.from({ length: count }, (_, i) => (categories ? (i * 7) % 10 : ((i * 0.618034 + 0.1 * index) % 2) - 1));
  return tf.tensor(data, shape, input?.dtype ?? 'float32');
}

function expectClose(found: Readonly<Record<string, Values>> | undefined, wanted: Readonly<Record<string, Values>>): void {
  expect(Object.keys(found ?? {}).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, want] of Object.entries(wanted)) {
    const got = found?.[name];
    expect(got?.shape).toEqual(want.shape);
    const worst = want.values.reduce((most, value, i) => Math.max(most, Math.abs(value - (got?.values[i] ?? NaN))), 0);
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
    // A model that gives zeros everywhere would prove nothing.
    expect(want.values.some((value) => value !== 0)).toBe(true);
  }
}

/** One feature for each row of a model's inputs, as an Example holds it. */
function featuresOf(model: LayersModel): readonly FeatureSpec[] {
  return model.inputs.map((input, i) => ({
    name: model.inputNames[i] ?? '',
    dtype: input.dtype === 'int32' ? 'int64' : 'float32',
    shape: input.shape.slice(1).map((size) => size ?? 1),
  }));
}

const rowsOf = (tensor: Tensor): readonly (readonly number[])[] => {
  const all = [...tensor.dataSync()];
  const size = all.length / (tensor.shape[0] ?? 1);
  return Array.from({ length: tensor.shape[0] ?? 0 }, (_, i) => all.slice(i * size, (i + 1) * size));
};

/** The suite, counted as skipped with the reason in the title where there is no Python to run it with. */
const describePython = (title: string, define: (executable: string) => void): void => {
  if (python !== undefined) describe(title, () => define(python));
  else describe.skip(`${title} (needs LOCKSTEP_PYTHON, a Python with tensorflow)`, () => { it('serves exported models', () => undefined); });
};

describePython("Python's TensorFlow", (executable) => {
  it('defines the operations as the table says', () => {
    expect(() => execFileSync(executable, [join(packageFolder, 'op-definitions.py'), '--check'], { stdio: 'pipe' })).not.toThrow();
  });

  describeNative('serves an exported', (tf) => {
    const root = mkdtempSync(join(tmpdir(), 'lockstep-graph-interop-'));
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    const runs: { readonly title: string; readonly wanted: Readonly<Record<string, Values>>; readonly inputs: Readonly<Record<string, readonly [string, readonly (number | null)[]]>> }[] = [];
    const requests: unknown[] = [];
    const bundles: { readonly title: string; readonly at: number; readonly wanted: Readonly<Record<string, Values>> }[] = [];
    SAMPLE_MODELS.forEach(({ kind, make }, m) => {
      const model = make(tf);
      setSampleWeights(tf, model);
      const directory = join(root, String(m));
      exportSavedModel({ tf, model, directory, examples: { features: featuresOf(model) } });
      for (const batchSize of BATCH_SIZES) {
        const inputs = model.inputs.map((_, i) => sample(tf, model, i, batchSize));
        const result = model.apply(inputs.length === 1 ? inputs[0] ?? [] : inputs, { training: false }) as Tensor | Tensor[];
        const wanted = Object.fromEntries((Array.isArray(result) ? result : [result]).map((tensor, i) => [model.outputNames[i] ?? '', values(tensor)]));
        const fed = Object.fromEntries(inputs.map((tensor, i) => [model.inputNames[i] ?? '', { ...values(tensor), dtype: tensor.dtype }]));
        runs.push({ title: `${kind}: serving_default at batch ${batchSize}`, wanted, inputs: Object.fromEntries(inputs.map((t, i) => [model.inputNames[i] ?? '', [t.dtype, [null, ...t.shape.slice(1)]]])) });
        requests.push({ kind: 'signature', directory, signature: 'serving_default', inputs: fed });
        const features = Object.fromEntries(inputs.map((t, i) => [model.inputNames[i] ?? '', { dtype: t.dtype === 'int32' ? 'int64' : 'float32', rows: rowsOf(t) }]));
        runs.push({ title: `${kind}: serving_examples at batch ${batchSize}`, wanted, inputs: { examples: ['string', [null]] } });
        requests.push({ kind: 'examples', directory, signature: 'serving_examples', features });
      }
      if (model.weights.length > 0) {
        bundles.push({ title: kind, at: m, wanted: Object.fromEntries(model.weights.map((weight) => [weight.originalName, values(weight.read())])) });
      }
    });
    let results: readonly Result[] = [];
    let bundleResults: readonly Result[] = [];
    beforeAll(() => {
      const all = serve([...requests, ...bundles.map(({ at }) => ({ kind: 'bundle', directory: join(root, String(at)) }))]);
      results = all.slice(0, requests.length);
      bundleResults = all.slice(requests.length);
    }, 300_000);

    test.each(runs.map((run, i) => ({ ...run, i })))('$title', ({ i, wanted, inputs }) => {
      expect(results[i]?.error).toBeUndefined();
      expect(results[i]?.inputs).toEqual(inputs);
      expectClose(results[i]?.outputs, wanted);
    });

    test.each(bundles.map((bundle, i) => ({ ...bundle, i })))('bundle of: $title', ({ i, wanted }) => {
      expect(bundleResults[i]?.error).toBeUndefined();
      expect(bundleResults[i]?.variables).toEqual(wanted);
    });

    describe('mapping of features', () => {
      const features: readonly FeatureSpec[] = [
        { name: 'length', dtype: 'float32', shape: [] },
        { name: 'island', dtype: 'int64', shape: [1], default: 2 },
        { name: 'pair', dtype: 'float32', shape: [2], default: [0.5, -0.25] },
        { name: 'note', dtype: 'string', shape: [], default: '' },
      ];
      const scale = 0.3;
      const toInputs = (f: Readonly<Record<string, Tensor>>): ModelInputs => {
        const { length, island, pair } = f as Record<'length' | 'island' | 'pair', Tensor>;
        const oneHot = tf.oneHot(tf.reshape<Rank.R1>(island, [-1]), 3);
        return { all: tf.concat([tf.reshape(length, [-1, 1]).mul(scale), tf.cast(oneHot, 'float32'), pair], 1) };
      };
      const input = tf.input({ name: 'all', shape: [6] });
      const named = tf.model({ name: 'named', inputs: input, outputs: tf.layers.dense({ name: 'out', units: 2 }).apply(input) as SymbolicTensor });
      setSampleWeights(tf, named);
      const directory = join(root, 'mapped');
      exportSavedModel({ tf, model: named, directory, examples: { features, featuresToInputs: toInputs } });
      const columns = {
        length: { dtype: 'float32', rows: [[1.5], [-2], [0.25]] },
        island: { dtype: 'int64', rows: [[0], null, [1]] },
        pair: { dtype: 'float32', rows: [[1, 2], [3, 4], null] },
      };
      const asRead = { length: [1.5, -2, 0.25], island: [0, 2, 1], pair: [1, 2, 3, 4, 0.5, -0.25] };

      it('gives what TensorFlow.js gives, with defaults for absent features', () => {
        const [result] = serve([{ kind: 'examples', directory, signature: 'serving_examples', features: columns }]);
        const parsed = { length: tf.tensor1d(asRead.length), island: tf.tensor2d(asRead.island, [3, 1], 'int32'), pair: tf.tensor2d(asRead.pair, [3, 2]) };
        const { all } = toInputs(parsed) as Record<'all', Tensor>;
        const wanted = named.predict(all) as Tensor;
        expect(result?.error).toBeUndefined();
        expectClose(result?.outputs, { [named.outputNames[0] ?? '']: values(wanted) });
      });

      it('fails by name on an example without a required feature', () => {
        const [result] = serve([{ kind: 'examples', directory, signature: 'serving_examples', features: { ...columns, length: { dtype: 'float32', rows: [[1], null, [2]] } } }]);
        expect(result?.error).toContain('length');
      });
    });
  });
});
