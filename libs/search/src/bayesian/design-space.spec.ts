import fc from 'fast-check';
import { booleanParameter, choiceParameter, fixedParameter, floatParameter, intParameter } from '../space/make-parameter';
import { checkValues } from '../space/check-values';
import { cardinality } from '../space/cardinality';
import { valuesKey, type Value } from '../space/value';
import { DesignSpace } from './design-space';

const space = [
  floatParameter('lr', { min: 1e-4, max: 0.1, sampling: 'LOG' }),
  intParameter('units', { min: 32, max: 512, step: 32 }),
  intParameter('seed/ü', { min: 0, max: 1e9 }),
  choiceParameter('optimizer', ['adam', 'sgd', 'rmsprop']),
  floatParameter('momentum', { min: 0, max: 1, step: 0.25, conditions: [{ parent: 'optimizer', values: ['sgd'] }] }),
  booleanParameter('nesterov', { conditions: [{ parent: 'optimizer', values: ['sgd'] }] }),
  choiceParameter('batch', [16, 32, 64]),
  fixedParameter('__proto__', 'fixed'),
  floatParameter('constant', { min: 3, max: 3 }),
];

describe('DesignSpace', () => {
  const design = DesignSpace.of(space);
  const cube = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: design.columns, maxLength: design.columns });

  it('has a coordinate for each parameter that is searched', () => {
    expect(design.coordinates.map(({ parameter: { name }, kind, levels }) => [name, kind, levels.kind])).toEqual([
      ['lr', 'NUMERIC', 'CONTINUOUS'], ['units', 'NUMERIC', 'STEPS'], ['seed/ü', 'NUMERIC', 'CONTINUOUS'], ['optimizer', 'CATEGORICAL', 'CATEGORIES'],
      ['momentum', 'NUMERIC', 'STEPS'], ['nesterov', 'CATEGORICAL', 'CATEGORIES'], ['batch', 'NUMERIC', 'STEPS'],
    ]);
  });

  it('gives valid values for any point, and for them the same point, up to rounding', () => {
    fc.assert(fc.property(cube, (uniform) => {
      const point = design.pointAt(Float64Array.from(uniform));
      const values = design.valuesOf(point);
      expect(checkValues(space, values)).toEqual([]);
      const again = design.valuesOf(design.pointOf(values));
      expect([...again.keys()]).toEqual([...values.keys()]);
      expect(design.cellOf(design.pointOf(again))).toBe(design.cellOf(design.pointOf(values)));
      design.coordinates.forEach(({ levels }, d) => { if (levels.kind !== 'CONTINUOUS') expect(design.pointOf(values)[d]).toBe(point[d]); });
    }));
  });

  it('leaves a settled point alone', () => {
    fc.assert(fc.property(cube, (uniform) => {
      const point = design.pointAt(Float64Array.from(uniform));
      expect(design.settle(point.slice())).toEqual(point);
    }));
  });

  it('takes what a trial of a smaller space left out for the default', () => {
    expect(design.pointOf(new Map<string, Value>([['optimizer', 'sgd']]))).toEqual(design.pointOf(new Map<string, Value>([['optimizer', 'sgd'], ['units', 32], ['momentum', 0]])));
  });

  it('runs through every point of a finite space once', () => {
    const finite = [space[1], space[3], space[4], space[5], space[7]].flatMap((parameter) => parameter ?? []);
    const keys = [...DesignSpace.of(finite).everyPoint()].map((point) => valuesKey(DesignSpace.of(finite).valuesOf(point)));
    expect(keys).toHaveLength(cardinality(finite));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
