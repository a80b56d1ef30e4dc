/** What a new study begins with: trials of others. */
import type { StudySpec } from '@lockstep/contract';
import { valuesKey, type ForeignTrial, type Objective, type TrackedTrial, type Violation } from '@lockstep/search';
import type { Tuner } from '../study/tuner';
import type { StoredStudy } from '../store/study-store';

/** Trials that a study begins with, and those of the same studies that it does not. */
export interface WarmStart {
  readonly trials: readonly ForeignTrial[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

/** Trials of other studies that a new one begins with, at most. */
const MAX_WARM_START_TRIALS = 10_000;

/**
 * Succeeded trials of studies that have the same objectives, the best first. What does not fit the new space is left out when they are taken up.
 *
 * @param violations get what is wrong with a source; then nothing is to be made of what comes back
 * @throws TunerError NO_SUCH_STUDY
 */
export async function readWarmStart(tuner: Pick<Tuner, 'get' | 'store'>, sources: readonly string[], objectives: readonly Objective[], violations: Violation[]): Promise<WarmStart> {
  const trials: ForeignTrial[] = [];
  const skipped: string[] = [];
  for (const [i, name] of sources.entries()) {
    const source = await tuner.get(name);
    const order = orderOf(source.study.objectives, objectives);
    if (!order) {
      violations.push({ field: `spec.warm_start_from[${i}]`, description: `${name} optimises ${shown(source.study.objectives)}, this study ${shown(objectives)}: scores of other objectives say nothing here` });
      continue;
    }
    const best = await tuner.store.bestTrials(name, MAX_WARM_START_TRIALS - trials.length);
    const seen = new Set<string>();
    for (const { trial } of best) {
      const at = `${name}/trials/${trial.number}`;
      const why = unfit(source, trial, seen);
      if (why !== undefined) skipped.push(`${at}: ${why}`);
      else if (trial.state.kind === 'SUCCEEDED') trials.push({ values: trial.values, scores: inOrder(trial.state.scores, order), source: at });
    }
  }
  return { trials, skipped };
}

/** Why a trial is not a whole one with values of its own. @param seen the values of whole rungs so far */
function unfit({ spec }: Pick<StoredStudy, 'spec'>, { fidelity, values }: TrackedTrial, seen: Set<string>): string | undefined {
  const whole = epochsOfAWholeTrial(spec);
  if (fidelity.kind === 'WHOLE' || whole === undefined) return undefined;
  if (fidelity.epochs < whole) return `it was trained for ${fidelity.epochs} of ${whole} epochs, which is no whole trial`;
  const key = valuesKey(values);
  if (seen.has(key)) return 'a better one has the same values';
  seen.add(key);
  return undefined;
}

/** Undefined where each trial is as much training as the model's own fit asks for. */
function epochsOfAWholeTrial({ algorithm }: StudySpec): number | undefined {
  switch (algorithm.case) {
    case 'hyperband':
    case 'asha': return algorithm.value.maxEpochs;
    case 'randomSearch':
    case 'gridSearch':
    case 'bayesianOptimization':
    case undefined: return undefined;
  }
}

/** Where each of our objectives stands among theirs; undefined when they are not the same. */
function orderOf(theirs: readonly Objective[], ours: readonly Objective[]): readonly number[] | undefined {
  const order = ours.map(({ metric, direction }) => theirs.findIndex((their) => their.metric === metric && their.direction === direction));
  return theirs.length === ours.length && !order.includes(-1) ? order : undefined;
}

const inOrder = (scores: readonly number[], order: readonly number[]): readonly number[] => order.map((at) => scores[at] ?? NaN);

const shown = (objectives: readonly Objective[]): string => objectives.map(({ metric, direction }) => `${metric} (${direction})`).join(' and ');
