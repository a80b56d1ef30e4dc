/** Search spaces and values as KerasTuner's wire has them: grouped by type, children perhaps before their parents. */
import { create } from '@bufbuild/protobuf';
import { kerasTuner } from '@lockstep/contract';
import {
  booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter, isActive, sortSpace,
  type Condition, type Parameter, type Sampling, type SearchSpace, type Value, type Values, type ValueType,
} from '@lockstep/search';
import { valueTypeOf } from '../convert/value-proto';

type HyperParameters = kerasTuner.HyperParameters;

/** Values of Hyperband's own begin with this, and are of no parameter. */
export const OWN_VALUES = 'tuner/';

/** NONE raises an error in KerasTuner's client. */
const TO_SAMPLING: Readonly<Record<Sampling, kerasTuner.Sampling>> = { LINEAR: kerasTuner.Sampling.LINEAR, LOG: kerasTuner.Sampling.LOG, REVERSE_LOG: kerasTuner.Sampling.REVERSE_LOG };

/** A value by its parameter's type: a float that is a whole number stays a float. */
export function toKerasValue(value: Value, type: ValueType | undefined): kerasTuner.Value {
  if (typeof value === 'string') return create(kerasTuner.ValueSchema, { kind: { case: 'stringValue', value } });
  if (typeof value === 'boolean') return create(kerasTuner.ValueSchema, { kind: { case: 'booleanValue', value } });
  const isInteger = type === 'INT' || (type === undefined && Number.isSafeInteger(value));
  return create(kerasTuner.ValueSchema, { kind: isInteger ? { case: 'intValue', value: BigInt(value) } : { case: 'floatValue', value } });
}

/** @param own Hyperband's values, beside those of parameters */
export function toHyperParameters(space: SearchSpace, values: Values, own: Values = new Map()): HyperParameters {
  const typed = [...values].map(([name, value]): [string, kerasTuner.Value] => {
    const parameter = space.find((p) => p.name === name && isActive(p, values));
    return [name, toKerasValue(value, parameter && valueTypeOf(parameter))];
  });
  const message = create(kerasTuner.HyperParametersSchema, { space: {}, values: { values: Object.fromEntries([...typed, ...[...own].map(([name, value]): [string, kerasTuner.Value] => [name, toKerasValue(value, undefined)])]) } });
  const groups = message.space ?? create(kerasTuner.HyperParameters_SpaceSchema);
  for (const parameter of space) addTo(groups, parameter, space);
  return { ...message, space: groups };
}

function addTo(groups: kerasTuner.HyperParameters_Space, parameter: Parameter, space: SearchSpace): void {
  const { name } = parameter;
  const type = valueTypeOf(parameter);
  const conditions = parameter.conditions.map(({ parent, values }) => {
    const of = space.find((p) => p.name === parent);
    return create(kerasTuner.ConditionSchema, { kind: { case: 'parent', value: { name: parent, values: values.map((value) => toKerasValue(value, of && valueTypeOf(of))) } } });
  });
  switch (parameter.kind) {
    case 'FLOAT': {
      const { min, max, step = 0, sampling, default: initial } = parameter;
      groups.floatSpace.push(create(kerasTuner.FloatSchema, { name, minValue: min, maxValue: max, step, sampling: TO_SAMPLING[sampling], default: initial, conditions }));
      return;
    }
    case 'INT': {
      const { min, max, step = 0, sampling, default: initial } = parameter;
      groups.intSpace.push(create(kerasTuner.IntSchema, { name, minValue: BigInt(min), maxValue: BigInt(max), step: BigInt(step), sampling: TO_SAMPLING[sampling], default: BigInt(initial), conditions }));
      return;
    }
    case 'CHOICE': {
      const { values, ordered, default: initial } = parameter;
      groups.choiceSpace.push(create(kerasTuner.ChoiceSchema, { name, values: values.map((value) => toKerasValue(value, type)), default: toKerasValue(initial, type), ordered, conditions }));
      return;
    }
    case 'BOOLEAN':
      groups.booleanSpace.push(create(kerasTuner.BooleanSchema, { name, default: parameter.default, conditions }));
      return;
    case 'FIXED':
      groups.fixedSpace.push(create(kerasTuner.FixedSchema, { name, value: toKerasValue(parameter.value, type), conditions }));
  }
}

/** What a worker's hyperparameters say: the space, parents first, and the values of its parameters. @throws SearchError INVALID_SPACE */
export function fromHyperParameters(message: HyperParameters | undefined): { readonly space: SearchSpace; readonly values: Values } {
  const { space } = message ?? {};
  const parameters: Parameter[] = [];
  for (const { name, value, conditions } of space?.fixedSpace ?? []) {
    const read = fromKerasValue(value);
    if (read) parameters.push(fixedParameter(name, read.value, { valueType: read.type, conditions: conditionsOf(conditions) }));
  }
  for (const { name, minValue, maxValue, step, sampling, default: initial, conditions } of space?.floatSpace ?? []) {
    parameters.push(floatParameter(name, { min: minValue, max: maxValue, step: step || undefined, sampling: fromSampling(sampling), default: initial, conditions: conditionsOf(conditions) }));
  }
  for (const { name, minValue, maxValue, step, sampling, default: initial, conditions } of space?.intSpace ?? []) {
    parameters.push(intParameter(name, { min: Number(minValue), max: Number(maxValue), step: Number(step) || undefined, sampling: fromSampling(sampling), default: Number(initial), conditions: conditionsOf(conditions) }));
  }
  for (const { name, values, default: initial, ordered, conditions } of space?.choiceSpace ?? []) {
    const read = values.flatMap((value) => fromKerasValue(value) ?? []);
    parameters.push(choiceParameter(name, read.map(({ value }) => value), { valueType: read[0]?.type, default: fromKerasValue(initial)?.value, ordered, conditions: conditionsOf(conditions) }));
  }
  for (const { name, default: initial, conditions } of space?.booleanSpace ?? []) parameters.push(booleanParameter(name, { default: initial, conditions: conditionsOf(conditions) }));
  const values = new Map<string, Value>();
  for (const [name, value] of Object.entries(message?.values?.values ?? {})) {
    const read = fromKerasValue(value);
    if (read && !name.startsWith(OWN_VALUES)) values.set(name, read.value);
  }
  return { space: sortSpace(parameters), values };
}

function fromKerasValue(message: kerasTuner.Value | undefined): { readonly value: Value; readonly type: ValueType } | undefined {
  switch (message?.kind.case) {
    case 'intValue': return { value: Number(message.kind.value), type: 'INT' };
    case 'floatValue': return { value: message.kind.value, type: 'FLOAT' };
    case 'stringValue': return { value: message.kind.value, type: 'STRING' };
    case 'booleanValue': return { value: message.kind.value, type: 'BOOLEAN' };
    case undefined: return undefined;
  }
}

const conditionsOf = (messages: readonly kerasTuner.Condition[]): readonly Condition[] =>
  messages.flatMap(({ kind }) => (kind.case === 'parent' ? [{ parent: kind.value.name, values: kind.value.values.flatMap((value) => fromKerasValue(value)?.value ?? []) }] : []));

function fromSampling(sampling: kerasTuner.Sampling): Sampling {
  switch (sampling) {
    case kerasTuner.Sampling.NONE:
    case kerasTuner.Sampling.LINEAR: return 'LINEAR';
    case kerasTuner.Sampling.LOG: return 'LOG';
    case kerasTuner.Sampling.REVERSE_LOG: return 'REVERSE_LOG';
  }
}
