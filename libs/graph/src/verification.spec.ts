import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportSavedModel } from './export-saved-model';
import { nativeBackend } from './native-backend';
import { describeNative } from './testing/native';
import { verifySavedModel } from './verification';

describeNative('verifySavedModel', (tf) => {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-verification-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'model');
  beforeAll(async () => {
    await tf.setBackend('tensorflow');
    const model = tf.sequential({ name: 'double', layers: [tf.layers.dense({ name: 'out', units: 1, inputShape: [1], useBias: false })] });
    model.setWeights([tf.tensor2d([[2]])]);
    exportSavedModel({ tf, model, directory });
  });
  const verify = (expected: number[]): void => verifySavedModel(tf, nativeBackend(tf), directory, [{
    signature: 'serving_default',
    feeds: [{ tensor: 'serving_default/input_0:0', value: tf.tensor2d([1, 3], [2, 1]) }],
    outputs: [{ name: 'out', tensor: `serving_default/${OUTPUT}:0`, expected: tf.tensor2d(expected, [expected.length, 1]) }],
  }]);
  const OUTPUT = 'Reshape_8';

  it('accepts what the graph gives', () => {
    expect(() => verify([2, 6])).not.toThrow();
  });

  test.each([
    ['another value', [2, 6.01], "output 'out' of serving_default differs at element 1"],
    ['NaN', [NaN, 6], 'differs at element 0'],
    ['another shape', [2, 6, 8], 'has shape [2,1] in the graph and [3,1] in the model'],
  ])('refuses %s', (_title, expected, message) => {
    expect(() => verify(expected)).toThrow(expect.objectContaining({ reason: 'VERIFICATION_FAILED', message: expect.stringContaining(message) }));
  });

  it('refuses a graph without the output', () => {
    const run = { signature: 'serving_default', feeds: [], outputs: [{ name: 'out', tensor: 'nowhere:0', expected: tf.zeros([1]) }] };
    expect(() => verifySavedModel(tf, nativeBackend(tf), directory, [run])).toThrow(expect.objectContaining({ reason: 'VERIFICATION_FAILED', message: expect.stringContaining('does not run serving_default') }));
  });

  it('refuses a bundle that was cut short', () => {
    truncateSync(join(directory, 'variables', 'variables.data-00000-of-00001'), 1);
    expect(() => verify([2, 6])).toThrow(expect.objectContaining({ reason: 'VERIFICATION_FAILED', message: expect.stringContaining('TensorFlow does not load it') }));
  });
});
