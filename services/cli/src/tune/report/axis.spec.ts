import fc from 'fast-check';
import { axisOf, outsideText, robustAxis, shareOn } from './axis';

const texts = (values: readonly number[]): readonly string[] => axisOf(values).ticks.map(({ text }) => text);

test.each<[readonly number[], readonly string[]]>([
  [[0, 10], ['0', '2', '4', '6', '8', '10']],
  [[0.93, 0.98], ['0.93', '0.94', '0.95', '0.96', '0.97', '0.98']],
  [[], ['0', '0.2', '0.4', '0.6', '0.8', '1']],
  [[NaN, Infinity, 3], ['2.8', '3', '3.2']],
  [[0], ['-0.4', '-0.2', '0', '0.2', '0.4']],
  // What lies between must be told apart.
  [[0.930001, 0.930005], ['0.930001', '0.930002', '0.930003', '0.930004', '0.930005']],
  [[0, 1e30], ['0', '2e+29', '4e+29', '6e+29', '8e+29', '1e+30']],
  [[-Number.MAX_VALUE, Number.MAX_VALUE], ['-1e+308', '0', '1e+308']],
])('ticks of %j', (values, ticks) => {
  expect(texts(values)).toEqual(ticks);
});

test('every value has its place, in order, and every tick its own text', () => {
  fc.assert(fc.property(fc.array(fc.double({ noDefaultInfinity: false, noNaN: true }), { maxLength: 40 }), (values) => {
    for (const axis of [axisOf(values), robustAxis(values)]) {
      const sorted = [...values].sort((a, b) => a - b).map((value) => shareOn(axis, value));
      for (const [i, share] of sorted.entries()) {
        expect(share).toBeGreaterThanOrEqual(sorted[i - 1] ?? 0);
        expect(share).toBeLessThanOrEqual(1);
      }
      expect(new Set(axis.ticks.map(({ text }) => text)).size).toBe(axis.ticks.length);
      expect(axis.ticks.length).toBeLessThan(12);
    }
  }), { examples: [[[Number.MAX_VALUE, -Number.MAX_VALUE]], [[5e-324]], [[1, 1 + Number.EPSILON]], [[Number.MAX_VALUE]]] });
});

const TEN = [0.43, 0.44, 0.45, 0.46, 0.47, 0.48, 0.49, 0.5, 0.51, 0.52];

test.each<[string, readonly number[], readonly [number, number], string]>([
  ['one that is far above', [...TEN, 1e30], [0.43, 0.52], 'Values of loss that lie outside the scale: 1 above, up to 1e+30.'],
  ['some on both sides, one of them infinite', [...TEN, ...TEN, 1e6, Infinity, -40], [0.43, 0.52], 'Values of loss that lie outside the scale: 2 above, up to Infinity; 1 below, down to -40.'],
  ['one that hides behind a greater one', [...TEN, 1e3, 1e9], [0.43, 0.52], 'Values of loss that lie outside the scale: 2 above, up to 1000000000.'],
  ['an equal score many times', [...TEN.map(() => 1), 1e9], [1, 1e9], ''],
  ['none far off', [...TEN, 0.8], [0.43, 0.8], ''],
  ['powers of ten, of which more than a fifth would be left out', [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8], [1, 1e8], ''],
  ['too few to say which is far off', [1, 2, 1e9], [1, 1e9], ''],
])('a robust scale of %s', (_title, values, [min, max], note) => {
  const axis = robustAxis(values);
  expect([axis.min, axis.max]).toEqual([min, max]);
  expect(outsideText('loss', axis)).toBe(note);
  // What is outside lies apart from what is not.
  const inside = values.filter((value) => value >= min && value <= max).map((value) => shareOn(axis, value));
  expect(Math.max(...inside) < 1).toBe(axis.above !== undefined);
  expect(Math.min(...inside) > 0).toBe(axis.below !== undefined);
});
