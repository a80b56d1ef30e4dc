import type { Tensor } from '@tensorflow/tfjs-core';
import { hasNative, loadBackend, type TestBackend } from '../testing/load-backend';
import type { Tf } from '../tfjs';
import { ReadOut } from './read-out';

const BACKENDS: readonly TestBackend[] = hasNative() ? ['cpu', 'wasm', 'tensorflow'] : ['cpu', 'wasm'];
const VALUES = [1, -0, 3e38, 1e-30, 0.1].map(Math.fround);

/** Tensors that lie in the backend in different ways, all with VALUES. */
const MAKE: Readonly<Record<string, (tf: Tf) => Tensor>> = {
  'made of values': (tf) => tf.tensor1d(VALUES),
  'computed': (tf) => tf.mul(tf.tensor1d(VALUES), 1),
  'a clone of one made of values': (tf) => tf.tensor1d(VALUES).clone(),
  'a clone of a computed one': (tf) => tf.mul(tf.tensor1d(VALUES), 1).clone(),
};

describe.each(BACKENDS)('on %s', (backend) => {
  let tf: Tf;
  beforeAll(async () => {
    tf = await loadBackend(backend);
  });

  test.each(Object.keys(MAKE))('a tensor %s is copied, and stays as it is', (kind) => {
    const tensor = MAKE[kind]?.(tf) ?? tf.tensor1d([]);
    const readOut = new ReadOut(tf);
    for (let round = 0; round < 3; round++) {
      const target = new Float32Array(new SharedArrayBuffer(4 * (VALUES.length + 2))).fill(7);
      readOut.copy(tensor, target, 1);
      expect([...target]).toEqual([7, ...VALUES, 7]);
    }
    expect([...tf.add(tensor, tf.zerosLike(tensor)).dataSync()]).toEqual(VALUES.map((value) => value + 0));
  });
});

test('values that the caller still holds are not given away', async () => {
  const tf = await loadBackend(hasNative() ? 'tensorflow' : 'cpu');
  const own = Float32Array.from(VALUES);
  const tensor = tf.tensor1d(own);
  new ReadOut(tf).copy(tensor, new Float32Array(VALUES.length), 0);
  expect([...own]).toEqual(VALUES);
});
