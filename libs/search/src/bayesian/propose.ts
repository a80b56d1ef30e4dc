// How the next point is chosen:
//
// 1. The defaults, then scrambled Halton points, until there are enough of them and three have scores.
// 2. A Gaussian process is fitted to what trials have come to, pending trials fantasised; every second suggestion with one lengthscale for
//    all coordinates, every third within a trust region around the best point.
// 3. The point of the largest acquisition that has not been tried. In a small space every point that is left is looked at.
// 4. Nothing but the history and its seed decides: the same history gives the same point. Fits are remembered in memos.
import { haltonPoint } from '../numeric/halton';
import { randomOf } from '../numeric/random';
import type { Sample } from '../study/algorithm';
import type { StudyHistory } from '../study/study-history';
import { randomPoint } from './candidates';
import type { DesignSpace } from './design-space';
import { memoOf } from './fit-memo';
import { initialPoints, type GaussianOptions } from './gaussian-options';
import type { Observation } from './observations';
import { rankPoints } from './rank-points';
import { fitSurrogate } from './surrogate';
import { TriedPoints } from './tried-points';
import { unitBox } from './trust-region';

const SCORED_MIN = 3;
const DRAWS_MAX = 1000;
const DRAWS_STREAM = 2;

/** Fidelities as one coordinate more, see gaussian-sampler.ts. */
export interface FidelityAxis {
  /** Of each observation, in [0, 1]. */
  readonly positions: readonly number[];
  /** The one to be good at. */
  readonly target: number;
}

export interface ProposalRequest {
  readonly history: StudyHistory;
  readonly design: DesignSpace;
  /** One for each trial of the history. */
  readonly observations: readonly Observation[];
  readonly options: GaussianOptions;
  readonly axis: FidelityAxis | undefined;
}

/** New values, or none when the space holds no others. */
export function propose(request: ProposalRequest): Sample {
  const { history: { trials }, design, observations, options } = request;
  const tried = new TriedPoints(design, trials);
  if (tried.count >= design.size) return exhausted(design);
  const scored = observations.filter(({ outcome }) => outcome.kind === 'SCORED').length;
  if (tried.count < initialPoints(options, design.columns) || scored < SCORED_MIN) return explored(request, tried);
  const surrogate = fitSurrogate(request);
  const point = tried.firstUntried(rankPoints(request, surrogate, tried)) ?? drawUntried(request, tried);
  return { kind: 'VALUES', values: design.valuesOf(point), memo: surrogate.newFit === undefined ? {} : memoOf(surrogate.newFit) };
}

/** The same without asking a surrogate: the next point of the initial design. */
export function explore(request: ProposalRequest): Sample {
  const tried = new TriedPoints(request.design, request.history.trials);
  return tried.count >= request.design.size ? exhausted(request.design) : explored(request, tried);
}

const exhausted = (design: DesignSpace): Sample => ({ kind: 'EXHAUSTED', why: `all ${design.size} points of the space have been tried` });

function explored(request: ProposalRequest, tried: TriedPoints): Sample {
  const { history: { seed }, design } = request;
  const point = tried.has(design.defaultPoint)
    ? tried.firstUntried(haltonPoints(design, tried.count, seed)) ?? drawUntried(request, tried)
    : design.defaultPoint;
  return { kind: 'VALUES', values: design.valuesOf(point), memo: {} };
}

function* haltonPoints(design: DesignSpace, from: number, seed: number): Generator<Float64Array> {
  for (let index = from; index < from + DRAWS_MAX; index++) yield design.pointAt(haltonPoint(index, design.columns, seed));
}

/** Some point that has not been tried: a random one, or in a space that is nearly exhausted the first that is left. */
function drawUntried({ history: { seed, trials }, design }: ProposalRequest, tried: TriedPoints): Float64Array {
  const random = randomOf(seed, trials.length, DRAWS_STREAM);
  const box = unitBox(design.columns);
  const drawn = tried.firstUntried(Array.from({ length: DRAWS_MAX }, () => randomPoint(design, box, random)));
  const left = drawn ?? tried.firstUntried(design.everyPoint());
  if (left === undefined) throw new Error(`a space of ${design.size} points, ${tried.count} of them tried, has none that is left`);
  return left;
}
