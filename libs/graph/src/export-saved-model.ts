/**
 * Exports a TensorFlow.js model as a SavedModel, without Python.
 *
 * 1. The bytes depend on the model, its weights, the signatures and TensorFlow's version: no clock, no randomness, no
 *    counters of the process.
 * 2. What was written is loaded and run by TensorFlow before it is published; the target appears whole or not at all.
 * 3. From the first recording to the last byte nothing else runs: the function is synchronous, so weights cannot move.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayersModel, Rank, Variable } from '@tensorflow/tfjs';
import { DataType, dataTypeName, dataTypeNumber } from './data-type';
import { typeAttr, type GraphNode } from './graph-def';
import { notRecordable } from './graph-error';
import { nativeBackend, type Tf } from './native-backend';
import { parseExamplesNodes, type FeatureSpec } from './parse-examples';
import type { RecordedTensor } from './recording';
import { encodeSavedModel, type Signature } from './saved-model-proto';
import { examplesSignature, tensorSignature, type ExamplesSignature, type SignatureFunction } from './serving-signature';
import { recordSignature, sampleInputs } from './signature-recording';
import { stageDirectory } from './staged-directory';
import { generalize, type GeneralizedGraph } from './unknown-batch';
import { exportedVariables, readNode, variableNodes, writeBundle } from './variable-graph';
import { verifySavedModel, type Verification } from './verification';

/** What to export, and where. */
export interface SavedModelRequest {
  readonly tf: Tf;
  readonly model: LayersModel;
  /** Must not exist, or be empty. */
  readonly directory: string;
  /** Adds the signature `serving_examples`. */
  readonly examples?: ExamplesSignature;
}

/** An input or output of an exported signature. */
export interface ExportedTensor {
  /** `float32`, `int32`, `string`, ... */
  readonly dtype: string;
  /** -1 is the batch. */
  readonly shape: readonly number[];
}

/** What was exported. */
export interface SavedModelSummary {
  readonly signatures: Readonly<Record<string, { readonly inputs: Readonly<Record<string, ExportedTensor>>; readonly outputs: Readonly<Record<string, ExportedTensor>> }>>;
  /** Names of the variables in the bundle, sorted. */
  readonly variables: readonly string[];
  readonly nodes: number;
}

/** Not among those recorded, so that a wrong dependence on the batch shows. */
const VERIFICATION_BATCH_SIZE = 11;

/**
 * Exports `model` for inference with the signatures `serving_default` (the model's inputs and outputs by name) and,
 * when asked for, `serving_examples` (`examples`, string [batch]).
 *
 * @throws GraphError NEEDS_NATIVE_BACKEND, NOT_RECORDABLE (with the refusals), UNSUPPORTED_MODEL, BAD_FEATURES,
 *   DIRECTORY_EXISTS, VERIFICATION_FAILED. Nothing is left behind.
 */
export function exportSavedModel({ tf, model, directory, examples }: SavedModelRequest): SavedModelSummary {
  const backend = nativeBackend(tf);
  const plans: Plan[] = [{ fn: tensorSignature(model), features: undefined }];
  if (examples !== undefined) plans.push({ fn: examplesSignature(model, examples), features: examples.features });
  const recorded = plans.map((plan) => ({ plan, inputs: inputNodes(plan), batches: recordSignature(tf, plan.fn) }));
  const variables = exportedVariables(model, recorded.map(({ batches }) => batches.recordings[0]));
  const nameOf = new Map<Variable, string>(variables.map(({ variable, name }) => [variable, name]));
  const served = recorded.map(({ plan, inputs, batches }) => {
    const [source] = servedInputs(plan);
    if (source === undefined) throw new Error(`signature ${plan.fn.name} has no inputs`);
    const graph = generalize(batches, {
      scope: plan.fn.name,
      batchNode: source.node,
      batchNodeType: source.dtype,
      readNode: (variable) => readNode(nameOf.get(variable) ?? ''),
    });
    if (graph.refusals.length > 0) throw notRecordable(plan.fn.subject, graph.refusals);
    return { plan, graph, nodes: [...inputs, ...graph.nodes] };
  });

  const { nodes: stateNodes, saver } = variableNodes(variables);
  const nodes = [...stateNodes, ...served.flatMap((one) => one.nodes)];
  const signatures = Object.fromEntries(served.map(({ plan, graph }) => [plan.fn.name, signatureOf(plan, graph)]));

  const staged = stageDirectory(directory);
  try {
    const bytes = encodeSavedModel({ nodes, signatures, saver, tensorflowVersion: backend.binding.TF_Version });
    writeFileSync(join(staged.path, 'saved_model.pb'), bytes);
    if (variables.length > 0) {
      const folder = join(staged.path, 'variables');
      mkdirSync(folder);
      writeBundle(tf, backend, staged.path, join(folder, 'variables'), variables);
    }
    tf.tidy(() => {
      verifySavedModel(tf, backend, staged.path, served.map(({ plan, graph }) => verification(tf, plan, graph)));
    });
    staged.publish();
  } finally {
    staged.discard();
  }
  return summarize(signatures, variables.map(({ name }) => name), nodes.length);
}

