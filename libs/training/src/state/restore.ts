/**
 * Puts a state into the models of this process.
 *
 * 1. Staged: everything is compared with the models, and every tensor is made, before the first weight changes.
 * 2. Slots that the state lacks are removed, and those that the optimizer has not made yet are made.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { AdoptedModel } from '../adopted-model';
import { StateError } from '../errors';
import type { Tf } from '../tfjs';
import { namedWeights } from './capture';
import { OptimizerMemory, type OptimizerSlot } from './optimizer-memory';
import { toTensor } from './tensor-bytes';
import type { StateSnapshot, StateTensor } from './training-state';

const describe = (tensor: { dtype: string; shape: readonly number[] }): string => `${tensor.dtype}[${tensor.shape.join(', ')}]`;

function otherModel(what: string): StateError {
  return new StateError('OTHER_MODEL', `${what}: the module builds other models than the one that wrote the state`);
}

/** @throws StateError (OTHER_MODEL, OTHER_OPTIMIZER) that names the first difference; nothing was changed. */
export function restoreModels(tf: Tf, models: readonly AdoptedModel[], state: StateSnapshot): void {
  if (models.length !== state.models.length) throw otherModel(`the state has ${state.models.length} compiled models, here are ${models.length}`);
  applyState(tf, models.filter((model) => state.models[model.index] !== null), state);
}

/** @param state holds tensors of these models only */
function applyState(tf: Tf, live: readonly AdoptedModel[], state: StateSnapshot): void {
  for (const model of live) checkOptimizer(tf, model, state);
  const tensors = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
  const weights = namedWeights(live).map(({ name, variable }) => {
    const tensor = tensors.get(name);
    if (!tensor) throw otherModel(`the state has no ${name}`);
    if (describe(tensor) !== describe(variable)) throw otherModel(`${name} is ${describe(tensor)} in the state and ${describe(variable)} here`);
    tensors.delete(name);
    return { variable, tensor };
  });
  const unknown = [...tensors.keys()].find((name) => name.includes('/weight/'));
  if (unknown !== undefined) throw otherModel(`the state has ${unknown}, which no model here has`);
  const optimizers = firstOfEachOptimizer(live).map((model) => planOptimizer(tf, model, tensors));
  const left = [...tensors.keys()][0];
  if (left !== undefined) throw new StateError('OTHER_OPTIMIZER', `the state has ${left}, which no optimizer here has`);

  const made: Tensor[] = [];
  const make = (tensor: StateTensor): Tensor => {
    const value = toTensor(tf, tensor);
    made.push(value);
    return value;
  };
  try {
    const writes = weights.map(({ variable, tensor }) => ({ variable, value: make(tensor) }));
    const staged = optimizers.map((plan) => plan(make));
    for (const { variable, value } of writes) variable.assign(value);
    for (const commit of staged) commit();
    for (const model of live) {
      const memory = new OptimizerMemory(tf, model.internals.optimizer_);
      for (const [name, value] of Object.entries(state.models[model.index]?.optimizer.numbers ?? {})) memory.setNumber(name, value);
    }
  } finally {
    tf.dispose(made);
  }
}

/**
 * Puts what a state has of some models into these, whatever other models there are in it: training goes on from what
 * another job has trained.
 *
 * @throws StateError (OTHER_MODEL, OTHER_OPTIMIZER) that names the first difference; nothing was changed
 */
export function restoreSome(tf: Tf, models: readonly AdoptedModel[], state: StateSnapshot): void {
  const missing = models.find(({ index }) => state.models[index] == null);
  if (missing) throw otherModel(`model ${missing.name} is number ${missing.index} of those that the module compiles, and the state has ${state.models.length}, of which ${state.models.filter((model) => model === null).length} were disposed of`);
  const owns = new Set(models.map(({ index }) => index));
  const ofModel = ({ name }: StateTensor): number => Number(name.split('/')[1]);
  applyState(tf, models, { ...state, tensors: state.tensors.filter((tensor) => owns.has(ofModel(tensor))) });
}

/** Models that share an optimizer have its memory once, under the first of them. */
const firstOfEachOptimizer = (models: readonly AdoptedModel[]): readonly AdoptedModel[] =>
  models.filter((model, i) => models.findIndex((other) => other.internals.optimizer_ === model.internals.optimizer_) === i);

function checkOptimizer(tf: Tf, model: AdoptedModel, state: StateSnapshot): void {
  const memory = new OptimizerMemory(tf, model.internals.optimizer_);
  const className = state.models[model.index]?.optimizer.className;
  if (memory.className !== className) {
    throw new StateError('OTHER_OPTIMIZER', `model ${model.name} is compiled with ${memory.className}, the state is of ${String(className)}`);
  }
}

/** Takes an optimizer's tensors out of `tensors` and returns how to make, and then commit, what they say. */
function planOptimizer(tf: Tf, model: AdoptedModel, tensors: Map<string, StateTensor>): (make: (tensor: StateTensor) => Tensor) => () => void {
  const memory = new OptimizerMemory(tf, model.internals.optimizer_);
  const prefix = `model/${model.index}/optimizer/`;
  const variables: { variable: Variable; tensor: StateTensor }[] = [];
  const lists: { name: string; slots: readonly OptimizerSlot[]; entries: { originalName: string; tensor: StateTensor }[] }[] = [];
  const take = (name: string): StateTensor | undefined => {
    const tensor = tensors.get(name);
    tensors.delete(name);
    return tensor;
  };
  for (const field of memory.read()) {
    if (field.kind === 'VARIABLE') {
      const tensor = take(prefix + field.name);
      if (!tensor || describe(tensor) !== describe(field.variable)) throw new StateError('OTHER_OPTIMIZER', `the state's ${prefix}${field.name} is ${tensor ? describe(tensor) : 'missing'}, here it is ${describe(field.variable)}`);
      variables.push({ variable: field.variable, tensor });
    } else if (field.kind === 'SLOTS') {
      const path = `${prefix}${field.name}/`;
      const names = [...tensors.keys()].filter((name) => name.startsWith(path));
      const entries = names.map((name, i) => {
        const [index, kind] = name.slice(path.length).split('/');
        const tensor = take(name);
        const weight = model.internals.collectedTrainableWeights[i];
        if (!tensor || Number(index) !== i || kind === undefined || !weight) throw new StateError('OTHER_OPTIMIZER', `the state's ${name} belongs to no trained weight of model ${model.name}`);
        if (describe(tensor) !== describe(weight.val)) throw new StateError('OTHER_OPTIMIZER', `the state's ${name} is ${describe(tensor)}, the weight ${weight.originalName} is ${describe(weight.val)}`);
        return { originalName: `${weight.val.name}/${kind}`, tensor };
      });
      lists.push({ name: field.name, slots: field.slots, entries });
    }
  }
  return (make) => {
    const writes = variables.map(({ variable, tensor }) => ({ variable, value: make(tensor) }));
    const slots = lists.map((list) => ({ ...list, made: list.entries.map(({ originalName, tensor }) => ({ originalName, variable: tf.variable(make(tensor), false) })) }));
    return () => {
      for (const { variable, value } of writes) variable.assign(value);
      for (const { name, slots: old, made } of slots) {
        for (const slot of old) slot.variable.dispose();
        memory.setSlots(name, made);
      }
    };
  };
}
