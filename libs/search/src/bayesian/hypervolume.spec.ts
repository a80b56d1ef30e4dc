import { randomOf } from '../numeric/random';
import { hypervolume, logHypervolumeImprovement, nonDominated, referenceOf } from './hypervolume';

/** By inclusion and exclusion over all subsets of the front. */
function volumeOf(front: readonly (readonly number[])[], reference: readonly number[]): number {
  let volume = 0;
  for (let subset = 1; subset < 2 ** front.length; subset++) {
    const members = front.filter((_, i) => (subset >> i) % 2 === 1);
    const common = reference.reduce((product, bound, j) => product * Math.max(0, bound - Math.max(...members.map((point) => point[j] ?? 0))), 1);
    volume += members.length % 2 === 1 ? common : -common;
  }
  return volume;
}

const randomPoints = (count: number, objectives: number, seed: number) => {
  const random = randomOf(seed, count, objectives);
  return Array.from({ length: count }, () => Array.from({ length: objectives }, () => random.uniform()));
};

const evaluate = (scores: readonly (readonly number[])[], means: readonly number[], deviation: number) => {
  const [byMean, byDeviation] = [new Float64Array(means.length), new Float64Array(means.length)];
  const value = logHypervolumeImprovement(scores).evaluate(Float64Array.from(means), new Float64Array(means.length).fill(deviation), byMean, byDeviation);
  return { value: Math.exp(value), log: value, byMean, byDeviation };
};

describe.each([1, 2, 3, 4])('hypervolume of %p objectives', (objectives) => {
  const points = randomPoints(9, objectives, 3);
  const reference = points[0]?.map(() => 0.9) ?? [];

  it('is what inclusion and exclusion give, dominated points or not', () => {
    expect(hypervolume(points, reference)).toBeCloseTo(volumeOf(points, reference), 12);
    expect(hypervolume(nonDominated(points), reference)).toBeCloseTo(volumeOf(points, reference), 12);
  });

  it('is 0 for points beyond the reference', () => {
    expect(hypervolume([reference.map((bound) => bound + 1)], reference)).toBe(0);
  });
});

describe.each([2, 3])('expected improvement of %p objectives', (objectives) => {
  const points = randomPoints(12, objectives, 5);
  const front = nonDominated(points);
  const reference = referenceOf(front);

  it('is the improvement itself where there is no doubt', () => {
    for (const mean of randomPoints(10, objectives, 6).map((point) => point.map((x) => 0.5 * x))) {
      const gain = hypervolume([...front, mean], reference) - hypervolume(front, reference);
      expect(evaluate(points, mean, 1e-7).value).toBeCloseTo(gain, 6);
    }
  });

  it('is the mean over random outcomes', () => {
    const mean = Array.from({ length: objectives }, () => 0.1);
    const random = randomOf(8);
    const base = hypervolume(front, reference);
    const draws = 6000;
    let sum = 0;
    for (let i = 0; i < draws; i++) sum += hypervolume([...front, mean.map((m) => m + 0.2 * random.normal())], reference) - base;
    expect(evaluate(points, mean, 0.2).value / (sum / draws)).toBeCloseTo(1, 1);
  });

  it('has the derivatives of central differences', () => {
    const mean = Array.from({ length: objectives }, (_, j) => 0.25 + 0.1 * j);
    const h = 1e-6;
    evaluate(points, mean, 0.2).byMean.forEach((slope, j) => {
      const moved = (by: number) => evaluate(points, mean.map((m, k) => (k === j ? m + by : m)), 0.2).log;
      expect(slope).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 4);
    });
    const wider = evaluate(points, mean, 0.2).byDeviation.reduce((sum, slope) => sum + slope, 0);
    expect(wider).toBeCloseTo((evaluate(points, mean, 0.2 + h).log - evaluate(points, mean, 0.2 - h).log) / (2 * h), 4);
  });

  it('is finite where nothing can be gained, and on a front of one', () => {
    expect(Number.isFinite(evaluate(points, reference.map(() => 100), 1e-3).log)).toBe(true);
    expect(Number.isFinite(evaluate([front[0] ?? []], front[0] ?? [], 1e-3).log)).toBe(true);
  });
});
