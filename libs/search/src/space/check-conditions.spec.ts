import { checkConditions } from './check-conditions';
import { checkSpace } from './check-space';
import { booleanParameter, choiceParameter, floatParameter, intParameter } from './make-parameter';
import type { Value } from './value';

const model = choiceParameter('model', ['mlp', 'cnn']);
const layers = intParameter('layers', { min: 2, max: 8, step: 2 });
const under = (parent: string, ...values: Value[]) => ({ conditions: [{ parent, values }] });
const place = 'parameters[2].conditions[0].values';

describe('conditions that never hold', () => {
  test.each<[string, string, readonly Value[], string, string]>([
    ['no choice', 'model', ['cnn', 'rnn'], `${place}[1]`, '"model" cannot be "rnn", which is not one of its 2 choices'],
    ['outside the range', 'layers', [10], `${place}[0]`, '"layers" cannot be 10: it ranges from 2 to 8'],
    ['between the steps', 'layers', [3], `${place}[0]`, 'next to it 2 and 4'],
    ['of another type', 'layers', ['2'], `${place}[0]`, 'it is an integer from 2 to 8'],
  ])('%s: refused by field, though checkSpace and KerasTuner take it', (_what, parent, values, field, words) => {
    const space = [model, layers, booleanParameter('p', under(parent, ...values))];
    expect(checkConditions(space, [], 'parameters')).toEqual([{ field, description: expect.stringMatching(/^parameter "p" \(under "\w+"\) depends on what never holds: /) }]);
    expect(checkConditions(space, [], 'parameters')[0]?.description).toContain(words);
    expect(checkSpace(space)).toEqual([]);
  });

  test('values that a parent can have are fine, also where only one of several parents of that name can', () => {
    const twins = [floatParameter('rate', { min: 0, max: 1, ...under('model', 'mlp') }), floatParameter('rate', { min: 5, max: 6, ...under('model', 'cnn') })];
    expect(checkConditions([model, layers, ...twins, booleanParameter('p', under('rate', 0.5, 5.5)), booleanParameter('q', under('layers', 2, 8))], [], 'parameters')).toEqual([]);
  });

  test('what is known is not looked at: it may be KerasTuner\'s', () => {
    const odd = booleanParameter('p', under('model', 'rnn'));
    expect(checkConditions([odd, booleanParameter('q', under('model', 'gpt'))], [model, odd], 'parameters')).toMatchObject([{ field: 'parameters[1].conditions[0].values[0]' }]);
  });
});
