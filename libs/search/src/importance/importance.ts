/**
 * Which parameters matter: functional ANOVA of a random forest (F. Hutter et al., ICML 2014). A parameter's share is the part of the
 * variance of the score, over the whole space, that it explains alone; what is left belongs to interactions.
 *
 * Parameters are the unit interval, by their probability, so that a logarithmic range is judged in its logarithm. An inactive parameter
 * lies in the middle, where it takes two splits to tell it from active ones: at an end, one split would stand for the parent's.
 * Trials of different lengths do not compare: those of the commonest number of epochs are used.
 */
import { Mt19937 } from '../random/mt19937';
import type { Parameter } from '../space/parameter';
import { probabilityOf, valueCount } from '../space/probability';
import { valueFault } from '../space/check-values';
import { isActive } from '../space/search-space';
import { standingOf } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { varianceShares } from './marginal-variance';
import { growTree, sortedRows } from './regression-tree';

const TREES = 64;
/** Fewer trials tell nothing. */
const MIN_TRIALS = 4;
/** More are thinned out evenly: the answer hardly changes, its cost does. */
const MAX_TRIALS = 1_000;

const MIDDLE = 0.5;

export interface ParameterShare {
  readonly parameter: Parameter;
  /** In [0, 1]. */
  readonly share: number;
}

export type Importance =
  /** All parameters of the space, the most important first; shares add up to at most 1. */
  | { readonly kind: 'KNOWN'; readonly shares: readonly ParameterShare[]; readonly trialCount: number }
  | { readonly kind: 'UNKNOWN'; readonly why: string };

/** The importance of the parameters for the objective, for several objectives for KerasTuner's sum of them. Deterministic in the history. */
export function parameterImportance(history: StudyHistory): Importance {
  const { space, objectives, seed } = history;
  const trials = thinned(commonest(history.trials.filter(({ state }) => state.kind === 'SUCCEEDED')));
  if (trials.length < MIN_TRIALS) return { kind: 'UNKNOWN', why: `${trials.length} trials of one length have succeeded; it takes ${MIN_TRIALS}` };
  const columns = space.map((parameter) => Float64Array.from(trials, (trial) => coordinate(parameter, trial)));
  const targets = Float64Array.from(trials, (trial) => standingOf(trial, objectives));
  const orders = sortedRows(columns);
  const random = new Mt19937(seed);
  const sums = space.map(() => 0);
  let treeCount = 0;
  for (let tree = 0; tree < TREES; tree++) {
    const counts = new Uint32Array(trials.length);
    for (const row of drawnRows(random, trials.length)) counts[row] = (counts[row] ?? 0) + 1;
    const shares = varianceShares(growTree(columns, targets, orders, counts), space.length);
    shares?.forEach((share, i) => { sums[i] = (sums[i] ?? 0) + share; });
    if (shares) treeCount++;
  }
  if (treeCount === 0) return { kind: 'UNKNOWN', why: `all ${trials.length} trials have the same score, or the same values` };
  const shares = space.map((parameter, i) => ({ parameter, share: (sums[i] ?? 0) / treeCount }));
  return { kind: 'KNOWN', shares: shares.sort((a, b) => b.share - a.share), trialCount: trials.length };
}

/** As many rows as there are, each any of them: the bootstrap of a tree. */
const drawnRows = (random: Mt19937, count: number): readonly number[] => Array.from({ length: count }, () => Math.floor(random.random() * count));

function coordinate(parameter: Parameter, { values }: TrialRecord): number {
  const value = isActive(parameter, values) ? values.get(parameter.name) : undefined;
  // Imported trials may have values that the space does not.
  if (value === undefined || valueCount(parameter) === 1 || valueFault(parameter, value) !== undefined) return MIDDLE;
  return Math.min(1, Math.max(0, probabilityOf(parameter, value)));
}

const lengthOf = ({ fidelity }: TrialRecord): number => (fidelity.kind === 'RUNG' ? fidelity.epochs : Infinity);

function commonest(trials: readonly TrialRecord[]): readonly TrialRecord[] {
  const byLength = new Map<number, TrialRecord[]>();
  for (const trial of trials) {
    const group = byLength.get(lengthOf(trial));
    if (group) group.push(trial);
    else byLength.set(lengthOf(trial), [trial]);
  }
  return [...byLength].sort(([a, one], [b, other]) => other.length - one.length || b - a)[0]?.[1] ?? [];
}

const thinned = (trials: readonly TrialRecord[]): readonly TrialRecord[] =>
  (trials.length <= MAX_TRIALS ? trials : Array.from({ length: MAX_TRIALS }, (_, i) => trials[Math.floor(i * trials.length / MAX_TRIALS)]).flatMap((trial) => trial ?? []));
