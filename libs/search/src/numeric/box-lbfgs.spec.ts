import { minimizeInBox, type Differentiable } from './box-lbfgs';
import { readGolden } from './testing/golden';

const SETTINGS = { iterationsMax: 200, evaluationsMax: 1000, gradientTolerance: 1e-8 };

const rosenbrock: Differentiable = (x, gradient) => {
  gradient.fill(0);
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const [a = 0, b = 0] = x.subarray(i);
    gradient[i] = (gradient[i] ?? 0) - 400 * a * (b - a * a) - 2 * (1 - a);
    gradient[i + 1] = 200 * (b - a * a);
    sum += 100 * (b - a * a) ** 2 + (1 - a) ** 2;
  }
  return sum;
};

const chain: Differentiable = (x, gradient) => x.reduce((sum, at, i) => {
  const strength = 4 ** i;
  const rest = (-1) ** i * (i + 1) / 2;
  const [before = at, after = at] = [x[i - 1], x[i + 1]];
  gradient[i] = 2 * strength * (at - rest) + 2 * (at - before) - 2 * (after - at);
  return sum + strength * (at - rest) ** 2 + (after - at) ** 2;
}, 0);

const logSumExp: Differentiable = (x, gradient) => {
  const ups = x.map((at, i) => Math.exp(at - i / 4));
  const downs = x.map((at, i) => Math.exp(-(i + 1) * at));
  const total = [...ups, ...downs].reduce((sum, part) => sum + part, 0);
  x.forEach((_at, i) => { gradient[i] = ((ups[i] ?? 0) - (i + 1) * (downs[i] ?? 0)) / total; });
  return Math.log(total);
};

const FUNCTIONS = { rosenbrock, chain, logSumExp };

const box = (low: number, high: number) => [Float64Array.of(low, low), Float64Array.of(high, high)] as const;

describe('minimizeInBox', () => {
  it.each(readGolden().minima)('finds what SciPy\'s L-BFGS-B finds of $function from $start in [$low, $high]', ({ function: name, start, low, high, x, value }) => {
    const found = minimizeInBox(FUNCTIONS[name], Float64Array.from(start), new Float64Array(start.length).fill(low), new Float64Array(start.length).fill(high), SETTINGS);
    // It ends with the first step that gains less than 1e-9 of the value.
    expect(Math.abs(found.value - value) / (1 + Math.abs(value))).toBeLessThan(5e-9);
    found.x.forEach((at, i) => expect(at).toBeCloseTo(x[i] ?? NaN, 3));
    // What a bound holds is at the bound, not near it.
    expect([...found.x].map((at) => at === low || at === high)).toEqual(x.map((at) => at === low || at === high));
  });

  it('starts from the nearest point of the box, and leaves fixed coordinates alone', () => {
    const { x } = minimizeInBox(rosenbrock, Float64Array.of(9, 9), Float64Array.of(-2, 0.7), Float64Array.of(2, 0.7), SETTINGS);
    expect(x[1]).toBe(0.7);
    expect(x[0]).toBeCloseTo(Math.sqrt(0.7), 2);
  });

  it('steps back from where the value is not finite', () => {
    const logBarrier: Differentiable = (x, gradient) => {
      const [a = 0] = x;
      gradient[0] = 1 - 0.01 / a;
      return a > 0 ? a - 0.01 * Math.log(a) : NaN;
    };
    const { x } = minimizeInBox(logBarrier, Float64Array.of(1), Float64Array.of(-1), Float64Array.of(1), SETTINGS);
    expect(x[0]).toBeCloseTo(0.01, 5);
  });

  it('keeps to its evaluations', () => {
    let evaluations = 0;
    const counted: Differentiable = (x, gradient) => { evaluations += 1; return rosenbrock(x, gradient); };
    expect(minimizeInBox(counted, Float64Array.of(-1.2, 1), ...box(-2, 2), { ...SETTINGS, evaluationsMax: 7 }).evaluations).toBe(7);
    expect(evaluations).toBe(7);
  });

  it('says that a start without a value is none', () => {
    expect(minimizeInBox(() => NaN, Float64Array.of(0, 0), ...box(-1, 1), SETTINGS).value).toBe(Infinity);
  });
});
