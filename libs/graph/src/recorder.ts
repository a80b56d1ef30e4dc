/**
 * Records one call of a function as a graph of TensorFlow operations.
 *
 * tfjs-node's kernels call the addon with TensorFlow's own operation names and attributes, so while the function runs
 * (it does run, on the real values) each call of the addon becomes a node.
 *
 * 1. Whatever happens, the backend, and the values of all variables, are afterwards what they were before.
 * 2. What the graph cannot express is a refusal in the result, never a silently wrong node.
 * 3. Node names come from the order of the operations, not from ids or counters of the process.
 */
import type { Tensor, TensorInfo, Variable } from '@tensorflow/tfjs';
import type { DataTypeNumber } from './data-type';
import type { TensorValue } from './graph-def';
import type { Refusal, RefusalReason } from './graph-error';
import { handleOf, nativeBackend, type NativeAttr, type NativeBackend, type NativeBinding, type NativeOutput, type NativeValues, type Tf } from './native-backend';
import { resolveAttrs } from './op-attributes';
import { OP_DEFINITIONS } from './op-definition-table';
import type { NamedTensor, RecordedNode, RecordedOutput, RecordedTensor, Recording } from './recording';
import { tensorValues } from './tensor-values';

/**
 * Runs `run` once and records it.
 *
 * @param inputs what the graph will take as inputs; every other tensor becomes a constant, every variable a variable
 * @param run a synchronous function of `inputs` and of registered variables
 * @throws GraphError NEEDS_NATIVE_BACKEND, and whatever `run` throws
 */
export function record(tf: Tf, inputs: readonly NamedTensor[], run: () => readonly NamedTensor[]): Recording {
  const backend = nativeBackend(tf);
  const recorder = new Recorder(backend);
  for (const input of inputs) recorder.addInput(input);
  const variables = Object.values(tf.engine().registeredVariables);
  for (const variable of variables) recorder.addVariable(variable);
  const before = variables.map((variable) => ({ variable, value: tf.clone<Tensor>(variable) }));
  try {
    tf.tidy(() => {
      recorder.attach();
      try {
        const results = run();
        if (results instanceof Promise) recorder.refuse('ASYNC_FUNCTION', 'the function returned a promise');
        else for (const result of results) recorder.addOutput(result);
      } finally {
        recorder.detach();
      }
    });
    return recorder.finish();
  } finally {
    for (const { variable, value } of before) {
      if (variable.dataId !== value.dataId) variable.assign(value);
      value.dispose();
    }
  }
}

/** The nodes so far, and the hooks that make them. */
class Recorder {
  private readonly nodes: RecordedNode[] = [];
  private readonly outputs: RecordedOutput[] = [];
  private readonly refusals: Refusal[] = [];
  /** Where the value with an id comes from. */
  private readonly sources = new Map<number, string>();
  private readonly info = new Map<number, RecordedTensor>();
  private readonly variables = new Map<number, Variable>();
  private readonly inputKeys = new Map<number, string>();
  /** Ids of values that depend on an input or a variable. */
  private readonly dynamic = new Set<number>();
  /** Dynamic values that JavaScript has read since the last operation. */
  private reads: number[] = [];
  private readonly binding: NativeBinding;

  constructor(private readonly backend: NativeBackend) {
    this.binding = backend.binding;
  }

  refuse(reason: RefusalReason, detail: string): void {
    if (!this.refusals.some((refusal) => refusal.reason === reason && refusal.detail === detail)) this.refusals.push({ reason, detail });
  }

  addInput({ name: key, tensor }: NamedTensor): void {
    const id = handleOf(this.backend, tensor);
    const other = this.inputKeys.get(id);
    if (other !== undefined) {
      this.refuse('ALIASED_INPUTS', `inputs '${other}' and '${key}' are the same tensor; pass a copy of one of them`);
      return;
    }
    const name = `input_${this.inputKeys.size}`;
    const found = this.describe(id, tensor);
    this.inputKeys.set(id, key);
    this.sources.set(id, name);
    this.dynamic.add(id);
    this.nodes.push({ kind: 'INPUT', name, key, ...found });
  }

  addVariable(variable: Variable): void {
    let id = handleOf(this.backend, variable);
    if (this.variables.has(id) || this.inputKeys.has(id)) {
      // Two variables (or a variable and an input) share one value, as after b.assign(a.clone()): give this one its own.
      const type: NativeAttr = { name: 'T', type: this.binding.TF_ATTR_TYPE, value: this.backend.tensorMap.get(variable.dataId).dtype };
      const copy = this.backend.executeSingleOutput('Identity', [type], [variable]);
      variable.assign(copy);
      copy.dispose();
      id = handleOf(this.backend, variable);
    }
    this.variables.set(id, variable);
    this.dynamic.add(id);
    this.describe(id, variable);
  }

  addOutput({ name, tensor }: NamedTensor): void {
    const id = handleOf(this.backend, tensor);
    const found = this.describe(id, tensor);
    this.outputs.push({ name, source: this.sourceOf(id), ...found });
  }

