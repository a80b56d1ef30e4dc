import type { Variable } from '@tensorflow/tfjs-core';
import type { AdoptedModel } from '../adopted-model';
import type { Tf } from '../tfjs';
import { OptimizerMemory } from './optimizer-memory';
import { readTensor } from './tensor-bytes';
import type { OptimizerState, StateSnapshot } from './training-state';

/** A variable of the state, under the name by which every worker knows it. */
export interface NamedVariable {
  readonly name: string;
  readonly variable: Variable;
}

/** Weights of all models, in their order, a weight that models share once. */
export function namedWeights(models: readonly AdoptedModel[]): readonly NamedVariable[] {
  const seen = new Set<Variable>();
  return models.flatMap(({ index, internals, disposed }) =>
    disposed
      ? []
      : internals.weights.flatMap(({ originalName, val }, i) => {
          if (seen.has(val)) return [];
          seen.add(val);
          return [{ name: `model/${index}/weight/${i}/${originalName}`, variable: val }];
        }),
  );
}

/** The last part of a slot's name in tfjs: `m` of `dense/kernel/m`; the rest depends on what else the process built. */
const slotKind = (originalName: string): string => originalName.slice(originalName.lastIndexOf('/') + 1);

/** Reads weights and optimizers of all models. */
export function captureModels(tf: Tf, models: readonly AdoptedModel[]): Pick<StateSnapshot, 'models' | 'tensors'> {
  const named: NamedVariable[] = [...namedWeights(models)];
  const seen = new Set<Variable>();
  const optimizers = models.map(({ index, internals, disposed }): { optimizer: OptimizerState } | null => {
    if (disposed) return null;
    const memory = new OptimizerMemory(tf, internals.optimizer_);
    const numbers: Record<string, number | boolean | null> = {};
    const add = (path: string, variable: Variable): void => {
      if (seen.has(variable)) return;
      seen.add(variable);
      named.push({ name: `model/${index}/optimizer/${path}`, variable });
    };
    for (const field of memory.read()) {
      switch (field.kind) {
        case 'NUMBER':
          numbers[field.name] = field.value;
          break;
        case 'VARIABLE':
          add(field.name, field.variable);
          break;
        case 'SLOTS':
          field.slots.forEach((slot, i) => add(`${field.name}/${i}/${slotKind(slot.originalName)}`, slot.variable));
          break;
      }
    }
    return { optimizer: { className: memory.className, numbers } };
  });
  return { models: optimizers, tensors: named.map(({ name, variable }) => readTensor(name, variable)) };
}
