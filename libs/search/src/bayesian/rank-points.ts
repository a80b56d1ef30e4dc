import type { Box } from '../gaussian/hyperparameters';
import { randomOf } from '../numeric/random';
import { Acquisition } from './acquisition';
import { perturbations, randomNeighbour, randomPoint } from './candidates';
import { confidenceBound, logExpectedImprovement, type Criterion } from './criterion';
import { logHypervolumeImprovement, nonDominated } from './hypervolume';
import { maximize } from './maximize';
import type { ProposalRequest } from './propose';
import type { Surrogate } from './surrogate';
import type { TriedPoints } from './tried-points';
import { initialPoints } from './gaussian-options';
import { regionAround, sideAfter, unitBox } from './trust-region';

const REGION_EVERY = 3;
/** In a space of no more points, all that are left are candidates. */
const ENUMERATED_MAX = 2000;
const CANDIDATES = 512;
const CANDIDATES_MIN = 128;
/** With more points in the posterior than this, fewer candidates are looked at. */
const CANDIDATES_FULL_BELOW = 250;
/** How many of the best points have candidates around them. */
const CENTRES = 5;
const CANDIDATES_STREAM = 1;

/** Points of large acquisition, the best first. */
export function rankPoints(request: ProposalRequest, surrogate: Surrogate, tried: TriedPoints): readonly Float64Array[] {
  const { history: { seed, trials }, design, axis } = request;
  const acquisition = new Acquisition(surrogate.posteriors, criterionOf(request, surrogate), design.columns, axis === undefined ? [] : [axis.target]);
  if (design.size <= ENUMERATED_MAX) {
    const left = [...design.everyPoint()].filter((point) => !tried.has(point));
    const values = acquisition.values(left);
    return Array.from(left.keys()).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0)).flatMap((i) => left[i] ?? []);
  }
  const random = randomOf(seed, trials.length, CANDIDATES_STREAM);
  const leaders = leadersOf(surrogate).map((index) => surrogate.evidence.points[index]?.subarray(0, design.columns) ?? design.defaultPoint);
  const region = regionOf(request, surrogate, leaders[0]);
  const box = region ?? unitBox(design.columns);
  const count = Math.max(CANDIDATES_MIN, Math.floor(CANDIDATES * Math.min(1, CANDIDATES_FULL_BELOW / surrogate.points) / surrogate.posteriors.length));
  const centre = region === undefined ? undefined : leaders[0];
  const draw = () => (centre !== undefined && random.uniform() < 0.5 ? randomNeighbour(design, box, centre, random) : randomPoint(design, box, random));
  const candidates = [...Array.from({ length: count }, draw), ...perturbations(design, box, leaders.slice(0, CENTRES), random)];
  return maximize(design, acquisition, candidates, box, surrogate.posteriors[0]?.weights ?? new Float64Array(), random);
}

function criterionOf({ options: { beta } }: ProposalRequest, surrogate: Surrogate): Criterion {
  if (surrogate.scores.length > 1) return logHypervolumeImprovement(scoresOfPoints(surrogate).map(({ scores }) => scores));
  return beta === undefined ? logExpectedImprovement(surrogate.incumbent) : confidenceBound(beta);
}

/** Of the points that have scores of their own, for each its index and its warped scores. */
const scoresOfPoints = ({ evidence: { scored }, scores }: Surrogate): readonly { readonly index: number; readonly scores: readonly number[] }[] =>
  scored.flatMap((has, index) => (has ? [{ index, scores: scores.map((warped) => warped[index] ?? 0) }] : []));

/** Points to look around, as indices: the best first, or with several objectives the front, the latest first. */
function leadersOf(surrogate: Surrogate): readonly number[] {
  if (surrogate.scores.length === 1) return surrogate.leaders;
  const points = scoresOfPoints(surrogate);
  const front = new Set(nonDominated(points.map(({ scores }) => scores)));
  return points.filter(({ scores }) => front.has(scores)).map(({ index }) => index).toReversed();
}

/** The trust region, when it is its turn: for one objective, at one fidelity. */
function regionOf(request: ProposalRequest, { evidence, parameters: [first] }: Surrogate, centre: Float64Array | undefined): Box | undefined {
  const { history: { trials, objectives }, design, options, axis } = request;
  if (first === undefined || centre === undefined || objectives.length > 1 || axis !== undefined || trials.length % REGION_EVERY !== 0) return undefined;
  return regionAround(centre, sideAfter(evidence.scores[0] ?? [], initialPoints(options, design.columns), design.columns), first, design.kinds);
}
