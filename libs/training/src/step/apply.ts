/**
 * (state, reduced) -> state', all at once.
 *
 * 1. Either everything is applied, or (when the optimizer throws) every weight, slot and number is as before.
 * 2. A gradient or statistic that no replica had leaves its weight alone, as in tfjs.
 */
import type { Position } from '@lockstep/reduction';
import { TrainingError } from '../errors';
import { OptimizerMemory } from '../state/optimizer-memory';
import type { Tf } from '../tfjs';
import type { Binding } from './binding';
import type { Contribution } from './contribution';
import { HeldVariables } from './held-variables';

/**
 * Applies reduced gradients by the model's optimizer, then weight constraints (which tfjs's training forgets), then
 * statistics. Does not dispose of `reduced`.
 * @throws TrainingError (APPLY_FAILED) with the cause; the state is as before
 */
export function applyReduced(tf: Tf, binding: Binding, reduced: Contribution, position: Position): void {
  const { optimizer, variables, statistics, trainable } = binding;
  const memory = new OptimizerMemory(tf, optimizer);
  memory.syncLearningRate();
  const undo = memory.remember();
  const before = new HeldVariables(tf, [...variables, ...statistics.map((weight) => weight.val)]);
  const flag = (tensor: number): boolean => (reduced.tail[binding.values.size + tensor] ?? 0) > 0;
  try {
    optimizer.applyGradients(
      variables.map((variable, i) => {
        const tensor = flag(i) ? reduced.tensors[i] : undefined;
        // tfjs's type asks for a tensor, its optimizers skip what has none.
        return tensor ? { name: variable.name, tensor } : ({ name: variable.name } as { name: string; tensor: never });
      }),
    );
    for (const { constraint, val } of trainable) {
      if (constraint) tf.tidy(() => val.assign(constraint.apply(val)));
    }
    statistics.forEach(({ val }, i) => {
      const value = reduced.tensors[variables.length + i];
      if (value && flag(variables.length + i)) val.assign(value);
    });
  } catch (error) {
    before.restore();
    undo.restore();
    const why = error instanceof Error ? error.message : String(error);
    throw new TrainingError('APPLY_FAILED', `the optimizer (${optimizer.getClassName()}) failed, and the step was undone: ${why}`, { position }, { cause: error });
  } finally {
    before.dispose();
    undo.dispose();
  }
}
