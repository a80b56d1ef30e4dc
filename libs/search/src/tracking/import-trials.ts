/** Trials that were evaluated elsewhere, as history to learn from. */
import { checkValues } from '../space/check-values';
import { completeValues, type SearchSpace } from '../space/search-space';
import { valuesKey, type Values } from '../space/value';
import type { Violation } from '../search-error';
import { WHOLE } from '../study/trial-record';
import { knownSpace } from './direct';
import { grownSpace } from './grown-space';
import { newTrial, type TrackedTrial } from './tracked-trial';
import { trialName, type Move, type StudyChange, type TrackedStudy } from './tracked-study';

/** A trial that was evaluated elsewhere, as much as a trial of this study trains. */
export interface ForeignTrial {
  readonly values: Values;
  /** One for each objective of the study, in its order and direction. */
  readonly scores: readonly number[];
  /** Where it comes from, for messages. */
  readonly source: string;
}

/** What others have tried. */
export interface ForeignHistory {
  readonly trials: readonly ForeignTrial[];
  /** What the study is to know of the space as well. */
  readonly parameters: SearchSpace;
  /** Where the parameters stand in what was asked for, for faults. */
  readonly field: string;
}

/** What became of foreign trials. */
export interface Imported {
  readonly numbers: readonly number[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

/**
 * Takes up foreign trials. What does not fit the space, has no finite scores, or was taken up before with the same values and scores is left out.
 *
 * @param before trials of the study that were imported earlier; others are ignored
 * @throws TrackingError SPACE_UNKNOWN; SearchError INVALID_SPACE
 */
export function importTrials(study: TrackedStudy, { trials, parameters, field }: ForeignHistory, before: readonly TrackedTrial[]): Move<Imported> {
  const grown = withParameters(study, parameters, field);
  const space = knownSpace(grown);
  const known = new Map<string, number>();
  for (const { number, origin, state, values } of before) {
    if (origin === 'IMPORTED' && state.kind === 'SUCCEEDED') known.set(keyOf(space, values, state.scores), number);
  }
  let number = grown.nextNumber;
  const taken: TrackedTrial[] = [];
  const skipped: string[] = [];
  for (const { values, scores, source } of trials) {
    const faults = [...checkValues(space, values), ...scoreFaults(scores, grown.objectives.length)];
    if (faults.length > 0) {
      skipped.push(`${source}: ${faults.map((fault) => `${fault.field}: ${fault.description}`).join('; ')}`);
      continue;
    }
    const key = keyOf(space, values, scores);
    const twin = known.get(key);
    if (twin !== undefined) {
      skipped.push(`${source}: ${trialName(study, twin)} was imported with the same values and scores`);
      continue;
    }
    known.set(key, number);
    taken.push({ ...newTrial(number++, 'IMPORTED', completeValues(space, values), WHOLE, {}), state: { kind: 'SUCCEEDED', scores } });
  }
  const result: Imported = { numbers: taken.map((trial) => trial.number), skipped };
  if (taken.length === 0 && grown === study) return { study, changes: [], result };
  const next: TrackedStudy = { ...grown, nextNumber: number, imported: grown.imported + taken.length, ended: { ...grown.ended, succeeded: grown.ended.succeeded + taken.length } };
  return { study: next, changes: [...taken.map((trial): StudyChange => ({ kind: 'TRIAL', trial })), { kind: 'STUDY', told: true }], result };
}

function withParameters(study: TrackedStudy, parameters: SearchSpace, field: string): TrackedStudy {
  const known = study.space.kind === 'KNOWN' ? study.space.space : [];
  const space = grownSpace(known, parameters, field);
  return space === known ? study : { ...study, space: { kind: 'KNOWN', space } };
}

/** The same for trials that are equal in the space as it is now: it may have grown since one of them was taken up. */
const keyOf = (space: SearchSpace, values: Values, scores: readonly number[]): string => `${valuesKey(completeValues(space, values))} ${JSON.stringify(scores)}`;

function scoreFaults(scores: readonly number[], objectives: number): readonly Violation[] {
  if (scores.length !== objectives) return [{ field: 'scores', description: `${scores.length} scores for ${objectives} objectives` }];
  const odd = scores.find((score) => !Number.isFinite(score));
  return odd === undefined ? [] : [{ field: 'scores', description: `${odd} is not finite` }];
}
