import type { Box } from '../gaussian/hyperparameters';
import { randomOf } from '../numeric/random';
import { Acquisition } from './acquisition';
import { perturbations, randomNeighbour, randomPoint } from './candidates';
import { confidenceBound, logExpectedImprovement, type Criterion } from './criterion';
import { logHypervolumeImprovement } from './hypervolume';
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
  const leaders = surrogate.leaders.map((index) => surrogate.evidence.points[index]?.subarray(0, design.columns) ?? design.defaultPoint);
  const region = regionOf(request, surrogate, leaders[0]);
  const box = region ?? unitBox(design.columns);
  const count = Math.max(CANDIDATES_MIN, Math.floor(CANDIDATES * Math.min(1, CANDIDATES_FULL_BELOW / surrogate.points) / surrogate.posteriors.length));
  const draw = () => (region !== undefined && leaders[0] !== undefined && random.uniform() < 0.5 ? randomNeighbour(design, box, leaders[0], random) : randomPoint(design, box, random));
  const candidates = [...Array.from({ length: count }, draw), ...perturbations(design, box, leaders.slice(0, CENTRES), random)];
  return maximize(design, acquisition, candidates, box, surrogate.posteriors[0]?.weights ?? new Float64Array(), random);
}

function criterionOf({ options: { beta } }: ProposalRequest, { evidence, scores, incumbent }: Surrogate): Criterion {
  if (scores.length > 1) {
    const scored = Array.from(evidence.scored.keys()).filter((i) => evidence.scored[i] === true);
    return logHypervolumeImprovement(scored.map((i) => scores.map((warped) => warped[i] ?? 0)));
  }
  return beta === undefined ? logExpectedImprovement(incumbent) : confidenceBound(beta);
}

/** The trust region, when it is its turn: for one objective, at one fidelity. */
function regionOf({ history: { trials, objectives }, design, options, axis }: ProposalRequest, { evidence, parameters }: Surrogate, centre: Float64Array | undefined): Box | undefined {
  const [first] = parameters;
  if (first === undefined || centre === undefined || objectives.length > 1 || axis !== undefined || trials.length % REGION_EVERY !== 0) return undefined;
  return regionAround(centre, sideAfter(evidence.scores[0] ?? [], initialPoints(options, design.columns), design.columns), first, design.kinds);
}
