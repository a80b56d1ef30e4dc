import type { MessageInitShape } from '@bufbuild/protobuf';
import { spaceOf } from '@lockstep/client';
import type { ParameterValueSchema, StudySpec } from '@lockstep/contract';
import type { Parameter } from '@lockstep/search';
import { CliError, EXIT } from '../cli-error';

type ParameterValue = MessageInitShape<typeof ParameterValueSchema>;

/**
 * Values that were typed as a JSON object, each of its parameter's type: 1 of a float is 1.0. Whether they lie in the space is the tuner's
 * business, unknown names included.
 *
 * @throws CliError (USAGE) for a value that is no number, text, true or false
 */
export function typedValues(spec: StudySpec | undefined, json: string): ParameterValue[] {
  const space = spaceOf(spec);
  return Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>).map(([name, value]) => ({ name, value: { kind: kindOf(name, value, space.find((parameter) => parameter.name === name)) } }));
}

type Kind = NonNullable<Extract<NonNullable<ParameterValue['value']>, { kind?: unknown }>['kind']>;

function kindOf(name: string, value: unknown, parameter: Parameter | undefined): Kind {
  if (typeof value === 'string') return { case: 'stringValue', value };
  if (typeof value === 'boolean') return { case: 'boolValue', value };
  if (typeof value !== 'number') throw new CliError(`the value of ${JSON.stringify(name)} is ${JSON.stringify(value)}`, 'Values are numbers, texts, true or false.', EXIT.USAGE);
  return Number.isSafeInteger(value) && !isFloat(parameter) ? { case: 'intValue', value: BigInt(value) } : { case: 'floatValue', value };
}

function isFloat(parameter: Parameter | undefined): boolean {
  switch (parameter?.kind) {
    case 'FLOAT': return true;
    case 'CHOICE':
    case 'FIXED': return parameter.valueType === 'FLOAT';
    case 'INT':
    case 'BOOLEAN':
    case undefined: return false;
  }
}
