import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { StateError } from '../errors';
import type { FitModel } from './fit-model';

interface KeptWeight {
  readonly name: string;
  readonly variable: Variable;
  /** A second reference to the data: nothing is copied. */
  readonly value: Tensor;
}

const describe = ({ dtype, shape }: Tensor): string => `${dtype}[${shape.join(', ')}]`;

const stateName = (prefix: string, index: number, weight: string): string => `${prefix}/${index}/${weight}`;

/** All weights of a model as they were at a moment. */
export class KeptWeights {
  private constructor(
    private readonly fit: FitModel,
    private readonly weights: readonly KeptWeight[],
  ) {}

  static now(fit: FitModel): KeptWeights {
    return new KeptWeights(fit, fit.weights.map(({ originalName, val }) => ({ name: originalName, variable: val, value: fit.tf.keep(val.clone()) })));
  }

  /**
   * The weights that stateTensors() gave.
   * @throws StateError (OTHER_MODEL) that names the first that is missing or of another shape
   */
  static fromState(fit: FitModel, prefix: string, tensors: ReadonlyMap<string, Tensor>): KeptWeights {
    const found = fit.weights.map(({ originalName, val }, i) => {
      const name = stateName(prefix, i, originalName);
      const tensor = tensors.get(name);
      if (!tensor || describe(tensor) !== describe(val)) {
        throw new StateError('OTHER_MODEL', `a callback's ${name} is ${tensor ? describe(tensor) : 'missing'} in the state and ${describe(val)} here: the module builds other models than the one that wrote the state`);
      }
      return { name: originalName, variable: val, tensor };
    });
    return new KeptWeights(fit, found.map(({ name, variable, tensor }) => ({ name, variable, value: fit.tf.keep(tensor.clone()) })));
  }

  /** Gives the model these weights. */
  apply(): void {
    for (const { variable, value } of this.weights) {
      if (variable.dataId !== value.dataId) variable.assign(value);
    }
  }

  stateTensors(prefix: string): readonly (readonly [string, Tensor])[] {
    return this.weights.map(({ name, value }, i) => [stateName(prefix, i, name), value] as const);
  }

  dispose(): void {
    this.fit.tf.dispose(this.weights.map(({ value }) => value));
  }
}