/** A signature, and the features when its inputs are parsed from examples. */
interface Plan {
  readonly fn: SignatureFunction;
  readonly features: readonly FeatureSpec[] | undefined;
}

/** What a caller of the signature feeds. */
interface ServedInput extends RecordedTensor {
  readonly name: string;
  readonly node: string;
}

function servedInputs({ fn, features }: Plan): readonly ServedInput[] {
  if (features !== undefined) return [{ name: 'examples', node: `${fn.name}/examples`, dtype: DataType.STRING, shape: [-1] }];
  return fn.inputs.map(({ name, dtype, rowShape }, i) => ({ name, node: inputNode(fn, i), dtype: dataTypeNumber(dtype), shape: [-1, ...rowShape] }));
}

/** The node with a recorded input's value: a placeholder, or what the parser gives. */
const inputNode = (fn: SignatureFunction, index: number): string => `${fn.name}/input_${index}`;

function inputNodes(plan: Plan): readonly GraphNode[] {
  if (plan.features !== undefined) return parseExamplesNodes(plan.fn.name, plan.features);
  return servedInputs(plan).map(({ node, dtype, shape }) => ({
    name: node,
    op: 'Placeholder',
    inputs: [],
    attrs: { dtype: typeAttr(dtype), shape: { kind: 'shape', value: shape } },
  }));
}

function signatureOf(plan: Plan, graph: GeneralizedGraph): Signature {
  return {
    inputs: Object.fromEntries(servedInputs(plan).map(({ name, node, dtype, shape }) => [name, { tensor: `${node}:0`, dtype, shape }])),
    outputs: Object.fromEntries(graph.outputs.map(({ name, ...output }) => [name, output])),
  };
}

/** A run of the signature on sample inputs, with what the model gives for them. To be called inside tf.tidy. */
function verification(tf: Tf, { fn, features }: Plan, graph: GeneralizedGraph): Verification {
  const samples = sampleInputs(tf, fn, VERIFICATION_BATCH_SIZE);
  const expected = new Map(fn.apply(samples).map(({ name, tensor }) => [name, tensor]));
  const feeds = samples.map((value, i) => ({ tensor: `${inputNode(fn, i)}:0`, value }));
  // The parsed features are fed; the examples only say how many there are.
  const examples = features === undefined ? [] : [{ tensor: `${fn.name}/examples:0`, value: tf.fill<Rank.R1>([VERIFICATION_BATCH_SIZE], '', 'string') }];
  return {
    signature: fn.name,
    feeds: [...feeds, ...examples],
    outputs: graph.outputs.flatMap(({ name, tensor }) => {
      const wanted = expected.get(name);
      return wanted === undefined ? [] : [{ name, tensor, expected: wanted }];
    }),
  };
}

function summarize(signatures: Readonly<Record<string, Signature>>, variables: readonly string[], nodes: number): SavedModelSummary {
  const tensors = (from: Signature['inputs']): Readonly<Record<string, ExportedTensor>> =>
    Object.fromEntries(Object.entries(from).map(([name, { dtype, shape }]) => [name, { dtype: dataTypeName(dtype), shape }]));
  return {
    signatures: Object.fromEntries(Object.entries(signatures).map(([name, { inputs, outputs }]) => [name, { inputs: tensors(inputs), outputs: tensors(outputs) }])),
    variables,
    nodes,
  };
}
