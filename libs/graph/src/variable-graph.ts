/**
 * Variables in a SavedModel: the nodes that hold, read, save and restore them, and the bundle with their values.
 *
 * 1. Names come from the model's layers (`dense_Dense1/kernel`), never from TensorFlow.js's registry of variables, whose
 *    suffixes count what the process has made so far.
 * 2. The bundle is written by TensorFlow's own SaveV2, so it is TensorFlow's format by construction. Its bytes depend on
 *    names and values alone.
 */
import type { LayersModel, Variable } from '@tensorflow/tfjs';
import { DataType, type DataTypeNumber } from './data-type';
import { stringConstant, typeAttr, type GraphNode } from './graph-def';
import { handleOf, type NativeBackend, type Tf } from './native-backend';
import type { Recording } from './recording';
import { SERVE_TAG, type SaverNodes } from './saved-model-proto';

/** A variable of an exported model. */
export interface ExportedVariable {
  /** Its name in the bundle, unique in the model. */
  readonly name: string;
  readonly variable: Variable;
  readonly dtype: DataTypeNumber;
  readonly shape: readonly number[];
}

/** The variables that the recordings use, sorted by name. */
export function exportedVariables(model: LayersModel, recordings: readonly Recording[]): readonly ExportedVariable[] {
  const used = new Map<Variable, { readonly dtype: DataTypeNumber; readonly shape: readonly number[] }>();
  for (const recording of recordings) {
    for (const node of recording.nodes) if (node.kind === 'VARIABLE') used.set(node.variable, { dtype: node.dtype, shape: node.shape });
  }
  const names = new UniqueNames();
  const exported: ExportedVariable[] = [];
  for (const weight of model.weights) {
    const name = names.make(graphName(weight.originalName));
    const variable = [...used.keys()].find((candidate) => candidate === weight.read());
    const found = variable === undefined ? undefined : used.get(variable);
    if (variable === undefined || found === undefined) continue;
    exported.push({ name, variable, ...found });
    used.delete(variable);
  }
  // Variables that the model does not own: a mapping of features may have some. In the order of their first use.
  for (const [variable, found] of used) exported.push({ name: names.make('captured/variable'), variable, ...found });
  return exported.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hands out names, numbering the ones that were handed out before: a, a_1, a_2. */
export class UniqueNames {
  private readonly taken = new Set<string>();

  make(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }
}

/** A name that a graph accepts: other characters become underscores, and the first is a letter, a digit or a dot. */
export const graphName = (name: string): string => name.replace(/[^A-Za-z0-9_.\-/]/g, '_').replace(/^(?![A-Za-z0-9.])/, 'v');

const handleNode = (name: string): string => `variables/${name}`;

/** The node that reads a variable. */
export const readNode = (name: string): string => `${handleNode(name)}/Read`;

const SAVER: SaverNodes = { filenameTensor: 'save/filename:0', saveTensor: 'save/done:0', restoreOp: 'save/restore_all' };

/** The nodes that hold, read, save and restore variables. `saver` is absent when there are none. */
export function variableNodes(variables: readonly ExportedVariable[]): { readonly nodes: readonly GraphNode[]; readonly saver: SaverNodes | undefined } {
  if (variables.length === 0) return { nodes: [], saver: undefined };
  const names = variables.map(({ name }) => name);
  const dtypes = { kind: 'list(type)', value: variables.map(({ dtype }) => dtype) } as const;
  const string = typeAttr(DataType.STRING);
  const slots = ['save/filename', 'save/names', 'save/slices'];
  const nodes: GraphNode[] = variables.flatMap(({ name, dtype, shape }): GraphNode[] => [
    {
      name: handleNode(name),
      op: 'VarHandleOp',
      inputs: [],
      attrs: { dtype: typeAttr(dtype), shape: { kind: 'shape', value: shape }, shared_name: { kind: 'string', value: name } },
    },
    { name: readNode(name), op: 'ReadVariableOp', inputs: [handleNode(name)], attrs: { dtype: typeAttr(dtype) } },
  ]);
  nodes.push(
    stringConstant('save/default_filename', [], ['model']),
    { name: 'save/filename', op: 'PlaceholderWithDefault', inputs: ['save/default_filename'], attrs: { dtype: string, shape: { kind: 'shape', value: [] } } },
    stringConstant('save/names', [names.length], names),
    stringConstant('save/slices', [names.length], names.map(() => '')),
    { name: 'save/RestoreV2', op: 'RestoreV2', inputs: slots, attrs: { dtypes } },
    ...variables.map(({ name, dtype }, i): GraphNode => ({
      name: `save/assign_${i}`,
      op: 'AssignVariableOp',
      inputs: [handleNode(name), i === 0 ? 'save/RestoreV2' : `save/RestoreV2:${i}`],
      attrs: { dtype: typeAttr(dtype) },
    })),
    { name: 'save/restore_all', op: 'NoOp', inputs: variables.map((_, i) => `^save/assign_${i}`), attrs: {} },
    { name: 'save/SaveV2', op: 'SaveV2', inputs: [...slots, ...names.map(readNode)], attrs: { dtypes } },
    { name: 'save/done', op: 'Identity', inputs: ['save/filename', '^save/SaveV2'], attrs: { T: string } },
  );
  return { nodes, saver: SAVER };
}

/**
 * Writes the bundle `prefix`.index and `prefix`.data-00000-of-00001 with the variables' present values.
 *
 * @param directory a SavedModel with the nodes of {@link variableNodes} and without a `variables` folder
 */
export function writeBundle(tf: Tf, backend: NativeBackend, directory: string, prefix: string, variables: readonly ExportedVariable[]): void {
  const model = backend.binding.loadSavedModel(directory, SERVE_TAG);
  const filename = tf.scalar(prefix, 'string');
  try {
    // The session's variables are not initialised: the values are fed in place of what would read them.
    const feeds = [SAVER.filenameTensor, ...variables.map(({ name }) => `${readNode(name)}:0`)];
    const ids = [filename, ...variables.map(({ variable }) => variable)].map((tensor) => handleOf(backend, tensor));
    const results = backend.binding.runSavedModel(model, ids, feeds.join(','), SAVER.saveTensor);
    tf.dispose(results.map((result) => backend.createOutputTensor(result)));
  } finally {
    filename.dispose();
    backend.binding.deleteSavedModel(model);
  }
}
