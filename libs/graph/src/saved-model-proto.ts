import type { DataTypeNumber } from './data-type';
import { graphMessage, shapeMessage, type GraphNode } from './graph-def';
import { ProtoWriter } from './proto-writer';

/** One named input or output of a signature. */
export interface SignatureTensor {
  /** Name of the tensor in the graph: `node:0`. */
  readonly tensor: string;
  readonly dtype: DataTypeNumber;
  /** -1 is an unknown dimension. */
  readonly shape: readonly number[];
}

/** tensorflow.SignatureDef. */
export interface Signature {
  readonly inputs: Readonly<Record<string, SignatureTensor>>;
  readonly outputs: Readonly<Record<string, SignatureTensor>>;
}

/** The nodes by which a loader restores the variables (tensorflow.SaverDef, checkpoint format V2). */
export interface SaverNodes {
  readonly filenameTensor: string;
  readonly saveTensor: string;
  readonly restoreOp: string;
}

/** All of a `saved_model.pb`. */
export interface SavedModelGraph {
  readonly nodes: readonly GraphNode[];
  readonly signatures: Readonly<Record<string, Signature>>;
  /** Absent for a model without variables. */
  readonly saver: SaverNodes | undefined;
  readonly tensorflowVersion: string;
}

export const SERVE_TAG = 'serve';
const PREDICT_METHOD = 'tensorflow/serving/predict';
const CHECKPOINT_V2 = 2;

/** Encodes a tensorflow.SavedModel with one MetaGraphDef, tagged `serve`. The bytes depend on the argument alone. */
export function encodeSavedModel(model: SavedModelGraph): Uint8Array {
  const info = new ProtoWriter().string(4, SERVE_TAG).string(5, model.tensorflowVersion).bool(7, true);
  const metaGraph = new ProtoWriter().message(1, info).message(2, graphMessage(model.nodes));
  if (model.saver !== undefined) {
    const { filenameTensor, saveTensor, restoreOp } = model.saver;
    metaGraph.message(3, new ProtoWriter().string(1, filenameTensor).string(2, saveTensor).string(3, restoreOp).int(7, CHECKPOINT_V2));
  }
  metaGraph.map(5, model.signatures, signatureMessage);
  return new ProtoWriter().int(1, 1).message(2, metaGraph).finish();
}

function signatureMessage(signature: Signature): ProtoWriter {
  const tensorInfo = (info: SignatureTensor): ProtoWriter =>
    new ProtoWriter().string(1, info.tensor).int(2, info.dtype).message(3, shapeMessage(info.shape));
  return new ProtoWriter().map(1, signature.inputs, tensorInfo).map(2, signature.outputs, tensorInfo).string(3, PREDICT_METHOD);
}
