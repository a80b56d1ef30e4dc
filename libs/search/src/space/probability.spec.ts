import fc from 'fast-check';
import { gridValues } from '../grid/grid-values';
import { parseHyperparameters } from '../keras-tuner/space-json';
import { golden } from '../testing/keras-tuner-golden';
import { checkSpace } from './check-space';
import { valueFault } from './check-values';
import { booleanParameter, choiceParameter, floatParameter, intParameter } from './make-parameter';
import type { Parameter } from './parameter';
import { indexedValue, probabilityOf, valueAt, valueCount } from './probability';
import type { Value } from './value';

describe('probability and value', () => {
  const cases = golden.parameters.map(({ json, rows, values }) => {
    const [parameter] = parseHyperparameters(json, 'golden').space;
    if (!parameter) throw new Error('a golden case without a parameter');
    const range = parameter.kind === 'FLOAT' || parameter.kind === 'INT' ? `${parameter.min} to ${parameter.max} by ${parameter.step ?? 'nothing'} ${parameter.sampling}` : `of ${valueCount(parameter)}`;
    return { title: `${parameter.kind} ${range}`, parameter, rows, values };
  });

  test.each(cases)('$title: values of probabilities are KerasTuner\'s to the last bit', ({ parameter, rows }) => {
    // At the very end of [0, 1) KerasTuner's cut integers can leave the range by one; ours do not.
    const inRange = (value: Value): Value => ((parameter.kind === 'INT' || parameter.kind === 'FLOAT') ? Math.min(Number(value), parameter.max) : value);
    expect(rows.map(([probability]) => valueAt(parameter, probability))).toEqual(rows.map(([, value]) => inRange(value)));
  });

  test.each(cases)('$title: probabilities of values are KerasTuner\'s', ({ parameter, rows }) => {
    for (const [, value, back] of rows) expect(probabilityOf(parameter, value)).toBeCloseTo(back, 13);
  });

  test.each(cases)('$title: the grid has KerasTuner\'s values', ({ parameter, values }) => {
    const others = gridValues(parameter).slice(1, 39);
    expect(others).toEqual(values.filter((value) => value !== gridValues(parameter)[0]).slice(0, others.length));
  });

  const anyParameter: fc.Arbitrary<Parameter> = fc.oneof(
    fc.record({ min: fc.double({ min: 1e-3, max: 1e3, noNaN: true }), ratio: fc.double({ min: 1, max: 1e4, noNaN: true }), sampling: fc.constantFrom('LINEAR' as const, 'LOG' as const, 'REVERSE_LOG' as const), step: fc.option(fc.double({ min: 1.5, max: 30, noNaN: true }), { nil: undefined }) })
      .map(({ min, ratio, sampling, step }) => floatParameter('p', { min, max: min * ratio, sampling, step })),
    fc.record({ min: fc.integer({ min: 1, max: 1000 }), width: fc.integer({ min: 0, max: 5000 }), sampling: fc.constantFrom('LINEAR' as const, 'LOG' as const, 'REVERSE_LOG' as const), step: fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined }) })
      .map(({ min, width, sampling, step }) => intParameter('p', { min, max: min + width, sampling, step })),
    fc.uniqueArray(fc.string(), { minLength: 1 }).map((values) => choiceParameter('p', values)),
    fc.boolean().map((initial) => booleanParameter('p', { default: initial })),
  );

  test('every probability gives a value that the parameter can have, and that leads back to it', () => {
    fc.assert(fc.property(anyParameter, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (parameter, probability) => {
      expect(checkSpace([parameter])).toEqual([]);
      const value = valueAt(parameter, probability);
      expect(valueFault(parameter, value)).toBeUndefined();
      const back = probabilityOf(parameter, value);
      expect(back).toBeGreaterThanOrEqual(-1e-9);
      expect(back).toBeLessThanOrEqual(1 + 1e-9);
      if (valueCount(parameter) < 1000 && (parameter.kind === 'CHOICE' || parameter.kind === 'BOOLEAN')) expect(valueAt(parameter, back)).toBe(value);
    }), { numRuns: 500 });
  });

  test('indexed values are all different, and as many as are counted', () => {
    fc.assert(fc.property(anyParameter.filter((parameter) => valueCount(parameter) <= 2000), (parameter) => {
      const values = Array.from({ length: valueCount(parameter) }, (_, i) => indexedValue(parameter, i));
      expect(new Set(values).size).toBe(values.length);
      for (const value of values) expect(valueFault(parameter, value)).toBeUndefined();
    }));
  });

  test('a range of no width is a constant', () => {
    for (const parameter of [floatParameter('p', { min: 2, max: 2 }), intParameter('p', { min: 3, max: 3 }), floatParameter('p', { min: 2, max: 2, sampling: 'LOG' })]) {
      expect(valueCount(parameter)).toBe(1);
      expect(valueAt(parameter, 0.9)).toBe(parameter.min);
    }
  });
});
