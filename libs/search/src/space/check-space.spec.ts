import { checkSpace, MAX_PARAMETERS } from './check-space';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from './make-parameter';
import type { Parameter } from './parameter';
import type { SearchSpace } from './search-space';

const a = choiceParameter('a', ['x', 'y']);
const under = (parent: string, ...values: string[]) => ({ conditions: [{ parent, values }] });

const refused: readonly (readonly [title: string, space: SearchSpace, field: string, words: string])[] = [
  ['min above max', [floatParameter('p', { min: 2, max: 1 })], 'space[0].max', 'ranges from 2 to 1'],
  ['NaN', [a, floatParameter('p', { min: NaN, max: 1, default: 0 })], 'space[1].min', 'not a finite number'],
  ['an infinite range', [floatParameter('p', { min: 0, max: Infinity })], 'space[0].max', 'not a finite number'],
  ['a range wider than numbers', [floatParameter('p', { min: -1.7e308, max: 1.7e308 })], 'space[0].max', 'wider than numbers go'],
  ['log from 0', [floatParameter('p', { min: 0, max: 1, sampling: 'LOG' })], 'space[0].min', 'needs min > 0'],
  ['reverse log below 0', [intParameter('p', { min: -1, max: 1, sampling: 'REVERSE_LOG' })], 'space[0].min', 'needs min > 0'],
  ['log from a denormal', [floatParameter('p', { min: 5e-324, max: 1e300, sampling: 'LOG' })], 'space[0].min', 'ratio'],
  ['step 0', [floatParameter('p', { min: 0, max: 1, step: 0 })], 'space[0].step', 'more than 0'],
  ['a negative step', [intParameter('p', { min: 0, max: 1, step: -1 })], 'space[0].step', 'more than 0'],
  ['a log step of 1', [floatParameter('p', { min: 1, max: 8, step: 1, sampling: 'LOG' })], 'space[0].step', 'more than 1'],
  ['an integer that is none', [intParameter('p', { min: 0.5, max: 3 })], 'space[0].min', 'not a safe integer'],
  ['a default outside', [floatParameter('p', { min: 0, max: 1, default: 2 })], 'space[0].default', 'outside its range'],
  ['no choices', [choiceParameter('p', [])], 'space[0].values', 'nothing to choose from'],
  ['mixed choices', [choiceParameter('p', ['x', 1])], 'space[0].values[1]', 'one type'],
  ['a fraction among integers', [choiceParameter('p', [1, 2.5], { valueType: 'INT' })], 'space[0].values[1]', 'not of type INT'],
  ['the same choice twice', [choiceParameter('p', [8, 16, 16])], 'space[0].values[2]', '16 twice'],
  ['a default that is no choice', [choiceParameter('p', ['x'], { default: 'y' })], 'space[0].default', 'not one of its choices'],
  ['ordered text', [choiceParameter('p', ['x'], { ordered: true })], 'space[0].ordered', 'only numbers'],
  ['no name', [booleanParameter('')], 'space[0].name', 'needs a name'],
  ['half a character', [booleanParameter('\ud800')], 'space[0].name', 'valid unicode'],
  ['a long name', [booleanParameter('n'.repeat(1001))], 'space[0].name', '1000 characters'],
  ['a name of Hyperband', [booleanParameter('tuner/epochs')], 'space[0].name', 'choose another'],
  ['a fixed NaN', [fixedParameter('p', NaN)], 'space[0].value', 'fixed to NaN'],
  ['a twin', [a, a], 'space[1]', 'is space[0] already'],
  ['a twin under the same conditions', [a, booleanParameter('p', under('a', 'x')), booleanParameter('p', under('a', 'x'))], 'space[2]', 'is space[1] already'],
  ['an unknown parent', [booleanParameter('p', under('q', 'x'))], 'space[0].conditions[0].parent', '"q", which is not in the space'],
  ['a parent after its child', [booleanParameter('p', under('a', 'x')), a], 'space[0].conditions[0].parent', 'put parents first'],
  ['a condition without values', [a, booleanParameter('p', under('a'))], 'space[1].conditions[0].values', 'never be active'],
  ['its own parent', [choiceParameter('p', ['x'], under('p', 'x'))], 'space', '"p" depends on "p"'],
  ['a circle', [a, choiceParameter('p', ['x'], under('r', 'x')), choiceParameter('q', ['x'], under('p', 'x')), choiceParameter('r', ['x'], under('q', 'x'))], 'space', '"p" depends on "r" depends on "q" depends on "p"'],
];

describe('checking a space', () => {
  test.each(refused)('%s is refused, by field', (_title, space, field, words) => {
    const violations = checkSpace(space);
    expect(violations.map((violation) => violation.field)).toContain(field);
    expect(violations.find((violation) => violation.field === field)?.description).toContain(words);
  });

  test('everything that is wrong is said at once', () => {
    expect(checkSpace([floatParameter('p', { min: 2, max: 1 }), choiceParameter('q', []), booleanParameter('r', under('s', 'x'))]).map(({ field }) => field))
      .toEqual(['space[0].max', 'space[1].values', 'space[2].conditions[0].parent']);
  });

  const fine: readonly (readonly [string, SearchSpace])[] = [
    ['nothing', []],
    ['ranges of no width', [floatParameter('p', { min: 1, max: 1 }), intParameter('q', { min: -4, max: -4 }), floatParameter('r', { min: 2, max: 2, sampling: 'LOG' })]],
    ['10,000 choices', [choiceParameter('p', Array.from({ length: 10_000 }, (_, i) => i))]],
    ['any names', ['/', 'é/日本', '__proto__', 'constructor', ' ', '😀'].map((name): Parameter => booleanParameter(name))],
    ['one name under different conditions', [a, booleanParameter('p', under('a', 'x')), intParameter('p', { min: 1, max: 2, ...under('a', 'y') })]],
    ['a default between the steps', [floatParameter('p', { min: 0, max: 0.5, step: 0.1, default: 0.25 })]],
    ['a floating choice of whole numbers', [choiceParameter('p', [1, 2], { valueType: 'FLOAT' })]],
  ];
  test.each(fine)('%s is fine', (_title, space) => { expect(checkSpace(space)).toEqual([]); });

  test('too many parameters are refused before they are looked at', () => {
    expect(checkSpace(Array.from({ length: MAX_PARAMETERS + 1 }, (_, i) => booleanParameter(`p${i}`)))).toEqual([{ field: 'space', description: expect.stringContaining('at most 10000') }]);
  });

  test('a chain of 10,000 conditions is walked through', () => {
    const chain = Array.from({ length: MAX_PARAMETERS }, (_, i) => choiceParameter(`p${i}`, ['x'], i === 0 ? {} : under(`p${i - 1}`, 'x')));
    expect(checkSpace(chain)).toEqual([]);
  });
});
