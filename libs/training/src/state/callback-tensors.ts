/**
 * Where callbacks' tensors lie in the bytes of a state: behind the models' tensors, in the order of the callbacks, as
 * `callback/<index>/<name>`.
 */
import type { JsonValue } from '../canonical-json';
import { StateError } from '../errors';
import type { CallbackState, RunState } from '../fit/run';
import type { RunningCallState, StateSnapshot, StateTensor } from './training-state';

/** A state whose tensors are all in one list. */
export type FlatState = Omit<StateSnapshot, 'running'> & {
  readonly running: (Omit<RunningCallState, 'run'> & { readonly run: FlatRun | null }) | null;
};

/** A run whose callbacks are without their tensors. */
export type FlatRun = Omit<RunState, 'callbacks'> & { readonly callbacks: readonly JsonValue[] };

const CALLBACK_TENSOR = /^callback\/(0|[1-9]\d*)\/(.*)$/s;

export function gatherCallbackTensors(state: StateSnapshot): FlatState {
  const run = state.running?.run;
  if (!state.running || !run) return { ...state, running: state.running && { ...state.running, run: null } };
  const tensors = run.callbacks.flatMap((callback, i) => callback.tensors.map((tensor) => ({ ...tensor, name: `callback/${i}/${tensor.name}` })));
  return {
    ...state,
    running: { ...state.running, run: { ...run, callbacks: run.callbacks.map(({ json }) => json) } },
    tensors: [...state.tensors, ...tensors],
  };
}

/** @throws StateError (CORRUPT) that names a tensor that belongs to no callback, or lies where no state has it */
export function spreadCallbackTensors(flat: FlatState): StateSnapshot {
  const run = flat.running?.run ?? null;
  const callbacks = (run?.callbacks ?? []).map((json) => ({ json, tensors: [] as StateTensor[] }));
  const tensors: StateTensor[] = [];
  let reached = -1;
  for (const tensor of flat.tensors) {
    const [, index, name] = CALLBACK_TENSOR.exec(tensor.name) ?? [];
    if (index === undefined || name === undefined) {
      if (reached >= 0) throw misplaced(tensor.name, "comes after callbacks' tensors");
      tensors.push(tensor);
      continue;
    }
    const own = callbacks[Number(index)]?.tensors;
    if (!own) throw misplaced(tensor.name, `belongs to none of its ${callbacks.length} callbacks`);
    if (Number(index) < reached) throw misplaced(tensor.name, 'comes after those of a later callback');
    if (own.some((other) => other.name === name)) throw misplaced(tensor.name, 'is there twice');
    reached = Number(index);
    own.push({ ...tensor, name });
  }
  return { ...flat, tensors, running: flat.running && { ...flat.running, run: run && { ...run, callbacks: callbacks satisfies readonly CallbackState[] } } };
}

const misplaced = (name: string, how: string): StateError => new StateError('CORRUPT', `the state's tensor ${name} ${how}`);
