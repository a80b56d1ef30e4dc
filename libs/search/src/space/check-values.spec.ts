import { checkValues } from './check-values';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from './make-parameter';
import { completeValues, defaultValues } from './search-space';
import type { Value } from './value';

const space = [
  choiceParameter('model', ['mlp', 'cnn']),
  intParameter('units', { min: 32, max: 512, step: 32, conditions: [{ parent: 'model', values: ['mlp'] }] }),
  floatParameter('rate', { min: 1e-4, max: 0.1, sampling: 'LOG', default: 0.01 }),
  floatParameter('dropout', { min: 0, max: 0.5, step: 0.1, default: 0.25 }),
  booleanParameter('bias'), fixedParameter('version', 3),
];

describe('checking values', () => {
  test.each<readonly [string, readonly (readonly [string, Value])[], string]>([
    ['an unknown name', [['speed', 1]], 'the space has no parameter "speed"'],
    ['an inactive parameter', [['model', 'cnn'], ['units', 64]], 'parameter "units" is not active with these values: leave it out, or change "model"'],
    ['a value outside', [['rate', 0.2]], 'parameter "rate" cannot be 0.2: it ranges from 0.0001 to 0.1'],
    ['a value between steps', [['units', 40]], 'next to it 32 and 64'],
    ['a fraction for an integer', [['units', 32.5]], 'it is an integer from 32 to 512'],
    ['NaN', [['rate', NaN]], 'it is a finite number'],
    ['a text for a number', [['rate', '0.01']], 'it is a finite number'],
    ['a number for a boolean', [['bias', 1]], 'it is true or false'],
    ['no choice', [['model', 'rnn']], 'not one of its 2 choices'],
    ['another value of a fixed one', [['version', 4]], 'it is fixed to 3'],
  ])('%s is refused', (_title, values, words) => {
    expect(checkValues(space, new Map(values)).map(({ description }) => description)).toContainEqual(expect.stringContaining(words));
  });

  test.each<readonly [string, readonly (readonly [string, Value])[]]>([
    ['nothing', []], ['the ends of a range', [['rate', 1e-4]]], ['a step, computed in another way', [['dropout', 0.1 + 0.2]]],
    ['a default between steps', [['dropout', 0.25]]], ['the child of a default', [['units', 512]]], ['the fixed value', [['version', 3]]],
  ])('%s is fine', (_title, values) => { expect(checkValues(space, new Map(values))).toEqual([]); });

  test('what is left out becomes the default, what is not active goes', () => {
    expect(completeValues(space, new Map<string, Value>([['model', 'cnn'], ['units', 64], ['bias', true]])))
      .toEqual(new Map<string, Value>([['model', 'cnn'], ['rate', 0.01], ['dropout', 0.25], ['bias', true], ['version', 3]]));
    expect([...defaultValues(space).keys()]).toEqual(['model', 'units', 'rate', 'dropout', 'bias', 'version']);
  });
});
