/**
 * The pure part of a step: (state, rows, key) -> contribution, for one logical replica in a call of its own.
 *
 * 1. The state is as before when it returns, and when it throws: what the forward pass wrote is collected and undone.
 * 2. Its bits depend on the state, the rows, the weight and the key alone.
 * 3. With weight 1 the gradients, statistics and values are bit for bit those of tfjs's own training step.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { isMergeable } from '../metrics';
import type { RandomKey } from '../random/random-stream';
import type { RandomRouter } from '../random/random-router';
import { withKeyedSeeds } from '../random/keyed-seeds';
import { toList, type Tf } from '../tfjs';
import type { Binding } from './binding';
import type { Contribution } from './contribution';
import type { Rows } from './rows';
import { WriteWatch } from './watch-writes';

/**
 * Computes the contribution of one logical replica in training mode.
 * @param weight its share of the global batch's rows, a float32 in (0, 1]
 * @throws TrainingError (FOREIGN_WRITE), or what the model throws
 */
export function computeReplica(tf: Tf, router: RandomRouter, binding: Binding, rows: Rows, weight: number, key: RandomKey): Contribution {
  const { held, values: layout } = binding;
  const watch = new WriteWatch(tf);
  const kept: Tensor[] = [];
  const loss = (): Scalar => {
    const { total, metrics } = forward(tf, binding, rows);
    for (const tensor of [total, ...metrics]) kept.push(tf.keep(tensor));
    return weight === 1 ? total : tf.mul(total, weight);
  };
  const owned: Tensor[] = [];
  try {
    const { value, grads } = router.withKey(key, () =>
      withKeyedSeeds(binding.layers, key, () => binding.optimizer.computeGradients(loss, [...binding.variables])),
    );
    owned.push(value, ...Object.values(grads));
    watch.check(held, binding.model.name);
    const flags: number[] = [];
    const gradients = binding.variables.map((variable) => {
      const gradient = grads[variable.name];
      flags.push(gradient ? 1 : 0);
      return gradient ?? tf.keep(tf.zerosLike(variable));
    });
    const statistics = binding.statistics.map(({ val }) => {
      flags.push(held.changed(val) ? 1 : 0);
      return tf.keep(weight === 1 ? val.clone() : tf.mul(val, weight));
    });
    held.restore();
    if (!kept.includes(value)) value.dispose();
    const reduced = layout.weigh.bind(layout);
    const numbers = new Float32Array(layout.size);
    let offset = 0;
    for (const tensor of kept) {
      numbers.set(tensor.dataSync(), offset);
      offset += tensor.size;
    }
    reduced(numbers, weight);
    const tail = new Float32Array(binding.tailLength);
    tail.set(numbers);
    tail.set(flags, layout.size);
    return { tensors: [...gradients, ...statistics], tail };
  } catch (error) {
    held.restore();
    tf.dispose(owned);
    throw error;
  } finally {
    tf.dispose(kept);
  }
}

/** tfjs's training forward pass: the total loss and the metrics, in its order of operations. */
function forward(tf: Tf, { model }: Binding, rows: Rows): { total: Scalar; metrics: Tensor[] } {
  const outputs = toList(model.call([...rows.inputs], { training: true }));
  const at = <T>(list: readonly T[], index: number): T => {
    const found = list[index];
    if (found === undefined) throw new RangeError(`model ${model.name} has no output or target ${index}`);
    return found;
  };
  const lossMeans: Tensor[] = [];
  let total: Tensor | undefined;
  model.lossFunctions.forEach((lossFunction, i) => {
    let loss = lossFunction(at(rows.targets, i), at(outputs, i));
    const sampleWeight = rows.sampleWeights[i];
    if (sampleWeight) loss = tf.mul(loss, sampleWeight);
    lossMeans.push(tf.mean(loss));
    total = total ? tf.add(total, loss) : loss;
  });
  const metrics = model.metricsTensors.map(([metric, output], i) => {
    if (model.outputs.length > 1 && i < model.outputs.length) return at(lossMeans, i);
    const [target, prediction] = [at(rows.targets, output), at(outputs, output)];
    return isMergeable(metric) ? metric.accumulate(target, prediction) : tf.mean(metric(target, prediction));
  });
  let scalar = tf.mean<Scalar>(total ?? tf.scalar(0));
  for (const penalty of model.calculateLosses()) scalar = tf.add(scalar, penalty);
  return { total: scalar, metrics };
}
