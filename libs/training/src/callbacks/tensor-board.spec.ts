import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countRecords } from '@lockstep/examples';
import { LocalCollective } from '@lockstep/reduction';
import * as tf from '@tensorflow/tfjs';
import { installTraining } from '../install';
import { JsonReader } from '../state/json-reader';
import { sequentialModel, testData } from '../testing/models';
import { tensorBoard } from './index';
import { MAX_POINTS, ScalarPoints, type ScalarPoint } from './scalar-points';

// What is in the files: tensor-board.interop.spec.ts.

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lockstep-events-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
  tf.disposeVariables();
});

const rows = testData(tf, 24);

/** Two fits of 2 epochs of 2 steps, the second without validation. */
async function fitTwice(logDir: string): Promise<void> {
  const training = installTraining(tf, { seed: 1, collective: new LocalCollective(2) });
  try {
    const model = sequentialModel(tf);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const callback = tensorBoard(tf, { logDir, updateFreq: 'batch' });
    await model.fit(rows.x, rows.y, { batchSize: 10, epochs: 2, verbose: 0, validationSplit: 0.2, callbacks: [callback] });
    await model.fit(rows.x, rows.y, { batchSize: 12, epochs: 2, verbose: 0, callbacks: [callback] });
  } finally {
    training.uninstall();
  }
}

const FIRST = 'events.out.tfevents.0000000000.lockstep.v2';
const SECOND = 'events.out.tfevents.0000000001.lockstep.v2';

test('each fit has its own file, and a run that is made again has the same', async () => {
  const logDir = join(folder, 'logs');
  for (let time = 0; time < 2; time++) {
    await fitTwice(logDir);
    expect(readdirSync(logDir).sort()).toEqual(['train', 'validation']);
    expect(readdirSync(join(logDir, 'train')).sort()).toEqual([FIRST, SECOND]);
    expect(readdirSync(join(logDir, 'validation'))).toEqual([FIRST]);
    // The version, then 4 batches, and 2 epochs with loss and learning rate.
    expect(await countRecords(join(logDir, 'train', FIRST))).toBe(1 + 4 + 2 * 2);
    expect(await countRecords(join(logDir, 'validation', FIRST))).toBe(1 + 2);
  }
});

test('a folder that cannot be written fails the fit, with its path', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(fitTwice(join(folder, 'file'))).rejects.toMatchObject({ reason: 'BAD_ARGUMENT', message: expect.stringMatching(/tensorBoard\(\): events could not be written to .*\/file\/train: .*Pass a logDir that can be written/) });
});

describe('the points that travel', () => {
  const point = (step: number): ScalarPoint => ({ run: step % 3 === 0 ? 'validation' : 'train', tag: `tag_${step % 2}`, step, value: Math.fround(step / 7) });

  const travelled = (points: ScalarPoints): ScalarPoints => {
    const arrived = new ScalarPoints();
    tf.tidy(() => arrived.restore(new JsonReader(points.state(), 'series'), points.stateTensors(tf)));
    return arrived;
  };
  const all = (points: ScalarPoints): readonly ScalarPoint[] => [...points.of('train'), ...points.of('validation')];

  test('arrive as they were, with NaN and infinities', () => {
    const points = new ScalarPoints();
    points.add([...Array.from({ length: 20 }, (_, i) => point(i)), ...[NaN, Infinity, -Infinity, -0].map((value) => ({ ...point(9), value }))]);
    expect(all(travelled(points))).toEqual(all(points));
    expect(all(travelled(new ScalarPoints()))).toEqual([]);
  });

  test('are bounded: the oldest are forgotten, by whoever goes on, alike', () => {
    const whole = new ScalarPoints();
    let relayed = new ScalarPoints();
    const PART = 50_000;
    for (let step = 0; step < MAX_POINTS + 2 * PART; step += PART) {
      const part = Array.from({ length: PART }, (_, i) => point(step + i));
      whole.add(part);
      relayed.add(part);
      relayed = travelled(relayed);
    }
    expect(all(whole).length).toBeLessThanOrEqual(MAX_POINTS);
    expect(all(whole).length).toBeGreaterThan(MAX_POINTS / 2);
    expect(whole.of('train').at(-1)?.step).toBeGreaterThanOrEqual(MAX_POINTS);
    const [ours, theirs] = [whole, relayed].map((points) => tf.tidy(() => JSON.stringify([points.state(), ...[...points.stateTensors(tf).values()].map((tensor) => [...tensor.dataSync()])])));
    expect(theirs === ours).toBe(true);
  });

  test.each<[string, (tensors: Map<string, tf.Tensor>) => void, RegExp]>([
    ['without their steps', (tensors) => void tensors.delete('step'), /incomplete/],
    ['with a step too few', (tensors) => void tensors.set('step', tf.tensor1d([1], 'int32')), /incomplete/],
    ['of a series that is not there', (tensors) => void tensors.set('series', tf.tensor1d([0, 5], 'int32')), /scalar 1 is of a series that is not there/],
  ])('%s are refused', (_what, damage, message) => {
    const points = new ScalarPoints();
    points.add([point(0), point(1)]);
    tf.tidy(() => {
      const tensors = new Map(points.stateTensors(tf));
      damage(tensors);
      expect(() => new ScalarPoints().restore(new JsonReader(points.state(), 'series'), tensors)).toThrow(expect.objectContaining({ reason: 'CORRUPT', message: expect.stringMatching(message) }));
    });
  });

  test('of more names than a state should carry are refused', () => {
    const points = new ScalarPoints();
    const named = Array.from({ length: 1_001 }, (_, i) => ({ run: 'train' as const, tag: `epoch_${i}`, step: i, value: 1 }));
    expect(() => points.add(named)).toThrow(/more than 1000 names: do not make new names in each epoch/);
  });
});
