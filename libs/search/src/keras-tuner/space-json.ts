/**
 * KerasTuner's `HyperParameters.get_config()`, both ways: {"space": [{"class_name", "config"}], "values": {...}}. Files of older
 * versions, without `conditions` and with `"sampling": null`, are read as well.
 */
import { SearchError, type Violation } from '../search-error';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from '../space/make-parameter';
import type { Condition, Parameter, Sampling } from '../space/parameter';
import { isActive, type SearchSpace } from '../space/search-space';
import { commonType, type Value, type Values, type ValueType } from '../space/value';
import { formatPythonJson, parsePythonJson, PythonFloat, type PythonJson } from './python-json';

/** A space and values of it, which may belong to parameters that the space does not have (Hyperband's `tuner/epochs`). */
export interface Hyperparameters {
  readonly space: SearchSpace;
  readonly values: Values;
}

/**
 * Reads the text of a configuration. Whether the space can be searched is still to be seen (`checkSpace`).
 * @param source what the text is, for the error, e.g. a file's name
 * @throws {SearchError} MALFORMED_JSON, with everything that is not as it should be, by field
 */
export const parseHyperparameters = (text: string, source: string): Hyperparameters => readHyperparameters(parsePythonJson(text, source), source);

/** The same of a document that is a part of another, as in KerasTuner's trial.json and oracle.json. */
export function readHyperparameters(json: PythonJson, source: string): Hyperparameters {
  const reader = new Reader();
  const root = reader.object(json, source);
  const space = reader.list(root['space'], `${source}.space`).map((entry, i) => readParameter(reader, entry, `${source}.space[${i}]`));
  const values = new Map(Object.entries(reader.object(root['values'] ?? {}, `${source}.values`)).map(([name, value]) => [name, reader.value(value, `${source}.values[${JSON.stringify(name)}]`)]));
  if (reader.violations.length > 0) throw new SearchError('MALFORMED_JSON', reader.violations);
  return { space, values };
}

/** The text that KerasTuner would write for the same space and values. */
export const formatHyperparameters = ({ space, values }: Hyperparameters): string => formatPythonJson(writeHyperparameters({ space, values }));

/** The same as a document, to be put into another. */
export function writeHyperparameters({ space, values }: Hyperparameters): PythonJson {
  const typeOf = (name: string): ValueType | undefined => {
    const parameter = space.find((p) => p.name === name && isActive(p, values));
    return parameter && typeOfValues(parameter);
  };
  return {
    space: space.map((parameter) => ({ class_name: CLASS_NAMES[parameter.kind], config: writeConfig(parameter, space) })),
    values: Object.fromEntries([...values].map(([name, value]) => [name, write(value, typeOf(name))])),
  };
}

const CLASS_NAMES = { FLOAT: 'Float', INT: 'Int', CHOICE: 'Choice', BOOLEAN: 'Boolean', FIXED: 'Fixed' } as const;

function typeOfValues(parameter: Parameter): ValueType {
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': case 'BOOLEAN': return parameter.kind;
    case 'CHOICE': case 'FIXED': return parameter.valueType;
  }
}

const write = (value: Value, type: ValueType | undefined): PythonJson =>
  (typeof value === 'number' && (type === 'FLOAT' || !Number.isInteger(value)) ? new PythonFloat(value) : value);

function writeConfig(parameter: Parameter, space: SearchSpace): PythonJson {
  const type = typeOfValues(parameter);
  const conditions = parameter.conditions.map(({ parent, values }) => {
    const of = space.find(({ name }) => name === parent);
    return { class_name: 'Parent', config: { name: parent, values: values.map((value) => write(value, of && typeOfValues(of))) } };
  });
  const named = { name: parameter.name };
  switch (parameter.kind) {
    case 'FLOAT': case 'INT': return {
      // KerasTuner leaves out an integer's default that nobody has given; it means min.
      ...named, default: parameter.kind === 'INT' && parameter.default === parameter.min ? null : write(parameter.default, type), conditions, min_value: write(parameter.min, type), max_value: write(parameter.max, type),
      // A whole step is written as an integer, also of a float: KerasTuner leaves it as the user gave it.
      step: parameter.step === undefined ? null : write(parameter.step, undefined), sampling: parameter.sampling.toLowerCase(),
    };
    case 'CHOICE': return { ...named, default: write(parameter.default, type), conditions, values: parameter.values.map((value) => write(value, type)), ordered: parameter.ordered };
    case 'BOOLEAN': return { ...named, default: parameter.default, conditions };
    case 'FIXED': return { ...named, conditions, value: write(parameter.value, type) };
  }
}

