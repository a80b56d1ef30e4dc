/** Values of parameters, to and from the wire. */
import { create } from '@bufbuild/protobuf';
import { ParameterValueSchema, ValueSchema, type ParameterValue, type Value as ValueMessage } from '@lockstep/contract';
import { isActive, type Parameter, type SearchSpace, type Value, type Values, type ValueType, type Violation } from '@lockstep/search';

/** The type that the values of a parameter have. */
export function valueTypeOf(parameter: Parameter): ValueType {
  switch (parameter.kind) {
    case 'FLOAT':
    case 'INT':
    case 'BOOLEAN': return parameter.kind;
    case 'CHOICE':
    case 'FIXED': return parameter.valueType;
  }
}

/** A value on the wire, by its parameter's type: 1 of a float is 1.0. */
export function toValueMessage(value: Value, type: ValueType | undefined): ValueMessage {
  if (typeof value === 'string') return create(ValueSchema, { kind: { case: 'stringValue', value } });
  if (typeof value === 'boolean') return create(ValueSchema, { kind: { case: 'boolValue', value } });
  const isInteger = type === 'INT' || (type === undefined && Number.isSafeInteger(value));
  return create(ValueSchema, { kind: isInteger ? { case: 'intValue', value: BigInt(value) } : { case: 'floatValue', value } });
}

/** Values on the wire, in their own order. */
export function toParameterValues(space: SearchSpace, values: Values): ParameterValue[] {
  return [...values].map(([name, value]) => {
    const parameter = space.find((p) => p.name === name && isActive(p, values));
    return create(ParameterValueSchema, { name, value: toValueMessage(value, parameter && valueTypeOf(parameter)) });
  });
}

/** A value of the wire with its type; undefined when it is not set or too large. */
export function fromValueMessage(message: ValueMessage | undefined): { readonly value: Value; readonly type: ValueType } | undefined {
  switch (message?.kind.case) {
    case 'intValue': {
      const value = Number(message.kind.value);
      return Number.isSafeInteger(value) ? { value, type: 'INT' } : undefined;
    }
    case 'floatValue': return { value: message.kind.value, type: 'FLOAT' };
    case 'stringValue': return { value: message.kind.value, type: 'STRING' };
    case 'boolValue': return { value: message.kind.value, type: 'BOOLEAN' };
    case undefined: return undefined;
  }
}

/** Values of the wire by name; what is wrong with them is added to the violations. @param field where they stand in the request */
export function fromParameterValues(messages: readonly ParameterValue[], field: string, violations: Violation[]): Values {
  const values = new Map<string, Value>();
  messages.forEach(({ name, value }, i) => {
    const read = fromValueMessage(value);
    if (!read) violations.push({ field: `${field}[${i}].value`, description: `${JSON.stringify(name)} has no value, or an integer beyond 2^53` });
    else if (values.has(name)) violations.push({ field: `${field}[${i}].name`, description: `${JSON.stringify(name)} has a value already` });
    else values.set(name, read.value);
  });
  return values;
}
