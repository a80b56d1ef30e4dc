/**
 * Powers, rounded correctly in all but some of 2^50 cases. V8's Math.pow is off by a last bit in a tenth of the cases, the C
 * library's, which Python asks, in a thousandth. So a learning rate is KerasTuner's to the last bit, 999 times in 1,000.
 *
 * Numbers are unevaluated sums hi + lo of two doubles (T. J. Dekker, A floating-point technique for extending the available
 * precision, 1971).
 */
type Pair = readonly [hi: number, lo: number];

/** ln 2 as a sum; the first ends in 20 zero bits, so that its product with an exponent of two is exact. */
const LN2_PARTS = [0.6931471804855391, 7.440617110012397e-11, -1.3124698417785255e-27] as const;

/** For |r| <= ln 2 / 2 the next term is below 2^-106. */
const TAYLOR_TERMS = 24;

/** base^exponent, of a finite base >= 1 and a finite exponent. */
export function power(base: number, exponent: number): number {
  const { mantissa, scale } = exponential(multiply(logarithm(base), [exponent, 0]));
  return (mantissa[0] + mantissa[1]) * 2 ** scale;
}

/** ln x, rounded as well as the powers, of a finite x >= 1. */
export const naturalLogarithm = (x: number): number => logarithm(x)[0];

/** One Newton step from Math.log, for exp(l) = x. */
function logarithm(x: number): Pair {
  const start = Math.log(x);
  const { mantissa, scale } = exponential([-start, 0]);
  const excess = add(multiply(mantissa, [x * 2 ** scale, 0]), [-1, 0]);
  return add([start, 0], add(excess, [-excess[0] * excess[0] / 2, 0]));
}

/** e^x as mantissa * 2^scale. */
function exponential([hi, lo]: Pair): { readonly mantissa: Pair; readonly scale: number } {
  const scale = Math.round(hi / Math.LN2);
  let rest = add([hi, lo], [-scale * LN2_PARTS[0], 0]);
  rest = add(rest, exactProduct(-scale, LN2_PARTS[1]));
  rest = add(rest, [-scale * LN2_PARTS[2], 0]);
  let sum: Pair = [1, 0];
  for (let n = TAYLOR_TERMS; n >= 1; n--) sum = add([1, 0], divide(multiply(rest, sum), n));
  return { mantissa: sum, scale };
}

function add([a, aLow]: Pair, [b, bLow]: Pair): Pair {
  const [hi, lo] = exactSum(a, b);
  const [hi2, lo2] = exactSum(aLow, bLow);
  const [middle, low] = exactSum(hi, lo + hi2);
  return exactSum(middle, low + lo2);
}

function multiply([a, aLow]: Pair, [b, bLow]: Pair): Pair {
  const [hi, lo] = exactProduct(a, b);
  return exactSum(hi, lo + (a * bLow + aLow * b));
}

function divide([a, aLow]: Pair, divisor: number): Pair {
  const quotient = a / divisor;
  const [hi, lo] = exactProduct(quotient, divisor);
  return exactSum(quotient, ((a - hi) - lo + aLow) / divisor);
}

/** The rounded sum, and what rounding took away. */
function exactSum(a: number, b: number): Pair {
  const sum = a + b;
  const part = sum - a;
  return [sum, (a - (sum - part)) + (b - part)];
}

/** The rounded product, and what rounding took away. */
function exactProduct(a: number, b: number): Pair {
  const product = a * b;
  const [a1, a2] = halves(a);
  const [b1, b2] = halves(b);
  return [product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2];
}

function halves(a: number): Pair {
  const shifted = a * (2 ** 27 + 1);
  const hi = shifted - (shifted - a);
  return [hi, a - hi];
}
