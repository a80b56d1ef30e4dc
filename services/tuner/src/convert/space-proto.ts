/** Search spaces, to and from the wire. */
import { create } from '@bufbuild/protobuf';
import { ParameterSchema, Sampling as SamplingNumber, SearchSpaceSchema, type Condition as ConditionMessage, type Parameter as ParameterMessage, type SearchSpace as SearchSpaceMessage } from '@lockstep/contract';
import {
  booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter,
  type Condition, type Parameter, type Sampling, type SearchSpace, type ValueType, type Violation,
} from '@lockstep/search';
import { fromValueMessage, toValueMessage, valueTypeOf } from './value-proto';

const TO_SAMPLING: Readonly<Record<Sampling, SamplingNumber>> = { LINEAR: SamplingNumber.LINEAR, LOG: SamplingNumber.LOG, REVERSE_LOG: SamplingNumber.REVERSE_LOG };

/** The space on the wire, every default written out. */
export const toSpaceMessage = (space: SearchSpace): SearchSpaceMessage => create(SearchSpaceSchema, { parameters: space.map((parameter) => toParameterMessage(parameter, space)) });

function toParameterMessage(parameter: Parameter, space: SearchSpace): ParameterMessage {
  return create(ParameterSchema, {
    name: parameter.name,
    conditions: parameter.conditions.map(({ parent, values }) => {
      const of = space.find(({ name }) => name === parent);
      return { parent, values: values.map((value) => toValueMessage(value, of && valueTypeOf(of))) };
    }),
    kind: kindOf(parameter),
  });
}

function kindOf(parameter: Parameter): ParameterMessage['kind'] {
  const type = valueTypeOf(parameter);
  switch (parameter.kind) {
    case 'FLOAT': {
      const { min, max, step, default: defaultValue } = parameter;
      return { case: 'floatRange', value: { $typeName: 'lockstep.tuner.v1.FloatRange', min, max, ...(step !== undefined && { step }), sampling: TO_SAMPLING[parameter.sampling], defaultValue } };
    }
    case 'INT': {
      const { min, max, step, default: defaultValue } = parameter;
      return { case: 'intRange', value: { $typeName: 'lockstep.tuner.v1.IntRange', min: BigInt(min), max: BigInt(max), ...(step !== undefined && { step: BigInt(step) }), sampling: TO_SAMPLING[parameter.sampling], defaultValue: BigInt(defaultValue) } };
    }
    case 'CHOICE':
      return { case: 'choice', value: { $typeName: 'lockstep.tuner.v1.Choice', values: parameter.values.map((value) => toValueMessage(value, type)), defaultValue: toValueMessage(parameter.default, type), ordered: parameter.ordered } };
    case 'BOOLEAN': return { case: 'flag', value: { $typeName: 'lockstep.tuner.v1.Flag', defaultValue: parameter.default } };
    case 'FIXED': return { case: 'constant', value: { $typeName: 'lockstep.tuner.v1.Constant', value: toValueMessage(parameter.value, type) } };
  }
}

/** A space of the wire; what the wire alone shows to be wrong is added to the violations. @param field where it stands in the request */
export function fromParameters(messages: readonly ParameterMessage[], field: string, violations: Violation[]): SearchSpace {
  return messages.flatMap((message, i) => fromParameter(message, `${field}[${i}]`, violations) ?? []);
}

function fromParameter({ name, conditions: given, kind }: ParameterMessage, field: string, violations: Violation[]): Parameter | undefined {
  const conditions = given.map((condition, i) => fromCondition(condition, `${field}.conditions[${i}]`, violations));
  const integer = (value: bigint | undefined, of: string): number | undefined => {
    if (value === undefined || Number.isSafeInteger(Number(value))) return value === undefined ? undefined : Number(value);
    violations.push({ field: `${field}.${of}`, description: `${value} is beyond 2^53` });
    return undefined;
  };
  switch (kind.case) {
    case 'floatRange': {
      const { min, max, step, defaultValue } = kind.value;
      return floatParameter(name, { min, max, step, sampling: fromSampling(kind.value.sampling), default: defaultValue, conditions });
    }
    case 'intRange': {
      const { min, max, step, defaultValue } = kind.value;
      return intParameter(name, {
        min: integer(min, 'int_range.min') ?? 0, max: integer(max, 'int_range.max') ?? 0, step: integer(step, 'int_range.step'), sampling: fromSampling(kind.value.sampling),
        default: integer(defaultValue, 'int_range.default_value'), conditions,
      });
    }
    case 'choice': {
      const read = kind.value.values.map((value) => fromValueMessage(value));
      const types = new Set(read.map((value) => value?.type));
      if (types.has(undefined)) violations.push({ field: `${field}.choice.values[${read.indexOf(undefined)}]`, description: 'has no value, or an integer beyond 2^53' });
      const initial = fromValueMessage(kind.value.defaultValue);
      return choiceParameter(name, read.flatMap((value) => (value ? [value.value] : [])), {
        valueType: floatIfMixed(types), default: initial?.value, ordered: kind.value.ordered, conditions,
      });
    }
    case 'flag': return booleanParameter(name, { default: kind.value.defaultValue, conditions });
    case 'constant': {
      const value = fromValueMessage(kind.value.value);
      if (value) return fixedParameter(name, value.value, { valueType: value.type, conditions });
      violations.push({ field: `${field}.constant.value`, description: 'is required' });
      return undefined;
    }
    case undefined:
      violations.push({ field: `${field}.kind`, description: `what ${JSON.stringify(name)} is has to be said: float_range, int_range, choice, flag or constant` });
      return undefined;
  }
}

/** Floats that a client wrote as integers here and there are floats; other mixtures are for the library to refuse. */
function floatIfMixed(types: ReadonlySet<ValueType | undefined>): ValueType | undefined {
  return types.has('FLOAT') && [...types].every((type) => type === 'FLOAT' || type === 'INT') ? 'FLOAT' : undefined;
}

function fromCondition({ parent, values }: ConditionMessage, field: string, violations: Violation[]): Condition {
  return {
    parent,
    values: values.flatMap((message, i) => {
      const read = fromValueMessage(message);
      if (!read) violations.push({ field: `${field}.values[${i}]`, description: 'has no value, or an integer beyond 2^53' });
      return read ? [read.value] : [];
    }),
  };
}

function fromSampling(sampling: SamplingNumber): Sampling {
  switch (sampling) {
    case SamplingNumber.UNSPECIFIED:
    case SamplingNumber.LINEAR: return 'LINEAR';
    case SamplingNumber.LOG: return 'LOG';
    case SamplingNumber.REVERSE_LOG: return 'REVERSE_LOG';
  }
}