function readParameter(reader: Reader, json: PythonJson, at: string): Parameter {
  const entry = reader.object(json, at);
  const config = reader.object(entry['config'], `${at}.config`);
  const field = (key: string): string => `${at}.config.${key}`;
  const name = reader.text(config['name'], field('name'));
  const conditions = reader.list(config['conditions'] ?? [], field('conditions')).map((condition, i) => readCondition(reader, condition, `${field('conditions')}[${i}]`));
  const range = (): Parameters<typeof floatParameter>[1] => ({
    min: reader.number(config['min_value'], field('min_value')), max: reader.number(config['max_value'], field('max_value')),
    step: reader.optionalNumber(config['step'], field('step')), sampling: readSampling(reader, config['sampling'], field('sampling')),
    default: reader.optionalNumber(config['default'], field('default')), conditions,
  });
  const className = reader.text(entry['class_name'], `${at}.class_name`);
  switch (className) {
    case 'Float': return floatParameter(name, range());
    case 'Int': return intParameter(name, range());
    case 'Choice': {
      const listed = reader.list(config['values'], field('values'));
      const initial = config['default'] ?? null;
      return choiceParameter(name, listed.map((value, i) => reader.value(value, `${field('values')}[${i}]`)), {
        conditions, valueType: listed.some((value) => value instanceof PythonFloat) ? 'FLOAT' : undefined,
        ordered: config['ordered'] === undefined || config['ordered'] === null ? undefined : config['ordered'] === true,
        default: initial === null ? undefined : reader.value(initial, field('default')),
      });
    }
    case 'Boolean': return booleanParameter(name, { conditions, default: config['default'] === true });
    case 'Fixed': {
      const value = reader.value(config['value'], field('value'));
      return fixedParameter(name, value, { conditions, valueType: config['value'] instanceof PythonFloat ? 'FLOAT' : commonType([value]) });
    }
    default:
      reader.refuse(`${at}.class_name`, `${JSON.stringify(className)} is not a parameter of KerasTuner: it has Float, Int, Choice, Boolean and Fixed`);
      return booleanParameter(name);
  }
}

function readCondition(reader: Reader, json: PythonJson, at: string): Condition {
  const entry = reader.object(json, at);
  if (entry['class_name'] !== 'Parent') reader.refuse(`${at}.class_name`, 'a condition of KerasTuner is a Parent');
  const config = reader.object(entry['config'], `${at}.config`);
  const values = reader.list(config['values'], `${at}.config.values`);
  return { parent: reader.text(config['name'], `${at}.config.name`), values: values.map((value, i) => reader.value(value, `${at}.config.values[${i}]`)) };
}

function readSampling(reader: Reader, json: PythonJson | undefined, at: string): Sampling {
  const text = json === null || json === undefined ? 'linear' : reader.text(json, at);
  switch (text.toLowerCase()) {
    case 'linear': return 'LINEAR';
    case 'log': return 'LOG';
    case 'reverse_log': return 'REVERSE_LOG';
  }
  reader.refuse(at, `${JSON.stringify(text)} is no sampling: it is linear, log or reverse_log`);
  return 'LINEAR';
}

/** Takes documents apart and collects what is wrong with them; what it gives in place of something wrong is never used. */
class Reader {
  readonly violations: Violation[] = [];

  refuse(field: string, description: string): void {
    this.violations.push({ field, description });
  }

  object(json: PythonJson | undefined, at: string): { readonly [key: string]: PythonJson } {
    if (typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof PythonFloat)) return json as { readonly [key: string]: PythonJson };
    this.refuse(at, 'should be an object');
    return {};
  }

  list(json: PythonJson | undefined, at: string): readonly PythonJson[] {
    if (Array.isArray(json)) return json as readonly PythonJson[];
    this.refuse(at, 'should be a list');
    return [];
  }

  text(json: PythonJson | undefined, at: string): string {
    if (typeof json === 'string') return json;
    this.refuse(at, 'should be a text');
    return '';
  }

  number(json: PythonJson | undefined, at: string): number {
    const value = json === undefined ? null : plain(json);
    if (typeof value === 'number') return value;
    this.refuse(at, 'should be a number');
    return 0;
  }

  optionalNumber(json: PythonJson | undefined, at: string): number | undefined {
    return json === undefined || json === null ? undefined : this.number(json, at);
  }

  value(json: PythonJson | undefined, at: string): Value {
    const value = json === undefined ? null : plain(json);
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
    this.refuse(at, 'should be a number, a text, true or false');
    return 0;
  }
}

const plain = (json: PythonJson): PythonJson => (json instanceof PythonFloat ? json.value : json);
