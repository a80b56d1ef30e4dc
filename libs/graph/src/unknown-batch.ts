/**
 * Turns recordings of one function at several batch sizes into one graph for any batch size.
 *
 * TensorFlow.js computes shapes in JavaScript, so they are constants in a recording: [3, 128] for a flatten at batch 3.
 * 1. A constant that is equal in all recordings stays one.
 * 2. An integer that differs is m * batch + q: solved from two recordings, checked on the third, computed in the graph.
 * 3. A tensor that differs in shape and is the same value throughout becomes a Fill.
 * 4. Anything else is refused: as NOT_REPEATABLE when a second recording at the first size differs as well.
 */
import type { Variable } from '@tensorflow/tfjs';
import { BatchArithmetic, type PerBatch } from './batch-arithmetic';
import { DataType, type DataTypeNumber } from './data-type';
import { constantNode, type GraphNode, type TensorValue } from './graph-def';
import type { Refusal, RefusalReason } from './graph-error';
import { nodeOf, type RecordedNode, type Recording } from './recording';
import { sameValues, splatOf } from './tensor-values';

/** Recordings at three batch sizes, and a second one at the first size. */
export interface BatchRecordings {
  readonly batchSizes: PerBatch<number>;
  readonly recordings: PerBatch<Recording>;
  readonly repeated: Recording;
}

/** Where the nodes go, and what they attach to. */
export interface GraphPlacement {
  /** Prefix of node names, without the slash. The inputs' nodes are `<scope>/input_0`, ... and are the caller's. */
  readonly scope: string;
  /** A node whose output has the batch size as its first dimension. */
  readonly batchNode: string;
  readonly batchNodeType: DataTypeNumber;
  /** The node that reads a variable. */
  readonly readNode: (variable: Variable) => string;
}

/** A graph for any batch size; the dimension that follows it is -1 in the outputs' shapes. */
export interface GeneralizedGraph {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly { readonly name: string; readonly tensor: string; readonly dtype: DataTypeNumber; readonly shape: readonly number[] }[];
  readonly refusals: readonly Refusal[];
}

/** A constant of this many elements or more that has one value throughout is stored as a Fill. */
const FILL_MIN_ELEMENTS = 64;

/** Combines the recordings. Nodes that no output depends on are left out. The graph is only usable without refusals. */
export function generalize(batches: BatchRecordings, placement: GraphPlacement): GeneralizedGraph {
  const [first, second, third] = batches.recordings;
  const refusals: Refusal[] = [...first.refusals];
  const refuse = (reason: RefusalReason, detail: string): void => void refusals.push({ reason, detail });

  const structural: readonly (readonly [Recording, RefusalReason])[] = [
    [batches.repeated, 'NOT_REPEATABLE'], [second, 'BATCH_DEPENDENT_STRUCTURE'], [third, 'BATCH_DEPENDENT_STRUCTURE'],
  ];
  for (const [other, reason] of structural) {
    const difference = structuralDifference(first, other);
    if (difference === undefined) continue;
    refuse(reason, difference);
    return { nodes: [], outputs: [], refusals };
  }

  const arithmetic = new BatchArithmetic(batches.batchSizes, placement.scope, placement.batchNode, placement.batchNodeType);
  const readNodes = new Map(first.nodes.flatMap((node) => (node.kind === 'VARIABLE' ? [[node.name, placement.readNode(node.variable)] as const] : [])));
  const place = (source: string): string => {
    const node = nodeOf(source);
    return readNodes.get(node) ?? `${placement.scope}/${source}`;
  };

  const wanted = reachable(first);
  const nodes: GraphNode[] = [];
  first.nodes.forEach((node, i) => {
    if (!wanted.has(node.name)) return;
    switch (node.kind) {
      case 'INPUT':
      case 'VARIABLE':
        return;
      case 'OPERATION':
        nodes.push({ name: place(node.name), op: node.op, inputs: node.inputs.map(place), attrs: node.attrs });
        return;
      case 'CONSTANT': {
        const values: PerBatch<TensorValue> = [node.value, constantAt(second, i), constantAt(third, i)];
        if (!sameTensor(node.value, constantAt(batches.repeated, i))) {
          refuse('NOT_REPEATABLE', `${describeUse(first, node.name)} differs between two calls with the same inputs: a random number or other state of JavaScript`);
          return;
        }
        const made = generalConstant(place(node.name), values, arithmetic);
        if (made === undefined) refuse('BATCH_DEPENDENT_VALUE', `${describeUse(first, node.name)} depends on the batch size`);
        else nodes.push(...made);
      }
    }
  });

  const outputs = first.outputs.map((output, i) => {
    const others = [second.outputs[i]?.shape, third.outputs[i]?.shape];
    const shape = output.shape.map((size, d) => (others.every((other) => other?.[d] === size) ? size : -1));
    const source = place(output.source);
    return { name: output.name, tensor: /:\d+$/.test(source) ? source : `${source}:0`, dtype: output.dtype, shape };
  });
  return { nodes: [...arithmetic.prelude(), ...nodes], outputs, refusals };
}

