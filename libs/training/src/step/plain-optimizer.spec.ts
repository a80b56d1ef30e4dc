import * as tf from '@tensorflow/tfjs';
import { isPlainOptimizer } from './plain-optimizer';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

class KeepsGradients extends tf.SGDOptimizer {}

const OWN: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.1, 0.9, 0.5, 1e-7, true),
  adagrad: () => tf.train.adagrad(0.1),
  adadelta: () => tf.train.adadelta(0.1),
  adam: () => tf.train.adam(0.1),
  adamax: () => tf.train.adamax(0.1),
};

// cpu tensors lie in the very array that they are made of, so that whatever keeps a gradient shows when it is overwritten.
test.each(Object.keys(OWN))('%s keeps nothing of its gradients', (name) => {
  const optimizer = OWN[name]?.() ?? new KeepsGradients(0.1);
  expect(isPlainOptimizer(tf, optimizer)).toBe(true);
  const results = [false, true].map((overwritten) => {
    const variable = tf.variable(tf.tensor1d([1, -2]), true, `${name} ${overwritten}`);
    const fresh = OWN[name]?.() ?? optimizer;
    for (let step = 0; step < 3; step++) {
      const memory = Float32Array.of(0.5, -0.25 * step);
      fresh.applyGradients([{ name: variable.name, tensor: tf.tensor1d(memory) }]);
      if (overwritten) memory.fill(1e6);
    }
    return [...variable.dataSync()];
  });
  expect(results[1]).toEqual(results[0]);
});

test('a class derived from one may keep them', () => {
  expect(isPlainOptimizer(tf, new KeepsGradients(0.1))).toBe(false);
});
