import type { DataType as TfjsDataType, LayersModel, Tensor } from '@tensorflow/tfjs';
import { GraphError } from './graph-error';
import { featureDtype, type FeatureSpec } from './parse-examples';
import type { NamedTensor } from './recording';
import { UniqueNames } from './variable-graph';

/** Signature on tensors: the model's own inputs and outputs. */
export const SERVING_DEFAULT = 'serving_default';
/** Signature on serialized tf.Examples: one input, `examples`. */
export const SERVING_EXAMPLES = 'serving_examples';

/** What a mapping of features may give: the model's only input, all inputs in order, or all by name. */
export type ModelInputs = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** How serialized tf.Examples become inputs of the model. */
export interface ExamplesSignature {
  readonly features: readonly FeatureSpec[];
  /**
   * What training does with parsed features before the model, with TensorFlow.js operations alone; it is recorded into the
   * graph. Each feature is a tensor [batch, ...shape]. Without it, the model's inputs are the features of the same names.
   */
  readonly featuresToInputs?: (features: Readonly<Record<string, Tensor>>) => ModelInputs;
}

/** A function of named inputs with a batch dimension, to be recorded as a signature. */
export interface SignatureFunction {
  readonly name: string;
  /** For errors: what is recorded. */
  readonly subject: string;
  readonly inputs: readonly SignatureInput[];
  readonly apply: (inputs: readonly Tensor[]) => readonly NamedTensor[];
}

/** An input, with its shape but for the batch dimension. */
export interface SignatureInput {
  readonly name: string;
  readonly dtype: TfjsDataType;
  readonly rowShape: readonly number[];
}

/**
 * The signature on the model's own inputs and outputs.
 *
 * @throws GraphError UNSUPPORTED_MODEL for an input with a fixed batch size or another unknown dimension
 */
export function tensorSignature(model: LayersModel): SignatureFunction {
  const names = new UniqueNames();
  const inputs = model.inputs.map((input, i): SignatureInput => {
    const name = model.inputNames[i] ?? input.name;
    const [batch, ...rest] = input.shape;
    const rowShape = rest.map((size) => size ?? -1);
    if (batch !== null || rowShape.includes(-1)) {
      throw new GraphError(
        'UNSUPPORTED_MODEL',
        `input '${name}' of model '${model.name}' has shape [${input.shape.map((size) => size ?? 'null').join(', ')}]: `
          + 'the first dimension must be the only unknown one (give inputShape, not batchInputShape)',
      );
    }
    return { name: names.make(name), dtype: input.dtype, rowShape };
  });
  return {
    name: SERVING_DEFAULT,
    subject: `model '${model.name}'`,
    inputs,
    apply: (tensors) => predict(model, tensors),
  };
}

/** The signature on serialized tf.Examples. @throws GraphError BAD_FEATURES */
export function examplesSignature(model: LayersModel, { features, featuresToInputs }: ExamplesSignature): SignatureFunction {
  if (features.length === 0) throw new GraphError('BAD_FEATURES', `${SERVING_EXAMPLES} needs at least one feature`);
  const names = features.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new GraphError('BAD_FEATURES', `feature '${twice}' is given twice`);
  const toInputs = featuresToInputs ?? ((parsed: Readonly<Record<string, Tensor>>) => parsed);
  return {
    name: SERVING_EXAMPLES,
    subject: `the mapping of features with model '${model.name}'`,
    inputs: features.map((feature) => ({ name: feature.name, dtype: featureDtype(feature), rowShape: feature.shape })),
    apply: (tensors) => {
      const parsed = Object.fromEntries(tensors.flatMap((tensor, i) => (names[i] === undefined ? [] : [[names[i], tensor]])));
      return predict(model, orderedInputs(model, toInputs(parsed)));
    },
  };
}

function orderedInputs(model: LayersModel, given: ModelInputs): readonly Tensor[] {
  const wanted = model.inputNames;
  if (given instanceof Promise) {
    throw new GraphError('BAD_FEATURES', 'featuresToInputs returned a promise: it must be synchronous to be recorded');
  }
  const list = isTensor(given) ? [given] : isList(given) ? given : wanted.map((name) => {
    const found = given[name];
    if (found !== undefined) return found;
    throw new GraphError('BAD_FEATURES', `featuresToInputs gives no input '${name}'; it gives ${quoted(Object.keys(given))}, and model '${model.name}' takes ${quoted(wanted)}`);
  });
  if (list.length !== wanted.length) {
    throw new GraphError('BAD_FEATURES', `featuresToInputs gives ${list.length} inputs, and model '${model.name}' takes ${wanted.length}: ${quoted(wanted)}`);
  }
  list.forEach((tensor, i) => {
    const shape = model.inputs[i]?.shape ?? [];
    const fits = shape.length === tensor.shape.length && shape.every((size, d) => size === null || size === tensor.shape[d]);
    if (fits) return;
    throw new GraphError(
      'BAD_FEATURES',
      `input '${wanted[i] ?? ''}' of model '${model.name}' has shape [${shape.map((size) => size ?? 'batch').join(', ')}], and the features give [${tensor.shape.join(', ')}]`,
    );
  });
  return list;
}

/** The model's outputs by name, as in evaluation: no dropout, moving statistics. */
function predict(model: LayersModel, inputs: readonly Tensor[]): readonly NamedTensor[] {
  const [only] = inputs;
  const result: unknown = model.apply(inputs.length === 1 && only !== undefined ? only : [...inputs], { training: false });
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  const names = new UniqueNames();
  return outputs.map((tensor, i) => {
    const name = names.make(model.outputNames[i] ?? `output_${i}`);
    if (!isTensor(tensor)) throw new GraphError('UNSUPPORTED_MODEL', `output '${name}' of model '${model.name}' is not a tensor`);
    return { name, tensor };
  });
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;
}

const isList = (value: readonly Tensor[] | Readonly<Record<string, Tensor>>): value is readonly Tensor[] => Array.isArray(value);
const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
