import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { nativeAddonFile } from './load-tensorflow';

const LIBRARY = path.join(__dirname, '..', 'dist', 'index.js');
const native = fs.existsSync(nativeAddonFile());
const describeNative = native ? describe : describe.skip;
const whyNot = native ? '' : ' (skipped: the native addon is not built; npm run native)';

/** Selects in a process of its own, multiplies, and prints one JSON line. */
const PROGRAM = `
  const { selectBackend, sharedModules, fingerprintOf, formatFingerprint } = require(${JSON.stringify(LIBRARY)});
  selectBackend(process.env, { mathThreads: Number(process.argv[1]) }).then(async (selected) => {
    const { tf, ...rest } = selected;
    const user = require('@tensorflow/tfjs');
    const node = sharedModules(selected).get('@tensorflow/tfjs-node');
    const product = user.matMul(node.ones([2, 3]), tf.ones([2, 3]), false, true);
    let missing = null;
    try { missing = typeof node.node.decodeImage; } catch (error) { missing = error.reason; }
    console.log(JSON.stringify({ ...rest, product: Array.from(product.dataSync()), active: node.getBackend(), sameEngine: user.engine() === node.engine(), missing,
      layers: sharedModules(selected).get('@tensorflow/tfjs-layers') === require('@tensorflow/tfjs-layers'),
      failureListeners: ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event)), isNode: tf.env().getBool('IS_NODE'), pools: [process.env.TF_NUM_INTRAOP_THREADS, process.env.TF_NUM_INTEROP_THREADS],
      fingerprint: formatFingerprint(fingerprintOf(selected, 'eager', process.env)) }));
  }).catch((error) => { console.log(JSON.stringify({ reason: error.reason, message: error.message })); });
`;

function select(env: Record<string, string>, mathThreads = 1): { readonly out: Record<string, unknown>; readonly stderr: string } {
  const { LOCKSTEP_BACKEND: _backend, LOCKSTEP_NATIVE: _native, TF_CPP_MIN_LOG_LEVEL: _level, ...inherited } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', PROGRAM, String(mathThreads)], {
    env: { ...inherited, ...env }, cwd: __dirname, encoding: 'utf8', timeout: 60_000,
  });
  const out: unknown = JSON.parse(stdout);
  return { out: { ...(out as object) }, stderr };
}

describe('selectBackend, each in a process of its own', () => {
  test.each([
    ['wasm forced', { LOCKSTEP_BACKEND: 'wasm' }, 'wasm', /^wasm(-simd128)?\//],
    ['cpu forced', { LOCKSTEP_BACKEND: 'cpu' }, 'cpu', /^javascript\//],
    ['LOCKSTEP_NATIVE=0', { LOCKSTEP_NATIVE: '0' }, 'wasm', /^wasm(-simd128)?\//],
  ])('%s: one thread, one engine, no word on stderr, and what becomes of failures is still up to the program', (_case, env, name, instructionSet) => {
    const { out, stderr } = select(env, 3);
    expect(out).toMatchObject({
      name, active: name, product: [3, 3, 3, 3], mathThreads: 1, libraryVersion: 'tfjs 4.22.0', sameEngine: true, layers: true, isNode: true, missing: 'NEEDS_NATIVE', failureListeners: [0, 0],
    });
    expect(out['instructionSet']).toMatch(instructionSet);
    expect(out['faster']).toMatch(/native backend/);
    expect(stderr).toBe('');
  });

  test.each(['webgl', 'tensorflow '])('LOCKSTEP_BACKEND=%p is refused', (value) => {
    expect(select({ LOCKSTEP_BACKEND: value }).out).toEqual({
      reason: 'UNKNOWN_BACKEND', message: expect.stringContaining('set it to one of tensorflow, wasm, cpu') as unknown,
    });
  });

  test('no threads are refused', () => {
    expect(select({ LOCKSTEP_BACKEND: 'cpu' }, 0).out).toMatchObject({ reason: 'INVALID_THREADS' });
  });
});

describeNative(`selectBackend on the native backend${whyNot}`, () => {
  test.each([[{}, 'the native addon is built and loads'], [{ LOCKSTEP_BACKEND: 'tensorflow' }, 'LOCKSTEP_BACKEND=tensorflow forces it']])(
    '%j: the threads are fixed, and TensorFlow is quiet', (env, why) => {
      const { out, stderr } = select(env, 2);
      expect(out).toMatchObject({
        name: 'tensorflow', why, active: 'tensorflow', product: [3, 3, 3, 3], mathThreads: 2, pools: ['2', '2'], sameEngine: true, layers: true, missing: 'function',
      });
      expect(out['libraryVersion']).toMatch(/^tfjs 4\.22\.0, tensorflow \d+\.\d+\.\d+$/);
      expect(out['fingerprint']).toMatch(/^backend=tensorflow; .*mathThreads=2; oneDnn=(default|on|off).*; mode=eager$/);
      expect(stderr).toBe('');
    });
});
