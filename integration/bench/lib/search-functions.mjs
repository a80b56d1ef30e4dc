// Functions of known minimum that searches are compared on. search-rivals.py has the same ones: `check` compares the two.

const HARTMANN_WIDTHS = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]];
const HARTMANN_CENTRES = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const HARTMANN_HEIGHTS = [1, 1.2, 3, 3.2];
const ACKLEY_MOVED = [7.3, -11.9, 4.1, 15.7, -9.2];

const branin = ([a, b]) => (b - (5.1 / (4 * Math.PI ** 2)) * a * a + (5 / Math.PI) * a - 6) ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10 - 0.39788735772973816;

const hartmann = (x) => 3.322368011391339 - HARTMANN_HEIGHTS.reduce((sum, height, i) => (
  sum + height * Math.exp(-x.reduce((square, v, d) => square + HARTMANN_WIDTHS[i][d] * (v - HARTMANN_CENTRES[i][d]) ** 2, 0))), 0);

const rosenbrock = (x) => x.slice(1).reduce((sum, next, i) => sum + 100 * (next - x[i] ** 2) ** 2 + (1 - x[i]) ** 2, 0);

const ackley = (x) => -20 * Math.exp(-0.2 * Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length))
  - Math.exp(x.reduce((sum, v) => sum + Math.cos(2 * Math.PI * v), 0) / x.length) + 20 + Math.E;

const BEST_RATE = { a: -2.5, b: -3.5, c: -2, d: -1.5 };
const OFFSET = { a: 0.3, b: 0.15, c: 0, d: 0.5 };
/** A learning rate, an integer, an unordered choice, and a float that exists under one choice only. */
const mixed = ({ lr, units, opt, mom }) => {
  const off = Math.log10(lr) - BEST_RATE[opt];
  const base = 0.5 * off * off + 0.1 * (1 - Math.cos(3 * off)) + ((units - 37) / 24) ** 2 * (1 + 0.3 * off * off) + OFFSET[opt];
  return opt === 'c' ? base + 4 * (mom - 0.85) ** 2 : base;
};

const floats = (bounds) => bounds.map(([min, max], i) => ({ kind: 'float', name: `x${i}`, min, max }));
const cube = (dimensions, min, max) => floats(Array.from({ length: dimensions }, () => [min, max]));
const ofVector = (f) => (values) => f(Object.keys(values).sort().map((name) => values[name]));

const MIXED = [
  { kind: 'float', name: 'lr', min: 1e-5, max: 1e-1, log: true }, { kind: 'int', name: 'units', min: 8, max: 128 },
  { kind: 'choice', name: 'opt', values: ['a', 'b', 'c', 'd'] }, { kind: 'float', name: 'mom', min: 0, max: 1, when: { parent: 'opt', values: ['c'] } },
];

/**
 * {space: what both sides make their own space of, regret(values): above the minimum, trials: how many each search has, noise: standard deviation of
 * what a search is told}
 */
export const FUNCTIONS = {
  branin: { space: floats([[-5, 10], [0, 15]]), regret: ofVector(branin), trials: 30, noise: 0 },
  hartmann6: { space: cube(6, 0, 1), regret: ofVector(hartmann), trials: 50, noise: 0 },
  rosenbrock4: { space: cube(4, -2.048, 2.048), regret: ofVector(rosenbrock), trials: 50, noise: 0 },
  'rosenbrock4-wide': { space: cube(4, -5, 10), regret: ofVector(rosenbrock), trials: 50, noise: 0 },
  ackley5: { space: cube(5, -32.768, 32.768), regret: ofVector(ackley), trials: 50, noise: 0 },
  'ackley5-moved': { space: cube(5, -32.768, 32.768), regret: ofVector((x) => ackley(x.map((v, i) => v - ACKLEY_MOVED[i]))), trials: 50, noise: 0 },
  'hartmann6-noisy': { space: cube(6, 0, 1), regret: ofVector(hartmann), trials: 60, noise: 0.1 },
  mixed: { space: MIXED, regret: mixed, trials: 40, noise: 0 },
};

/** Noise of one evaluation of one run, the same for whoever evaluates: Box and Muller's transform of a hash of (seed, index). */
export function noiseOf(seed, index) {
  const uniform = (salt) => {
    let h = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.imul(salt + 1, 0xc2b2ae35)) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39) >>> 0;
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
  };
  return Math.sqrt(-2 * Math.log(1 - uniform(0))) * Math.cos(2 * Math.PI * uniform(1));
}
