import type { Tensor, TensorContainer } from '@tensorflow/tfjs-core';
import { TrainingError } from '../errors';
import { isTensor, type ModelInternals, type Tf } from '../tfjs';

/** Inputs and targets of a batch, in the order of the model's. */
export interface BatchTensors {
  readonly inputs: readonly Tensor[];
  readonly targets: readonly Tensor[];
}

/**
 * Reads {xs, ys} as fitDataset() takes it: each a tensor, a list in the model's order, or an object by name.
 * @throws TrainingError (BAD_ARGUMENT) that says what a dataset must give
 */
export function readElement(tf: Tf, model: ModelInternals, element: TensorContainer): BatchTensors {
  const fields = typeof element === 'object' && element !== null ? (element as { xs?: unknown; ys?: unknown }) : {};
  if (fields.xs == null || fields.ys == null) {
    throw new TrainingError('BAD_ARGUMENT', `a dataset for model ${model.name} must give objects {xs, ys}, each a tensor, a list of tensors or an object of tensors by name; got ${Object.keys(fields).join(', ') || typeof element}`);
  }
  const inputs = flatten(tf, 'input', model.inputNames, fields.xs);
  const targets = flatten(tf, 'output', model.outputNames, fields.ys);
  const rowCount = inputs[0]?.shape[0];
  [...inputs, ...targets].forEach((tensor, i) => {
    const name = i < inputs.length ? `input ${model.inputNames[i]}` : `output ${model.outputNames[i - inputs.length]}`;
    if (tensor.shape[0] !== rowCount) {
      throw new TrainingError('BAD_ARGUMENT', `a batch of the dataset has ${tensor.shape[0]} rows in ${name}, but ${rowCount} in input ${model.inputNames[0]}`);
    }
  });
  return { inputs, targets };
}

function flatten(tf: Tf, what: string, names: readonly string[], value: unknown): readonly Tensor[] {
  const tensor = (candidate: unknown, name: string): Tensor => {
    if (!isTensor(tf, candidate)) throw new TrainingError('BAD_ARGUMENT', `the dataset gives no tensor for ${what} ${name}`);
    return candidate;
  };
  if (value instanceof tf.Tensor || Array.isArray(value)) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length !== names.length) throw new TrainingError('BAD_ARGUMENT', `the dataset gives ${list.length} ${what} tensors, the model has ${names.length}: ${names.join(', ')}`);
    return list.map((item, i) => tensor(item, names[i] ?? ''));
  }
  const byName = value as Readonly<Record<string, unknown>>;
  return names.map((name) => tensor(byName[name], name));
}
