import type { Position } from '@lockstep/reduction';
import type { Tensor } from '@tensorflow/tfjs-core';
import { isMergeable } from '../metrics';
import type { TrainingContext } from '../runtime';
import { toList } from '../tfjs';
import type { Binding } from './binding';
import { disposeRows, type Batch, type Rows } from './rows';
import { replicaKey } from './train-step';
import { WriteWatch } from './watch-writes';

/**
 * Loss and metrics of one global batch without training: each member computes its replicas, the group adds.
 * The state is as before, also where a layer writes its weights in inference.
 * @returns the batch's reduced values, as the binding's value layout says
 */
export function evaluateStep(context: TrainingContext, binding: Binding, batch: Batch, position: Position): Float32Array {
  const { tf, collective, reducer, router } = context;
  const { values: layout, held } = binding;
  const parts = batch.parts(collective.replicas);
  held.refresh();
  const compute = (replica: number): { tensors: readonly Tensor[]; tail: Float32Array } => {
    const part = parts[replica] ?? { from: 0, to: 0 };
    const rows = batch.rows(part);
    const watch = new WriteWatch(tf);
    try {
      const tail = router.withKey(replicaKey(position, replica), () => tf.tidy(() => inferValues(context, binding, rows)));
      watch.check(held, binding.model.name);
      layout.weigh(tail, Math.fround((part.to - part.from) / batch.rowCount));
      return { tensors: [], tail };
    } finally {
      held.restore();
      disposeRows(rows);
    }
  };
  return reducer.reduce(position, { tensorShapes: [], tailLength: layout.size, borrowedTensors: 0 }, parts.map((part) => part.to > part.from), compute).tail;
}

/**
 * The values in the order of the layout, by tfjs's operations. For a model with several outputs tfjs puts a running
 * total for each output before the metrics and so reports each value under another's name; here there is one total.
 */
function inferValues({ tf }: TrainingContext, { model, values: layout }: Binding, rows: Rows): Float32Array {
  const outputs = toList<Tensor>(model.call([...rows.inputs], { training: false }));
  const pair = (index: number): [Tensor, Tensor] => {
    const [target, output] = [rows.targets[index], outputs[index]];
    if (!target || !output) throw new RangeError(`model ${model.name} has no output or target ${index}`);
    return [target, output];
  };
  const losses = model.lossFunctions.map((loss, i) => tf.mean(loss(...pair(i))));
  const total = losses.reduce<Tensor | undefined>((sum, loss) => (sum ? tf.add(sum, loss) : loss), undefined) ?? tf.scalar(0);
  const metrics = model.metricsTensors.map(([metric, output]) => {
    const [target, prediction] = pair(output);
    return isMergeable(metric) ? metric.accumulate(target, prediction) : tf.mean(metric(target, prediction));
  });
  const values = new Float32Array(layout.size);
  let offset = 0;
  for (const tensor of [total, ...metrics]) {
    values.set(tensor.dataSync(), offset);
    offset += tensor.size;
  }
  return values;
}
