// The standard normal distribution, to full precision in its tails: log expected improvement lives there. The tables are Chebyshev
// coefficients in (t - 5) / (t + 5) of functions that are nearly flat on [0, ∞), computed by `testing/golden.py tables`; the idea of such a map is
// Shepherd and Laframboise's (Chebyshev Approximation of (1+2x)exp(x²)erfc x, 1981).

const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);
const MAP = 5;

/** (1 + t) mills(t) */
const MILLS = [
  1.1579976221305188, -0.1633449388451398, -0.013683136055781576, 0.03082200019810004, -0.016220073012046806, 0.005616691016460094,
  -0.0014133933783549216, 0.0002502625460725661, -2.468907239728387e-05, -1.0107964061837592e-06, 7.495419179740573e-07,
  -7.600274268728337e-08, -1.1574771441328644e-08, 3.333386472599843e-09, 7.538039628171347e-11, -1.1104247263727494e-10,
  3.509243776551059e-12, 3.6894953861750955e-12, -2.3376697776383095e-13, -1.3271797523541405e-13, 9.921706995888276e-15,
  5.276004995455379e-15, -3.373097694187922e-16, -2.2804338776379946e-16, 7.496330565808626e-18, 1.0328041877290668e-17,
];

/** (1 + t²) (1 - t mills(t)) */
const LOSS = [
  0.9029785680359262, 0.11494041568377475, 0.020749992365498918, -0.07941147781748947, 0.0639092617375259, -0.032318346195659056,
  0.011781791131588327, -0.0031575898101260983, 0.0005855724458772765, -5.5411397227604056e-05, -4.989571670338939e-06,
  2.461696310474867e-06, -2.0820654089363983e-07, -5.290085081402385e-08, 1.2550467742812308e-08, 7.406534703055086e-10,
  -5.075175025294752e-10, 1.2326260649205453e-12, 1.960543082942769e-11, -6.506660559383978e-13, -7.941257541571956e-13,
  3.3425631303476135e-14, 3.4561106804564794e-14, -1.0284774569517383e-15, -1.5971712633086588e-15, -3.146761167719995e-18,
  7.586296932025553e-17,
];

/** Clenshaw's sum. */
function chebyshev(coefficients: readonly number[], t: number): number {
  const x = 2 * (t - MAP) / (t + MAP);
  let next = 0;
  let afterNext = 0;
  for (let i = coefficients.length - 1; i > 0; i--) {
    const value = (coefficients[i] ?? 0) + x * next - afterNext;
    afterNext = next;
    next = value;
  }
  return (coefficients[0] ?? 0) + 0.5 * x * next - afterNext;
}

/** log of the density at z. */
export const logDensity = (z: number): number => -0.5 * z * z - LOG_SQRT_2PI;

/** Mills' ratio: the upper tail beyond t over the density at t. Relative error about 1e-15. @param t at least 0 */
export const mills = (t: number): number => chebyshev(MILLS, t) / (1 + t);

/** 1 - t mills(t), without its cancellation. @param t at least 0 */
export const lossRatio = (t: number): number => chebyshev(LOSS, t) / (1 + t * t);

/** P(Z <= z). */
export function cumulative(z: number): number {
  const tail = mills(Math.abs(z)) * Math.exp(logDensity(z));
  return z <= 0 ? tail : 1 - tail;
}

const NEWTON_STEPS = 60;

/** The z with P(Z <= z) = p, for p in (0, 1): Newton's steps in the logarithm of the tail, which is concave, so that they converge from 0. */
export function quantile(p: number): number {
  const tail = Math.log(Math.min(p, 1 - p));
  let t = 0;
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const ratio = mills(t);
    const move = (Math.log(ratio) + logDensity(t) - tail) * ratio;
    t = Math.max(0, t + move);
    if (Math.abs(move) <= 1e-15 * (1 + t)) break;
  }
  return p < 0.5 ? -t : t;
}
