import type { Variable } from '@tensorflow/tfjs-core';
import { TrainingError } from '../errors';
import type { Tf } from '../tfjs';
import type { HeldVariables } from './held-variables';

/** Finds the variables that a forward pass wrote or made, by the identity of their data. */
export class WriteWatch {
  private readonly before = new Map<Variable, object>();

  constructor(private readonly tf: Tf) {
    for (const variable of this.all()) this.before.set(variable, variable.dataId);
  }

  /**
   * Checks that only held variables were written.
   * @throws TrainingError (FOREIGN_WRITE) that names a variable that was written or made.
   */
  check(held: HeldVariables, model: string): void {
    for (const variable of this.all()) {
      const dataId = this.before.get(variable);
      if (dataId === variable.dataId || held.has(variable)) continue;
      const did = dataId === undefined ? 'made' : 'wrote';
      throw new TrainingError(
        'FOREIGN_WRITE',
        `the forward pass of model ${model} ${did} variable ${variable.name} (${variable.dtype}), which is not a non-trainable float32 weight of the model, so that its value ` +
          'would be lost or differ between workers. Keep such state in a weight: this.addWeight(name, shape, "float32", initializer, undefined, false) in build().',
        { variable: variable.name },
      );
    }
  }

  private all(): readonly Variable[] {
    return Object.values(this.tf.engine().registeredVariables);
  }
}
