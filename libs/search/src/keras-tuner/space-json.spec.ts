import fs from 'node:fs';
import path from 'node:path';
import { checkSpace } from '../space/check-space';
import { golden } from '../testing/keras-tuner-golden';
import { formatPythonJson, parsePythonJson, PythonFloat } from './python-json';
import { formatHyperparameters, parseHyperparameters } from './space-json';

describe('JSON of Python', () => {
  test.each(golden.floats)('%d is written as Python writes it', (value, text) => {
    expect(formatPythonJson(new PythonFloat(value))).toBe(text);
  });

  test('tells floats from integers, reads NaN and infinities, leaves texts alone', () => {
    const text = '{"a": 1, "b": 1.0, "c": [NaN, -Infinity, 1e3], "d": "1.5 NaN \\"2.5\\" \\\\", "__proto__": null}';
    expect(parsePythonJson(text, 'x')).toEqual(Object.fromEntries<unknown>([
      ['a', 1], ['b', new PythonFloat(1)], ['c', [new PythonFloat(NaN), new PythonFloat(-Infinity), new PythonFloat(1000)]], ['d', '1.5 NaN "2.5" \\'], ['__proto__', null],
    ]));
  });

  test('what is no JSON is refused by the name of its source', () => {
    expect(() => parsePythonJson('{"a": 1.5', 'oracle.json')).toThrow('oracle.json: not a JSON document');
  });
});

describe('JSON of HyperParameters', () => {
  test.each(Object.entries(golden.spaces))('the space "%s" is read, is fine, and is written as KerasTuner wrote it', (name, text) => {
    const read = parseHyperparameters(text, name);
    expect(checkSpace(read.space)).toEqual([]);
    expect(formatHyperparameters(read)).toBe(text);
  });

  test.each(golden.parameters.map(({ json }) => [json.slice(0, 80), json]))('%s...', (_start, json) => {
    expect(formatHyperparameters(parseHyperparameters(json, 'golden'))).toBe(json);
  });

  test('reads the old form: no conditions, sampling null', () => {
    const text = '{"space": [{"class_name": "Choice", "config": {"name": "learning_rate", "default": 0.01, "values": [0.01, 0.001], "ordered": true}}, '
      + '{"class_name": "Int", "config": {"name": "num_layers", "default": 2, "min_value": 1, "max_value": 3, "step": 1, "sampling": null}}], "values": {"learning_rate": 0.01, "num_layers": 3}}';
    const { space, values } = parseHyperparameters(text, 'best_hyperparameters.txt');
    expect(space).toEqual([
      { kind: 'CHOICE', name: 'learning_rate', conditions: [], values: [0.01, 0.001], valueType: 'FLOAT', ordered: true, default: 0.01 },
      { kind: 'INT', name: 'num_layers', conditions: [], min: 1, max: 3, step: 1, sampling: 'LINEAR', default: 2 },
    ]);
    expect(values).toEqual(new Map([['learning_rate', 0.01], ['num_layers', 3]]));
  });

  test('values that the space does not have pass through', () => {
    const { values } = parseHyperparameters('{"space": [], "values": {"tuner/epochs": 3, "tuner/trial_id": "0004"}}', 'x');
    expect(values).toEqual(new Map<string, unknown>([['tuner/epochs', 3], ['tuner/trial_id', '0004']]));
    expect(formatHyperparameters({ space: [], values })).toBe('{"space": [], "values": {"tuner/epochs": 3, "tuner/trial_id": "0004"}}');
  });

  test.each([
    ['[]', 'x: should be an object'], ['{"space": {}}', 'x.space: should be a list'],
    ['{"space": [{"class_name": "Complex", "config": {"name": "p"}}]}', 'x.space[0].class_name: "Complex" is not a parameter of KerasTuner'],
    ['{"space": [{"class_name": "Float", "config": {"name": "p", "min_value": "0", "max_value": 1}}]}', 'x.space[0].config.min_value: should be a number'],
    ['{"space": [{"class_name": "Int", "config": {"name": "p", "min_value": 0, "max_value": 1, "sampling": "cubic"}}]}', 'x.space[0].config.sampling: "cubic" is no sampling'],
    ['{"space": [], "values": {"p": null}}', 'x.values["p"]: should be a number, a text, true or false'],
  ])('%s is refused, by field', (text, words) => { expect(() => parseHyperparameters(text, 'x')).toThrow(words); });

  const realFile = path.resolve(__dirname, '../../../../../shared/data/tfx-iris-run/Tuner/best_hyperparameters/7/best_hyperparameters.txt');
  const testWithFile = fs.existsSync(realFile) ? test : test.skip;
  testWithFile('a file of a TFX run of 2020 is read (shared/data/tfx-iris-run)', () => {
    const { space, values } = parseHyperparameters(fs.readFileSync(realFile, 'utf8'), 'best_hyperparameters.txt');
    expect(checkSpace(space)).toEqual([]);
    expect(values).toEqual(new Map([['learning_rate', 0.01], ['num_layers', 3]]));
  });
});