/** What differs in the operations of two recordings, constants' values aside. */
function structuralDifference(a: Recording, b: Recording): string | undefined {
  for (const [i, node] of a.nodes.entries()) {
    const other = b.nodes[i];
    if (other === undefined) return `${node.name} runs in one call and not in another`;
    const [left, right] = [structure(node), structure(other)];
    if (left !== right) return `${node.name} of one call is ${other.name} with other inputs or attributes in another`;
  }
  if (b.nodes.length > a.nodes.length) return `${b.nodes[a.nodes.length]?.name ?? ''} runs in one call and not in another`;
  const results = (recording: Recording): string => JSON.stringify(recording.outputs.map(({ name, source, dtype, shape }) => [name, source, dtype, shape.length]));
  return results(a) === results(b) ? undefined : 'the outputs of two calls come from different operations';
}

function structure(node: RecordedNode): string {
  switch (node.kind) {
    case 'INPUT': return JSON.stringify([node.name, node.key, node.dtype]);
    case 'VARIABLE': return JSON.stringify([node.name, node.variable.name]);
    case 'CONSTANT': return JSON.stringify([node.name, node.value.dtype, node.value.shape.length]);
    case 'OPERATION': return JSON.stringify([node.name, node.inputs, node.attrs, node.outputs.map(({ dtype, shape }) => [dtype, shape.length])]);
  }
}

function reachable(recording: Recording): ReadonlySet<string> {
  const wanted = new Set(recording.outputs.map((output) => nodeOf(output.source)));
  for (const node of [...recording.nodes].reverse()) {
    if (node.kind === 'OPERATION' && wanted.has(node.name)) for (const input of node.inputs) wanted.add(nodeOf(input));
  }
  return wanted;
}

function constantAt(recording: Recording, index: number): TensorValue {
  const node = recording.nodes[index];
  if (node?.kind !== 'CONSTANT') throw new Error(`node ${index} of a recording with the same structure is not a constant`);
  return node.value;
}

/** `the constant [3,10] of Mul_12`. */
function describeUse(recording: Recording, name: string): string {
  const user = recording.nodes.find((node) => node.kind === 'OPERATION' && node.inputs.includes(name));
  const node = recording.nodes.find((candidate) => candidate.name === name);
  const shape = node?.kind === 'CONSTANT' ? ` [${node.value.shape.join()}]` : '';
  return `the constant${shape} ${user === undefined ? 'that is an output' : `that ${user.name} takes`}`;
}

function generalConstant(name: string, values: PerBatch<TensorValue>, arithmetic: BatchArithmetic): readonly GraphNode[] | undefined {
  const [first, second, third] = values;
  const count = elementCount(first.shape);
  if (sameTensor(first, second) && sameTensor(first, third)) {
    const splat = count >= FILL_MIN_ELEMENTS ? splatOf(first.values, count) : undefined;
    if (splat === undefined) return [constantNode(name, first)];
    return arithmetic.fill(name, [first.shape, first.shape, first.shape], { dtype: first.dtype, shape: [], values: splat });
  }
  if (sameShape(first, second) && sameShape(first, third)) {
    const integers = values.map(asIntegers);
    const [a, b, c] = integers;
    if (first.shape.length > 1 || a === undefined || b === undefined || c === undefined) return undefined;
    return arithmetic.vector(name, [a, b, c], first.shape, first.dtype);
  }
  const splats = values.map((value) => splatOf(value.values, elementCount(value.shape)));
  const [splat] = splats;
  if (splat === undefined || !splats.every((other) => other !== undefined && sameValues(other, splat))) return undefined;
  return arithmetic.fill(name, [first.shape, second.shape, third.shape], { dtype: first.dtype, shape: [], values: splat });
}

/** The elements of an int32 tensor, or of a float32 tensor whose elements are all integers. */
function asIntegers({ dtype, values }: TensorValue): readonly number[] | undefined {
  if (values.kind !== 'BYTES') return undefined;
  const view = new DataView(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
  const indices = Array.from({ length: values.bytes.byteLength / 4 }, (_, i) => i * 4);
  if (dtype === DataType.INT32) return indices.map((at) => view.getInt32(at, true));
  if (dtype !== DataType.FLOAT) return undefined;
  const floats = indices.map((at) => view.getFloat32(at, true));
  return floats.every((value) => Number.isInteger(value)) ? floats : undefined;
}

const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const sameShape = (a: TensorValue, b: TensorValue): boolean => a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
const sameTensor = (a: TensorValue, b: TensorValue): boolean => a.dtype === b.dtype && sameShape(a, b) && sameValues(a.values, b.values);
