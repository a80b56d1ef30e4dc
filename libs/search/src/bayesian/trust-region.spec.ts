import { uniformParameters } from '../gaussian/hyperparameters';
import { regionAround, sideAfter } from './trust-region';

describe('the side of the trust region', () => {
  const bad = (count: number) => Array.from({ length: count }, () => 10);
  it.each([
    ['at first', [5, 4], 2, 0.8],
    ['after three successes', [5, 4, 3, 2, 1], 2, 1.6],
    ['after four failures', [1, ...bad(4)], 1, 0.4],
    ['after successes that a failure interrupts', [5, 4, 3, 9, 2], 1, 0.8],
    ['after so many failures that it starts anew', [1, ...bad(28)], 1, 0.8],
  ])('%s', (_name, scores, start, side) => {
    expect(sideAfter(scores, start, 2)).toBe(side);
  });
});

describe('the region', () => {
  it('is long where the lengthscale is long, within the cube, and leaves categories free', () => {
    const parameters = uniformParameters(3, 1, 1, 1e-4);
    parameters[0] = Math.log(16);
    const { low, high } = regionAround(Float64Array.of(0.5, 0.9, 2), 0.2, parameters, ['NUMERIC', 'NUMERIC', 'CATEGORICAL']);
    expect((high[0] ?? 0) - (low[0] ?? 0)).toBeCloseTo(0.8, 12);
    expect([low[1], high[1]]).toEqual([expect.closeTo(0.875, 12), expect.closeTo(0.925, 12)]);
    expect([low[2], high[2]]).toEqual([0, 1]);
  });
});
