import { minimizeInBox, type Differentiable } from './box-lbfgs';

const SETTINGS = { iterationsMax: 200, evaluationsMax: 1000, gradientTolerance: 1e-8 };

const rosenbrock: Differentiable = (x, gradient) => {
  const [a = 0, b = 0] = x;
  gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
  gradient[1] = 200 * (b - a * a);
  return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
};

const box = (low: number, high: number) => [Float64Array.of(low, low), Float64Array.of(high, high)] as const;

describe('minimizeInBox', () => {
  it('finds Rosenbrock\'s minimum inside the box', () => {
    const { x, value } = minimizeInBox(rosenbrock, Float64Array.of(-1.2, 1), ...box(-2, 2), SETTINGS);
    expect(value).toBeLessThan(1e-10);
    expect(x[0]).toBeCloseTo(1, 4);
  });

  it('finds it on the border when the box cuts it off', () => {
    // With a <= 0.5 the least value is at a = 0.5, b = 0.25 (scipy.optimize.minimize, L-BFGS-B: 0.25).
    const { x, value } = minimizeInBox(rosenbrock, Float64Array.of(-1.2, 1), ...box(-2, 0.5), SETTINGS);
    expect(value).toBeCloseTo(0.25, 8);
    expect([...x]).toEqual([0.5, expect.closeTo(0.25, 5)]);
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
