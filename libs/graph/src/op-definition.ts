import type { AttrValue } from './graph-def';

/** Kind of an attribute, in the words of TensorFlow's OpDef. */
export type AttrKind = AttrValue['kind'] | 'list(tensor)' | 'func' | 'list(func)';

/** What a recorder needs of a tensorflow.OpDef. */
export interface OpDefinition {
  readonly inputs: readonly InputDefinition[];
  readonly attrs: Readonly<Record<string, AttrKind>>;
  /** The operation has an effect, or draws random numbers. */
  readonly stateful?: true;
}

/** Which attributes follow from an input: TensorFlow infers them in eager mode and does not when it imports a graph. */
export interface InputDefinition {
  /** Attribute that holds the input's type. */
  readonly type?: string;
  /** Attribute that holds how many tensors this input takes. */
  readonly count?: string;
  /** Attribute that holds the types of all the tensors that this input takes. */
  readonly types?: string;
}
