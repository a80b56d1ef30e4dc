import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { DataTypeNumber } from './data-type';
import type { AttrValue, TensorValue } from './graph-def';
import type { Refusal } from './graph-error';

/** A tensor with the name under which a graph takes or gives it. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** A tensor that a node gives. */
export interface RecordedTensor {
  readonly dtype: DataTypeNumber;
  readonly shape: readonly number[];
}

/** One node of a recording. Names are unique in it and depend on the order of the operations alone. */
export type RecordedNode =
  | ({ readonly kind: 'INPUT'; readonly name: string; /** The caller's name of the input. */ readonly key: string } & RecordedTensor)
  | ({ readonly kind: 'VARIABLE'; readonly name: string; readonly variable: Variable } & RecordedTensor)
  | { readonly kind: 'CONSTANT'; readonly name: string; readonly value: TensorValue }
  | {
      readonly kind: 'OPERATION';
      readonly name: string;
      readonly op: string;
      /** `node` or `node:1`, as in a GraphDef. */
      readonly inputs: readonly string[];
      readonly attrs: Readonly<Record<string, AttrValue>>;
      readonly outputs: readonly RecordedTensor[];
    };

/** A result of the recorded function. */
export interface RecordedOutput extends RecordedTensor {
  readonly name: string;
  /** `node` or `node:1`. */
  readonly source: string;
}

/** One call of a function, as a graph. It means what the call did only when there are no refusals. */
export interface Recording {
  /** In the order of execution: a node comes after its inputs. */
  readonly nodes: readonly RecordedNode[];
  readonly outputs: readonly RecordedOutput[];
  readonly refusals: readonly Refusal[];
}

/** The node of a source: `MatMul_3` of `MatMul_3:1`. */
export const nodeOf = (source: string): string => source.replace(/:\d+$/, '');