  /** Puts itself between the backend and the addon. */
  attach(): void {
    const { binding, backend } = this;
    // The addon's properties are read-only, so plain assignment to an object that inherits from it would do nothing.
    backend.binding = Object.create(binding, {
      createTensor: { value: (shape: readonly number[], dtype: DataTypeNumber, values: NativeValues) => this.createTensor(shape, dtype, values) },
      tensorDataSync: { value: (id: number) => this.read(id) },
      executeOp: { value: (op: string, attrs: readonly NativeAttr[], ids: readonly number[], outputs: number) => this.execute(op, attrs, ids, outputs) },
    }) as NativeBinding;
    const original = backend.getInputTensorIds.bind(backend);
    backend.getInputTensorIds = (tensors) => {
      const ids = original(tensors);
      ids.forEach((id, i) => {
        const tensor = tensors[i];
        // An Int64Scalar of tfjs-node has no dataId; createTensor has seen it.
        if (tensor?.dataId !== undefined) this.describe(id, tensor);
      });
      return ids;
    };
  }

  detach(): void {
    this.backend.binding = this.binding;
    Reflect.deleteProperty(this.backend, 'getInputTensorIds');
  }

  finish(): Recording {
    this.refuseReads();
    for (const [id, variable] of this.variables) {
      if (handleOf(this.backend, variable) !== id) this.refuse('VARIABLE_ASSIGNED', `variable '${variable.name}' is assigned`);
    }
    return { nodes: this.nodes, outputs: this.outputs, refusals: this.refusals };
  }

  private createTensor(shape: readonly number[], dtype: DataTypeNumber, values: NativeValues): number {
    const id = this.binding.createTensor(shape, dtype, values);
    this.info.set(id, { dtype, shape: [...shape] });
    return id;
  }

  private read(id: number): NativeValues {
    if (this.dynamic.has(id)) this.reads.push(id);
    return this.binding.tensorDataSync(id);
  }

  private execute(op: string, given: readonly NativeAttr[], ids: readonly number[], outputCount: number): NativeOutput[] {
    // GatherV2's kernel reads its indices once to check their bounds, and does nothing else with them.
    const checked = op === 'GatherV2' ? this.reads.lastIndexOf(ids[1] ?? -1) : -1;
    if (checked >= 0) this.reads.splice(checked, 1);
    this.refuseReads();

    const inputs = ids.map((id) => this.sourceOf(id));
    const inputTypes = ids.map((id) => this.known(id).dtype);
    const isDynamic = ids.some((id) => this.dynamic.has(id));
    const results = this.binding.executeOp(op, given, ids, outputCount);

    const definition = OP_DEFINITIONS[op];
    let attrs: Extract<RecordedNode, { kind: 'OPERATION' }>['attrs'] = {};
    if (definition === undefined) {
      this.refuse('UNKNOWN_OP', `operation ${op} is not in the table of definitions (op-definitions.py)`);
    } else {
      if (definition.stateful === true) this.refuseStateful(op, 'seed' in definition.attrs);
      const resolved = resolveAttrs(op, definition, given, inputTypes);
      for (const problem of resolved.problems) this.refuse('UNKNOWN_ATTRIBUTE', problem);
      attrs = resolved.attrs;
    }

    const name = `${op}_${this.nodes.length}`;
    const outputs = results.map(({ dtype, shape }) => ({ dtype, shape: [...shape] }));
    this.nodes.push({ kind: 'OPERATION', name, op, inputs, attrs, outputs });
    results.forEach(({ id, dtype, shape }, i) => {
      this.sources.set(id, i === 0 ? name : `${name}:${i}`);
      this.info.set(id, { dtype, shape: [...shape] });
      if (isDynamic) this.dynamic.add(id);
    });
    return results;
  }

  private refuseStateful(op: string, isRandom: boolean): void {
    if (isRandom) this.refuse('RANDOM_OP', `${op} draws random numbers`);
    else this.refuse('SIDE_EFFECT', `${op} has a side effect`);
  }

  private refuseReads(): void {
    for (const id of this.reads) {
      const source = this.sources.get(id) ?? `variable '${this.variables.get(id)?.name ?? ''}'`;
      this.refuse('READ_OF_TRACED_VALUE', `JavaScript reads the value of ${source} (dataSync, arraySync, data or the like)`);
    }
    this.reads = [];
  }

  /** The source of a value; makes a variable's or a constant's node where it is used first. */
  private sourceOf(id: number): string {
    const source = this.sources.get(id);
    if (source !== undefined) return source;
    const variable = this.variables.get(id);
    const found = this.known(id);
    const name = `${variable === undefined ? 'Const' : 'Variable'}_${this.nodes.length}`;
    if (variable !== undefined) {
      this.nodes.push({ kind: 'VARIABLE', name, variable, ...found });
    } else {
      const value: TensorValue = { ...found, values: tensorValues(this.binding.tensorDataSync(id)) };
      this.nodes.push({ kind: 'CONSTANT', name, value });
    }
    this.sources.set(id, name);
    return name;
  }

  private describe(id: number, tensor: TensorInfo): RecordedTensor {
    const known = this.info.get(id);
    if (known !== undefined) return known;
    const { dtype, shape } = this.backend.tensorMap.get(tensor.dataId);
    const found = { dtype, shape: [...shape] };
    this.info.set(id, found);
    return found;
  }

  private known(id: number): RecordedTensor {
    const found = this.info.get(id);
    if (found === undefined) throw new Error(`tfjs-node uses tensor ${id}, which it never named`);
    return found;
  }
}
