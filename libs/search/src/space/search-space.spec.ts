import fc from 'fast-check';
import { cardinality } from './cardinality';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from './make-parameter';
import { mergeSpace } from './merge-space';
import { indexedValue, valueCount } from './probability';
import { activeParameters, isActive, type SearchSpace } from './search-space';
import { sortSpace } from './sort-space';
import { valuesKey, type Value, type Values } from './value';

const model = choiceParameter('model', ['mlp', 'cnn', 'rnn']);
const layers = intParameter('layers', { min: 1, max: 3, conditions: [{ parent: 'model', values: ['mlp', 'rnn'] }] });
const dropout = booleanParameter('dropout', { conditions: [{ parent: 'model', values: ['mlp'] }, { parent: 'layers', values: [2, 3] }] });

describe('conditions', () => {
  test('all must hold, and an inactive parent makes its children inactive', () => {
    const active = (values: readonly (readonly [string, Value])[]) => activeParameters([model, layers, dropout], new Map(values)).map(({ name }) => name);
    expect(active([['model', 'mlp'], ['layers', 2]])).toEqual(['model', 'layers', 'dropout']);
    expect(active([['model', 'mlp'], ['layers', 1]])).toEqual(['model', 'layers']);
    expect(active([['model', 'rnn'], ['layers', 2]])).toEqual(['model', 'layers']);
    expect(active([['model', 'cnn']])).toEqual(['model']);
  });

  test('children that come first, as on the wire, are sorted behind their parents; the rest keeps its order', () => {
    const other = booleanParameter('other');
    expect(sortSpace([dropout, layers, other, model])).toEqual([other, model, layers, dropout]);
    expect(sortSpace([model, other, layers, dropout])).toEqual([model, other, layers, dropout]);
  });

  test('a circle cannot be sorted, and is named', () => {
    expect(() => sortSpace([booleanParameter('a', { conditions: [{ parent: 'b', values: [true] }] }), booleanParameter('b', { conditions: [{ parent: 'a', values: [true] }] })]))
      .toThrow('"a" depends on "b" depends on "a"');
  });
});

describe('cardinality', () => {
  test.each<readonly [string, SearchSpace, number]>([
    ['no parameters', [], 1], ['conditions', [model, layers, dropout], 1 + 3 + 1 + 2 + 2],
    ['10,000 choices and a boolean', [choiceParameter('c', Array.from({ length: 10_000 }, (_, i) => i)), booleanParameter('b')], 20_000],
    ['constants', [floatParameter('f', { min: 1, max: 1 }), intParameter('i', { min: 2, max: 2 }), fixedParameter('x', 1)], 1],
    ['a continuous range', [booleanParameter('b'), floatParameter('f', { min: 0, max: 1 })], Infinity],
    ['a continuous range that is never active', [model, floatParameter('f', { min: 0, max: 1, conditions: [{ parent: 'model', values: ['gone'] }] })], 3],
    ['30 booleans', Array.from({ length: 30 }, (_, i) => booleanParameter(`b${i}`)), 2 ** 30],
  ])('of %s', (_title, space, expected) => { expect(cardinality(space)).toBe(expected); });

  test('is the number of points that an enumeration finds', () => {
    const shape = fc.array(fc.record({ kind: fc.constantFrom('choice', 'boolean', 'int'), parent: fc.nat(), value: fc.nat({ max: 3 }) }), { maxLength: 6 });
    fc.assert(fc.property(shape, (shapes) => {
      const space = shapes.map(({ kind, parent, value }, i) => {
        const conditions = parent % (i + 1) === i ? [] : [{ parent: `p${parent % (i + 1)}`, values: [value, value + 1, value % 2 === 0] }];
        if (kind === 'choice') return choiceParameter(`p${i}`, [0, 1, 2], { conditions });
        return kind === 'int' ? intParameter(`p${i}`, { min: 1, max: 4, conditions }) : booleanParameter(`p${i}`, { conditions });
      });
      let points: readonly Values[] = [new Map()];
      for (const parameter of space) {
        points = points.flatMap((values) => (isActive(parameter, values)
          ? Array.from({ length: valueCount(parameter) }, (_, i) => new Map([...values, [parameter.name, indexedValue(parameter, i)]])) : [values]));
      }
      expect(cardinality(space)).toBe(points.length);
      expect(new Set(points.map(valuesKey)).size).toBe(points.length);
    }));
  });
});

describe('merging a space', () => {
  test('new parameters come behind, the same name under other conditions is new, known ones stay', () => {
    const layersAlone = intParameter('layers', { min: 1, max: 3 });
    const merge = mergeSpace([model, layers], [model, layersAlone, dropout]);
    expect(merge).toEqual({ kind: 'MERGED', space: [model, layers, layersAlone, dropout], added: [layersAlone, dropout], overruled: [] });
  });

  test('a changed range is overruled, and said', () => {
    const wider = { ...layers, max: 9 };
    expect(mergeSpace([model, layers], [wider])).toEqual({ kind: 'MERGED', space: [model, layers], added: [], overruled: [wider] });
  });

  test.each([
    ['an integer', 'a float', intParameter('p', { min: 1, max: 2 }), floatParameter('p', { min: 1, max: 2 })],
    ['a choice of text', 'one of numbers', choiceParameter('p', ['1']), choiceParameter('p', [1])],
    ['a fixed text', 'a fixed number', fixedParameter('p', 'x'), fixedParameter('p', 1)],
  ])('%s that becomes %s is refused, named', (_from, _to, before, after) => {
    expect(mergeSpace([model, before], [model, after])).toEqual({ kind: 'REFUSED', violations: [{ field: 'space[1]', description: expect.stringContaining('parameter "p" is of type') }] });
  });
});

describe('the key of values', () => {
  test('ignores the order, tells types and names apart', () => {
    expect(valuesKey(new Map<string, Value>([['a', 1], ['b', 'x']]))).toBe(valuesKey(new Map<string, Value>([['b', 'x'], ['a', 1]])));
    const different: readonly Values[] = [new Map([['a', 1]]), new Map([['a', '1']]), new Map([['a', true]]), new Map([['a', 'true']]), new Map(), new Map([['b', 1]]), new Map([['__proto__', 1]])];
    expect(new Set(different.map(valuesKey)).size).toBe(different.length);
    expect(valuesKey(new Map([['a', -0]]))).toBe(valuesKey(new Map([['a', 0]])));
  });
});
