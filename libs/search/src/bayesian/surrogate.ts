import { fit, type LengthscaleModel } from '../gaussian/fit';
import { logNoise, parameterBox, type LogParameters } from '../gaussian/hyperparameters';
import { warpScores } from '../gaussian/output-warp';
import { pointsOf, type CoordinateKind } from '../gaussian/points';
import { emptyPrediction, Posterior } from '../gaussian/posterior';
import { lastFit, rounded, type StoredFit } from './fit-memo';
import { evidenceOf, type Evidence } from './observations';
import type { ProposalRequest } from './propose';
import { representative } from './subset';

/** Many-minima functions are better served by one lengthscale for all coordinates, others by one for each: the two take turns. */
const ISOTROPIC_EVERY = 2;
const FIT_POINTS_MAX = 200;
const POSTERIOR_POINTS_MAX = 400;
/** Pending points beyond are not told to the surrogate: the most recent ones are. */
const PENDING_MAX = 200;
/** Until there is so much evidence, every suggestion fits again. */
const REFIT_ALWAYS_BELOW = 200;
const REFIT_OFTEN_BELOW = 500;
const REFIT_OFTEN = 5;
const REFIT_SELDOM = 20;
/**
 * So many pending points are believed to come out at the posterior mean. More of them would make a valley there, into which
 * suggestions crowd; a standard deviation above it keeps them apart.
 */
const BELIEVED_MAX = 16;
/** With less noise (as a variance), the best score is the best there is; with more, the best posterior mean is. */
const QUIET = 1e-3;

/** One process for each objective. */
export interface Surrogate {
  /** What trials have come to. With a fidelity axis, points end with their fidelity. */
  readonly evidence: Evidence;
  readonly posteriors: readonly Posterior[];
  readonly parameters: readonly LogParameters[];
  /** Warped, for each objective, of each point of the evidence. */
  readonly scores: readonly Float64Array[];
  /** The least that the first objective is known to reach, at the target fidelity. */
  readonly incumbent: number;
  /** Indices of scored points of the evidence by what is known of the first objective there, the best first. Not all when the evidence is long. */
  readonly leaders: readonly number[];
  /** How many points each posterior is made of. */
  readonly points: number;
  /** What to remember; undefined when the fit is one that is remembered. */
  readonly newFit: StoredFit | undefined;
}

/** What `fitSurrogate` makes of a request. */
interface Material {
  readonly evidence: Evidence;
  readonly pending: readonly Float64Array[];
  readonly kinds: readonly CoordinateKind[];
  /** The last coordinate of what is to be good, when it is a fidelity. */
  readonly target: number | undefined;
}

/** Fits, or takes the last fit while it is fresh, and conditions on a bounded part of the evidence and on pending points. */
export function fitSurrogate(request: ProposalRequest): Surrogate {
  const { history: { trials }, options, axis } = request;
  const material = materialOf(request);
  const { evidence, kinds } = material;
  const scores = evidence.scores.map(warpScores);
  // One lengthscale cannot serve fidelities, which are another kind of coordinate.
  const model: LengthscaleModel = axis === undefined && trials.length % ISOTROPIC_EVERY === 0 ? 'ISOTROPIC' : 'ARD';
  const known = lastFit(trials, model, scores.length, kinds.length + 2);
  const since = evidence.points.length - (known?.evidence ?? 0);
  const fresh = known !== undefined && since >= 0 && since < refitEvery(evidence.points.length);
  const used = fresh ? known : refit(material, model, options.alpha, scores, known);
  const made = scores.map((warped, objective) => condition(material, warped, used.parameters[objective] ?? new Float64Array()));
  const [first] = made;
  return {
    evidence, scores, posteriors: made.map(({ posterior }) => posterior), parameters: used.parameters,
    incumbent: first?.incumbent ?? 0, leaders: first?.leaders ?? [], points: first?.points ?? 0, newFit: fresh ? undefined : used,
  };
}

function materialOf({ history: { objectives }, design, observations, axis }: ProposalRequest): Material {
  const placed = axis === undefined ? observations
    : observations.map((observation, i) => ({ ...observation, point: Float64Array.of(...observation.point, axis.positions[i] ?? axis.target) }));
  return {
    evidence: evidenceOf(placed, objectives.length),
    pending: placed.filter(({ outcome }) => outcome.kind === 'PENDING').map(({ point }) => point).slice(-PENDING_MAX),
    kinds: axis === undefined ? design.kinds : [...design.kinds, 'NUMERIC'],
    target: axis?.target,
  };
}

function refitEvery(evidence: number): number {
  if (evidence < REFIT_ALWAYS_BELOW) return 1;
  return evidence < REFIT_OFTEN_BELOW ? REFIT_OFTEN : REFIT_SELDOM;
}

function refit(
  { evidence, kinds }: Material, model: LengthscaleModel, noiseMin: number | undefined, scores: readonly Float64Array[], warm: StoredFit | undefined,
): StoredFit {
  const box = parameterBox(kinds.length, noiseMin);
  return {
    model, evidence: evidence.points.length,
    parameters: scores.map((warped, objective) => {
      const chosen = representative(evidence.points, warped, kinds, FIT_POINTS_MAX);
      return rounded(fit({
        points: pointsOf(chosen.flatMap((index) => evidence.points[index] ?? []), kinds.length), kinds,
        scores: Float64Array.from(chosen, (index) => warped[index] ?? 0), model, box, warmStart: warm?.parameters[objective], share: 1 / scores.length,
      }));
    }),
  };
}

interface Conditioned {
  readonly posterior: Posterior;
  readonly incumbent: number;
  readonly leaders: readonly number[];
  readonly points: number;
}

/** The posterior of one objective, and where it is known to be least. */
function condition({ evidence, pending, kinds, target }: Material, warped: Float64Array, parameters: LogParameters): Conditioned {
  const chosen = representative(evidence.points, warped, kinds, POSTERIOR_POINTS_MAX - pending.length);
  const points = chosen.flatMap((index) => evidence.points[index] ?? []);
  const posterior = new Posterior(pointsOf(points, kinds.length), kinds, Float64Array.from(chosen, (index) => warped[index] ?? 0), parameters, pending.length);
  const known = Float64Array.from(chosen, (index) => warped[index] ?? 0);
  const judged = target === undefined ? points : points.map((point) => point.map((x, d) => (d === point.length - 1 ? target : x)));
  if (target !== undefined || Math.exp(logNoise(parameters)) >= QUIET) posterior.predictMany(judged, (index, mean) => { known[index] = mean; });
  const ranked = Array.from(known.keys()).filter((i) => evidence.scored[chosen[i] ?? 0] === true).sort((a, b) => (known[a] ?? 0) - (known[b] ?? 0) || a - b);
  const fantasies = fantasize(posterior, pending, kinds.length);
  posterior.append(pending, fantasies);
  const incumbent = known[ranked[0] ?? 0] ?? 0;
  return {
    posterior, points: points.length + pending.length, leaders: ranked.map((i) => chosen[i] ?? 0),
    incumbent: target === undefined ? fantasies.reduce((least, score) => Math.min(least, score), incumbent) : incumbent,
  };
}

function fantasize(posterior: Posterior, pending: readonly Float64Array[], columns: number): readonly number[] {
  const prediction = emptyPrediction(columns);
  return pending.map((point) => {
    posterior.predict(point, prediction);
    return pending.length <= BELIEVED_MAX ? prediction.mean : prediction.mean + Math.sqrt(prediction.variance);
  });
}
