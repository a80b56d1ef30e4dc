import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from './install';
import { auc, precision, recall } from './metrics';
import { sequentialModel, testData } from './testing/models';

const python = process.env['LOCKSTEP_PYTHON'] ?? '';
const missing = process.env['LOCKSTEP_PYTHON_MISSING'] ?? 'LOCKSTEP_PYTHON names no Python with tensorflow and tf_keras';

/** 20 steps; the last batch has 25 rows. */
const BATCH_SIZE = 30;
const ROW_COUNT = 595;
const TOLERANCE = 1e-5;

interface Case {
  readonly optimizer: 'sgd' | 'adam';
  readonly replicas: number;
  readonly batchNorm: boolean;
}

const CASES: readonly Case[] = (['sgd', 'adam'] as const).flatMap((optimizer) => [1, 4].flatMap((replicas) => [false, true].map((batchNorm) => ({ optimizer, replicas, batchNorm }))));

interface Trained {
  readonly weights: Readonly<Record<string, unknown>>;
  readonly losses: readonly number[];
}

interface Reference {
  readonly cases: readonly Trained[];
  readonly metrics: Readonly<Record<string, number>>;
}

const named = (model: tf.Sequential): Record<string, unknown> =>
  Object.fromEntries(model.layers.flatMap((layer) => layer.weights.map((weight) => [weight.originalName, weight.read().arraySync()])));

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [value as number]);

(python === '' ? describe.skip : describe)(`against Python's TensorFlow${python === '' ? ` (${missing})` : ''}`, () => {
  const data = testData(tf, ROW_COUNT);
  const ours: { before: Record<string, unknown>; after: Trained }[] = [];
  const binary = { targets: Array.from({ length: 500 }, (_, i) => ((i * 7919) % 13 < 5 ? 1 : 0)), outputs: Array.from({ length: 500 }, (_, i) => ((i * 104_729) % 997) / 997) };
  let reference: Reference;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    for (const { optimizer, replicas, batchNorm } of CASES) {
      const training = installTraining(tf, { seed: 1, collective: new LocalCollective(replicas) });
      try {
        const model = sequentialModel(tf, { batchNorm });
        model.compile({ optimizer: optimizer === 'sgd' ? tf.train.sgd(0.1) : tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
        const before = named(model);
        const losses: number[] = [];
        const onBatchEnd = (_batch: number, logs?: tf.Logs): void => void losses.push(logs?.['loss'] ?? NaN);
        await model.fit(data.x, data.y, { batchSize: BATCH_SIZE, epochs: 1, shuffle: false, verbose: 0, callbacks: { onBatchEnd } });
        ours.push({ before, after: { weights: named(model), losses } });
      } finally {
        training.uninstall();
      }
    }
    const request = { x: data.x.arraySync(), y: data.y.arraySync(), batchSize: BATCH_SIZE, binary, cases: CASES.map((it, i) => ({ ...it, weights: ours[i]?.before })) };
    const output = execFileSync(python, [path.join(__dirname, 'testing', 'golden-reference.py')], { input: JSON.stringify(request), maxBuffer: 1 << 28 });
    reference = JSON.parse(output.toString('utf8')) as Reference;
  }, 300_000);

  test.each(CASES.map((it, index) => ({ ...it, index })))('20 steps of $optimizer at V=$replicas, BatchNorm $batchNorm: weights and losses within 1e-5', ({ index }) => {
    const [mine, theirs] = [ours[index]?.after, reference.cases[index]];
    expect(mine?.losses).toHaveLength(20);
    const differences = Object.entries(theirs?.weights ?? {}).flatMap(([name, value]) => {
      const own = flat(mine?.weights[name]);
      return flat(value).map((expected, i) => Math.abs(expected - (own[i] ?? NaN)));
    });
    expect(differences.length).toBeGreaterThan(400);
    expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
    const losses = (theirs?.losses ?? []).map((expected, i) => Math.abs(expected - (mine?.losses[i] ?? NaN)));
    expect(Math.max(...losses)).toBeLessThan(TOLERANCE);
  });

  test.each([['precision', precision], ['recall', recall], ['auc', auc]] as const)('%s is that of tf_keras', (name, metric) => {
    const value = metric(tf)(tf.tensor2d(binary.targets, [500, 1]), tf.tensor2d(binary.outputs, [500, 1])).dataSync()[0];
    expect(value).toBeCloseTo(reference.metrics[name] ?? NaN, 5);
  });
});
