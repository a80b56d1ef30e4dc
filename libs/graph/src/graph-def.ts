import { DataType, type DataTypeNumber } from './data-type';
import { ProtoWriter } from './proto-writer';

/** Elements of a tensor: little-endian bytes in row-major order, or one byte string an element. */
export type TensorValues =
  | { readonly kind: 'BYTES'; readonly bytes: Uint8Array }
  | { readonly kind: 'STRINGS'; readonly strings: readonly Uint8Array[] };

/** A tensor inside a graph. */
export interface TensorValue {
  readonly dtype: DataTypeNumber;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** A value of tensorflow.AttrValue. In a shape, -1 is an unknown dimension. */
export type AttrValue =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'type'; readonly value: DataTypeNumber }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: TensorValue }
  | { readonly kind: 'list(string)'; readonly value: readonly string[] }
  | { readonly kind: 'list(int)'; readonly value: readonly number[] }
  | { readonly kind: 'list(float)'; readonly value: readonly number[] }
  | { readonly kind: 'list(bool)'; readonly value: readonly boolean[] }
  | { readonly kind: 'list(type)'; readonly value: readonly DataTypeNumber[] }
  | { readonly kind: 'list(shape)'; readonly value: readonly (readonly number[])[] };

/** A node of a graph. An input is `node`, `node:1` (its second output), or `^node` (runs before). */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrValue>>;
}

/** What the graph's semantics follow: GRAPH_DEF_VERSION of TensorFlow 2.21 (tensorflow/core/public/version.h). */
export const GRAPH_PRODUCER_VERSION = 1882;

/** tensorflow.TensorShapeProto. */
export function shapeMessage(shape: readonly number[]): ProtoWriter {
  const writer = new ProtoWriter();
  for (const size of shape) writer.message(2, new ProtoWriter().int(1, size));
  return writer;
}

function tensorMessage(tensor: TensorValue): ProtoWriter {
  const writer = new ProtoWriter().int(1, tensor.dtype).message(2, shapeMessage(tensor.shape));
  switch (tensor.values.kind) {
    case 'BYTES':
      return writer.bytes(4, tensor.values.bytes);
    case 'STRINGS':
      for (const value of tensor.values.strings) writer.bytes(8, value);
      return writer;
  }
}

function attrMessage(attr: AttrValue): ProtoWriter {
  const writer = new ProtoWriter();
  const list = new ProtoWriter();
  switch (attr.kind) {
    case 'string': return writer.string(2, attr.value);
    case 'int': return writer.int(3, attr.value);
    case 'float': return writer.float(4, attr.value);
    case 'bool': return writer.bool(5, attr.value);
    case 'type': return writer.int(6, attr.value);
    case 'shape': return writer.message(7, shapeMessage(attr.value));
    case 'tensor': return writer.message(8, tensorMessage(attr.value));
    case 'list(string)': for (const value of attr.value) list.string(2, value); break;
    case 'list(int)': for (const value of attr.value) list.int(3, value); break;
    case 'list(float)': for (const value of attr.value) list.float(4, value); break;
    case 'list(bool)': for (const value of attr.value) list.bool(5, value); break;
    case 'list(type)': for (const value of attr.value) list.int(6, value); break;
    case 'list(shape)': for (const value of attr.value) list.message(7, shapeMessage(value)); break;
  }
  return writer.message(1, list);
}

/** tensorflow.GraphDef; nodes stay in the order given, attributes are sorted. */
export function graphMessage(nodes: readonly GraphNode[]): ProtoWriter {
  const writer = new ProtoWriter();
  for (const node of nodes) {
    const message = new ProtoWriter().string(1, node.name).string(2, node.op);
    for (const input of node.inputs) message.string(3, input);
    writer.message(1, message.map(5, node.attrs, attrMessage));
  }
  return writer.message(4, new ProtoWriter().int(1, GRAPH_PRODUCER_VERSION));
}

const encoder = new TextEncoder();

/** A Const node with integers. */
export function int32Constant(name: string, shape: readonly number[], values: readonly number[]): GraphNode {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setInt32(i * 4, value, true));
  return constantNode(name, { dtype: DataType.INT32, shape, values: { kind: 'BYTES', bytes } });
}

/** A Const node with strings; `shape` [] makes a scalar. */
export function stringConstant(name: string, shape: readonly number[], values: readonly string[]): GraphNode {
  const strings = values.map((value) => encoder.encode(value));
  return constantNode(name, { dtype: DataType.STRING, shape, values: { kind: 'STRINGS', strings } });
}

/** A Const node. */
export function constantNode(name: string, value: TensorValue): GraphNode {
  return { name, op: 'Const', inputs: [], attrs: { dtype: { kind: 'type', value: value.dtype }, value: { kind: 'tensor', value } } };
}

/** A type attribute. */
export const typeAttr = (value: DataTypeNumber): AttrValue => ({ kind: 'type', value });
