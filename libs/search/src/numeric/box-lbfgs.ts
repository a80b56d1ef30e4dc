// L-BFGS with a projection onto a box: two-loop recursion over the coordinates that no bound holds (Nocedal and Wright, Numerical
// Optimization, 2006, algorithm 7.4; Bertsekas, "Projected Newton methods", 1982), Armijo's rule along the projected path.

/** Computes the value at `x` and adds to nothing: it overwrites `gradient`. NaN or infinite: not a point to step to. */
export type Differentiable = (x: Float64Array, gradient: Float64Array) => number;

export interface BoxLbfgsSettings {
  readonly iterationsMax: number;
  readonly evaluationsMax: number;
  /** Of the largest component of the projected gradient. */
  readonly gradientTolerance: number;
}

export interface Minimum {
  readonly x: Float64Array;
  /** Infinity when the start itself has no finite value. */
  readonly value: number;
  readonly evaluations: number;
}

const PAIRS_MAX = 8;
const ARMIJO = 1e-4;
const BACKTRACK = 0.4;
/** After a value that is not finite. */
const BACKTRACK_FAR = 0.1;
const BACKTRACKS_MAX = 14;
const FIRST_STEP_MAX = 0.3;
const DECREASE_MIN = 1e-9;
const CURVATURE_MIN = 1e-12;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
}

/** A local minimum of `f` within the box, from `start` projected onto it. Coordinates with low = high stay. */
export function minimizeInBox(f: Differentiable, start: Float64Array, low: Float64Array, high: Float64Array, settings: BoxLbfgsSettings): Minimum {
  const size = start.length;
  let x: Float64Array = start.map((value, i) => Math.min(high[i] ?? 0, Math.max(low[i] ?? 0, value)));
  let gradient: Float64Array = new Float64Array(size);
  let value = f(x, gradient);
  let evaluations = 1;
  if (!Number.isFinite(value)) return { x, value: Infinity, evaluations };
  let pairs: Pair[] = [];
  const free = new Uint8Array(size);
  for (let iteration = 0; iteration < settings.iterationsMax && evaluations < settings.evaluationsMax; iteration++) {
    if (markFree(free, x, gradient, low, high) < settings.gradientTolerance) break;
    let direction = descent(gradient, free, pairs);
    if (!(freeDot(free, gradient, direction) > 0)) {
      pairs = [];
      direction = descent(gradient, free, pairs);
    }
    const next = search(f, x, value, gradient, direction, low, high, settings.evaluationsMax - evaluations);
    evaluations += next.evaluations;
    if (next.kind === 'STUCK') {
      if (pairs.length === 0) break;
      pairs = [];
      continue;
    }
    remember(pairs, x, next.x, gradient, next.gradient);
    const decrease = value - next.value;
    ({ x, gradient, value } = next);
    if (decrease < DECREASE_MIN * (1 + Math.abs(value))) break;
  }
  return { x, value, evaluations };
}

/** Marks coordinates that may move, and returns the largest component of the gradient among them. */
function markFree(free: Uint8Array, x: Float64Array, gradient: Float64Array, low: Float64Array, high: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const slope = gradient[i] ?? 0;
    const held = ((x[i] ?? 0) <= (low[i] ?? 0) && slope > 0) || ((x[i] ?? 0) >= (high[i] ?? 0) && slope < 0) || low[i] === high[i];
    free[i] = held ? 0 : 1;
    if (!held) largest = Math.max(largest, Math.abs(slope));
  }
  return largest;
}

function freeDot(free: Uint8Array, a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (free[i] === 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** q += factor * v on the free coordinates. */
function addScaled(free: Uint8Array, q: Float64Array, factor: number, v: Float64Array): void {
  for (let i = 0; i < q.length; i++) if (free[i] === 1) q[i] = (q[i] ?? 0) + factor * (v[i] ?? 0);
}

/** The approximate Newton step, to be subtracted; along the gradient, bounded, while there are no pairs. */
function descent(gradient: Float64Array, free: Uint8Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.map((slope, i) => (free[i] === 1 ? slope : 0));
  const used = pairs.map((pair) => ({ ...pair, curvature: freeDot(free, pair.step, pair.change), weight: 0 })).filter(({ curvature }) => curvature > CURVATURE_MIN);
  for (const pair of used.toReversed()) {
    pair.weight = freeDot(free, pair.step, q) / pair.curvature;
    addScaled(free, q, -pair.weight, pair.change);
  }
  const last = used.at(-1);
  const scale = last === undefined
    ? Math.min(1, FIRST_STEP_MAX / Math.sqrt(freeDot(free, q, q)))
    : last.curvature / freeDot(free, last.change, last.change);
  for (let i = 0; i < q.length; i++) q[i] = (q[i] ?? 0) * scale;
  for (const { step, change, curvature, weight } of used) addScaled(free, q, weight - freeDot(free, change, q) / curvature, step);
  return q;
}

type Step =
  | { readonly kind: 'MOVED'; readonly x: Float64Array; readonly gradient: Float64Array; readonly value: number; readonly evaluations: number }
  | { readonly kind: 'STUCK'; readonly evaluations: number };

function search(
  f: Differentiable, x: Float64Array, value: number, gradient: Float64Array, direction: Float64Array, low: Float64Array, high: Float64Array, evaluationsMax: number,
): Step {
  const candidate = new Float64Array(x.length);
  const slopes = new Float64Array(x.length);
  let length = 1;
  let evaluations = 0;
  while (evaluations < Math.min(BACKTRACKS_MAX, evaluationsMax)) {
    let expected = 0;
    for (let i = 0; i < x.length; i++) {
      const moved = Math.min(high[i] ?? 0, Math.max(low[i] ?? 0, (x[i] ?? 0) - length * (direction[i] ?? 0)));
      candidate[i] = moved;
      expected += (gradient[i] ?? 0) * (moved - (x[i] ?? 0));
    }
    const reached = f(candidate, slopes);
    evaluations += 1;
    if (Number.isFinite(reached) && reached <= value + ARMIJO * expected) return { kind: 'MOVED', x: candidate, gradient: slopes, value: reached, evaluations };
    length *= Number.isFinite(reached) ? BACKTRACK : BACKTRACK_FAR;
  }
  return { kind: 'STUCK', evaluations };
}

function remember(pairs: Pair[], from: Float64Array, to: Float64Array, slopesFrom: Float64Array, slopesTo: Float64Array): void {
  const step = to.map((v, i) => v - (from[i] ?? 0));
  const change = slopesTo.map((v, i) => v - (slopesFrom[i] ?? 0));
  let curvature = 0;
  for (let i = 0; i < step.length; i++) curvature += (step[i] ?? 0) * (change[i] ?? 0);
  if (!(curvature > CURVATURE_MIN)) return;
  pairs.push({ step, change });
  if (pairs.length > PAIRS_MAX) pairs.shift();
}
