import { ranked } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { DesignSpace } from './design-space';
import { observe } from './observations';
import { fitSurrogate } from './surrogate';

/** Fewer scores say nothing about noise. */
const SCORED_MIN = 5;

/**
 * The trial to go with, of a study with one objective whose trials are all whole: the one of the best score, or, where the scores are noisy, the one of the
 * best posterior mean, so that a lucky score does not win.
 * @returns undefined when no trial has succeeded
 */
export function recommendTrial(history: StudyHistory): TrialRecord | undefined {
  const design = DesignSpace.of(history.space);
  const observations = observe(history, design);
  const ended = observations.filter(({ outcome }) => outcome.kind === 'SCORED' || outcome.kind === 'BARRED');
  const scored = ended.filter(({ outcome }) => outcome.kind === 'SCORED');
  if (scored.length < SCORED_MIN || design.columns === 0) return ranked(history.trials, history.objectives)[0];
  const { leaders } = fitSurrogate({ history, design, observations, options: {}, axis: undefined });
  return ended[leaders[0] ?? 0]?.trial;
}
