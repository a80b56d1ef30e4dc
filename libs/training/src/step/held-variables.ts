import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Tf } from '../tfjs';

/** The values of variables at a moment. A value is held as a second reference to the same data: nothing is copied. */
export class HeldVariables {
  private readonly held = new Map<Variable, Tensor>();

  constructor(
    private readonly tf: Tf,
    variables: readonly Variable[],
  ) {
    for (const variable of new Set(variables)) this.held.set(variable, this.hold(variable));
  }

  has(variable: Variable): boolean {
    return this.held.has(variable);
  }

  /** Holds the present values: somebody (a callback, the optimizer) may have written since. */
  refresh(): void {
    for (const [variable, value] of this.held) {
      if (value.dataId === variable.dataId) continue;
      value.dispose();
      this.held.set(variable, this.hold(variable));
    }
  }

  changed(variable: Variable): boolean {
    return this.held.get(variable)?.dataId !== variable.dataId;
  }

  /** Gives every variable the held value back. */
  restore(): void {
    for (const [variable, value] of this.held) {
      if (value.dataId !== variable.dataId) variable.assign(value);
    }
  }

  dispose(): void {
    for (const value of this.held.values()) value.dispose();
    this.held.clear();
  }

  private hold(variable: Variable): Tensor {
    return this.tf.keep(variable.clone());
  }
}
