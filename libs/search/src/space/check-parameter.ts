import type { Violation } from '../search-error';
import type { ChoiceParameter, FloatParameter, IntParameter, Parameter } from './parameter';
import { describe, quoted } from './parameter-identity';
import type { Value, ValueType } from './value';

/** More choices than this are refused. */
export const MAX_CHOICES = 100_000;
/** Characters in a name or in a value that is text. */
export const MAX_TEXT_LENGTH = 1_000;

/** Names under which KerasTuner's workers find the fidelity of a trial, beside its values. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['tuner/epochs', 'tuner/initial_epoch', 'tuner/bracket', 'tuner/round', 'tuner/trial_id']);

/** Whether a name is one of those. */
export const isReservedName = (name: string): boolean => RESERVED_NAMES.has(name);

/** What is wrong with a parameter taken alone. @param field where it stands, e.g. `space[3]` */
export function checkParameter(parameter: Parameter, field: string): readonly Violation[] {
  const { name } = parameter;
  const violations: Violation[] = [];
  const refuse = (part: string, description: string): void => { violations.push({ field: `${field}.${part}`, description: `parameter ${describe(parameter)} ${description}` }); };
  if (name === '') refuse('name', 'needs a name');
  else if (!isText(name)) refuse('name', `has a name of more than ${MAX_TEXT_LENGTH} characters, or one that is no valid unicode`);
  if (isReservedName(name)) refuse('name', 'has a name under which Hyperband tells its workers how long to train: choose another');
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': checkRange(parameter, refuse); break;
    case 'CHOICE': checkChoice(parameter, refuse); break;
    case 'BOOLEAN': break;
    case 'FIXED':
      if (!isOfType(parameter.value, parameter.valueType)) refuse('value', `is fixed to ${quoted(parameter.value)}, which is not of type ${parameter.valueType}`);
      break;
  }
  return violations;
}

type Refuse = (part: string, description: string) => void;

function checkRange({ kind, min, max, step, sampling, default: initial }: FloatParameter | IntParameter, refuse: Refuse): void {
  const isNumber = kind === 'INT' ? Number.isSafeInteger : Number.isFinite;
  const noun = kind === 'INT' ? 'a safe integer' : 'a finite number';
  const numbers = { min, max, default: initial, ...(step !== undefined && { step }) };
  const faulty = Object.entries(numbers).filter(([, value]) => !isNumber(value));
  for (const [part, value] of faulty) refuse(part, `has ${part} ${value}, which is not ${noun}`);
  if (faulty.length > 0) return;
  if (min > max) {
    refuse('max', `ranges from ${min} to ${max}: min must not be more than max`);
    return;
  }
  if (initial < min || initial > max) refuse('default', `has the default ${initial}, outside its range ${min} to ${max}`);
  if (sampling === 'LINEAR') {
    if (step !== undefined && step <= 0) refuse('step', `has step ${step}: it must be more than 0`);
    if (step === undefined && kind === 'INT') refuse('step', 'is an integer sampled linearly and has no step: say 1');
    if (!Number.isFinite(max - min)) refuse('max', `ranges from ${min} to ${max}, wider than numbers go`);
    return;
  }
  if (min <= 0) refuse('min', `has min ${min} and ${sampling} sampling, which needs min > 0: raise min, or sample LINEAR`);
  else if (!Number.isFinite(max / min)) refuse('min', `has ${sampling} sampling from ${min} to ${max}, whose ratio is more than numbers can be`);
  if (step !== undefined && step <= 1) refuse('step', `has step ${step} and ${sampling} sampling, where the step is a ratio: it must be more than 1`);
}

function checkChoice({ values, valueType, ordered, default: initial }: ChoiceParameter, refuse: Refuse): void {
  if (values.length === 0) return refuse('values', 'has nothing to choose from');
  if (values.length > MAX_CHOICES) return refuse('values', `has ${values.length} choices, at most ${MAX_CHOICES} are possible`);
  const stranger = values.findIndex((value) => !isOfType(value, valueType));
  if (stranger >= 0) return refuse(`values[${stranger}]`, `offers ${quoted(values[stranger])}, which is not of type ${valueType}: all choices must be of one type`);
  const firstAt = new Map<Value, number>();
  const again = values.findIndex((value, i) => firstAt.has(value) || !firstAt.set(value, i));
  if (again >= 0) return refuse(`values[${again}]`, `offers ${quoted(values[again])} twice`);
  if (!firstAt.has(initial)) refuse('default', `has the default ${quoted(initial)}, which is not one of its choices`);
  if (ordered && (valueType === 'STRING' || valueType === 'BOOLEAN')) refuse('ordered', `is ordered, but its choices are of type ${valueType}: only numbers have an order`);
}

/** Whether a value is of that type; numbers must be finite, integers safe, text valid unicode of bounded length. */
export function isOfType(value: Value, type: ValueType): boolean {
  switch (type) {
    case 'INT': return Number.isSafeInteger(value);
    case 'FLOAT': return typeof value === 'number' && Number.isFinite(value);
    case 'STRING': return typeof value === 'string' && isText(value);
    case 'BOOLEAN': return typeof value === 'boolean';
  }
}

/** A half of a surrogate pair cannot be written as UTF-8, so it would not come back from a database or a wire. */
const isText = (text: string): boolean => text.length <= MAX_TEXT_LENGTH && !/\p{Surrogate}/u.test(text);
