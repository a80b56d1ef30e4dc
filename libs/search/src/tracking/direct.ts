/** What whoever owns a study does with it, beside asking and telling. */
import { mergeSpace } from '../space/merge-space';
import { checkSpace } from '../space/check-space';
import { checkValues } from '../space/check-values';
import { completeValues, type SearchSpace } from '../space/search-space';
import type { Values } from '../space/value';
import { refuseViolations, type Violation } from '../search-error';
import type { StudyLimits } from '../study/limits';
import { WHOLE } from '../study/trial-record';
import { ended } from './complete';
import { settled } from './settle';
import { TrackingError } from './tracking-error';
import { newTrial, type TrackedTrial } from './tracked-trial';
import type { KnownSpace, Move, StudyChange, TrackedStudy } from './tracked-study';

/** Values that may wait to be tried. */
export const MAX_ENQUEUED = 10_000;

/** @throws TrackingError SPACE_UNKNOWN */
function knownSpace({ name, space }: TrackedStudy): SearchSpace {
  if (space.kind === 'KNOWN') return space.space;
  throw new TrackingError('SPACE_UNKNOWN', `the space of ${name} is told by the run of its first trial, which has not ended yet: try again then`);
}

/**
 * Has values tried before what the algorithm suggests.
 *
 * @throws SearchError INVALID_VALUES; TrackingError SPACE_UNKNOWN, STUDY_OVER, TOO_MANY_ENQUEUED
 */
export function enqueueValues(study: TrackedStudy, values: Values): Move<number> {
  refuseViolations('INVALID_VALUES', checkValues(knownSpace(study), values));
  if (study.state.kind !== 'ACTIVE') throw new TrackingError('STUDY_OVER', `${study.name} is ${study.state.kind} and tries nothing more: extend it first`);
  if (study.enqueued.length >= MAX_ENQUEUED) throw new TrackingError('TOO_MANY_ENQUEUED', `${MAX_ENQUEUED} trials of ${study.name} wait already: enqueue more when some of them have begun`);
  const enqueued = [...study.enqueued, values];
  return { study: { ...study, enqueued }, changes: [{ kind: 'ENQUEUED', values }, { kind: 'STUDY', told: false }], result: enqueued.length };
}

/** Ends a study: nothing more is suggested, and what runs is cancelled. */
export function stopStudy(study: TrackedStudy, nowMs: number): Move<void> {
  switch (study.state.kind) {
    case 'STOPPED':
    case 'COMPLETED': return { study, changes: [], result: undefined };
    case 'ACTIVE':
    case 'FAILED': {
      let stopped: TrackedStudy = { ...study, state: { kind: 'STOPPED' }, enqueued: [] };
      const changes: StudyChange[] = [];
      for (const trial of study.pending.values()) {
        const move = ended(stopped, trial, { kind: 'CANCELLED' }, undefined, nowMs);
        stopped = { ...move.study, state: { kind: 'STOPPED' } };
        changes.push({ kind: 'TRIAL', trial: move.result });
      }
      return { study: stopped, changes: [...changes, { kind: 'STUDY', told: true }], result: undefined };
    }
  }
}

/** What a study gets more of. What is absent stays as it is. */
export interface Extension {
  /** None smaller than it was. */
  readonly limits: Pick<StudyLimits, 'maxTrials' | 'maxEpochs' | 'maxDurationMs'>;
  readonly parameters: SearchSpace;
  /** Whether its algorithm has more to do than before. */
  readonly algorithmGrew: boolean;
}

/**
 * Gives a study more to do. One that has ended goes on, and forgets how many trials failed in a row.
 *
 * @throws TrackingError SHRINKS; SearchError INVALID_SPACE
 */
export function extendStudy(study: TrackedStudy, { limits, parameters, algorithmGrew }: Extension, nowMs: number): Move<void> {
  const before = study.rules.limits;
  const grown = (['maxTrials', 'maxEpochs', 'maxDurationMs'] as const).filter((limit) => {
    const [was, is] = [before[limit], limits[limit]];
    if (was !== undefined && is !== undefined && is < was) throw new TrackingError('SHRINKS', `${limit} of ${study.name} is ${was} and cannot become ${is}: to end it sooner, stop it`);
    return is !== undefined && is !== was;
  });
  const space = grownSpace(study, parameters);
  const goesOn = study.state.kind === 'STOPPED' || study.state.kind === 'FAILED';
  if (grown.length === 0 && space === study.space && !algorithmGrew && !goesOn) return { study, changes: [], result: undefined };
  const next: TrackedStudy = { ...study, space, state: { kind: 'ACTIVE' }, consecutiveFailed: 0, rules: { ...study.rules, limits: { ...before, ...limits } } };
  return settled(next, [{ kind: 'STUDY', told: true }], undefined, nowMs);
}

/** The study's space with further parameters; the same object when it has them. @throws SearchError INVALID_SPACE */
function grownSpace(study: TrackedStudy, parameters: SearchSpace): KnownSpace {
  const known = study.space.kind === 'KNOWN' ? study.space.space : [];
  const merge = mergeSpace(known, parameters);
  if (merge.kind === 'REFUSED') refuseViolations('INVALID_SPACE', merge.violations);
  if (merge.kind === 'REFUSED' || merge.added.length === 0) return study.space;
  refuseViolations('INVALID_SPACE', checkSpace(merge.space));
  return { kind: 'KNOWN', space: merge.space };
}

/** Has a study know further parameters. @throws SearchError INVALID_SPACE */
export function growSpace(study: TrackedStudy, parameters: SearchSpace): Move<void> {
  const space = grownSpace(study, parameters);
  return space === study.space ? { study, changes: [], result: undefined } : { study: { ...study, space }, changes: [{ kind: 'STUDY', told: true }], result: undefined };
}

/** A trial that was evaluated elsewhere. */
export interface ForeignTrial {
  readonly values: Values;
  readonly scores: readonly number[];
  /** Where it comes from, for messages. */
  readonly source: string;
}

/** What became of foreign trials. */
export interface Imported {
  readonly numbers: readonly number[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

/**
 * Takes up foreign trials as history. What does not fit the space, or has no finite scores, is left out.
 *
 * @param found parameters that the study is to know as well
 * @throws TrackingError SPACE_UNKNOWN; SearchError INVALID_SPACE
 */
export function importTrials(before: TrackedStudy, trials: readonly ForeignTrial[], found: SearchSpace): Move<Imported> {
  const study: TrackedStudy = { ...before, space: grownSpace(before, found) };
  const space = knownSpace(study);
  let number = study.nextNumber;
  const taken: TrackedTrial[] = [];
  const skipped: string[] = [];
  for (const { values, scores, source } of trials) {
    const faults = [...checkValues(space, values), ...scoreFaults(scores, study.objectives.length)];
    if (faults.length > 0) {
      skipped.push(`${source}: ${faults.map(({ field, description }) => `${field}: ${description}`).join('; ')}`);
      continue;
    }
    taken.push({ ...newTrial(number++, 'IMPORTED', completeValues(space, values), WHOLE, {}), state: { kind: 'SUCCEEDED', scores } });
  }
  const result: Imported = { numbers: taken.map((trial) => trial.number), skipped };
  if (taken.length === 0 && study.space === before.space) return { study: before, changes: [], result };
  const next: TrackedStudy = { ...study, nextNumber: number, imported: study.imported + taken.length, ended: { ...study.ended, succeeded: study.ended.succeeded + taken.length } };
  return { study: next, changes: [...taken.map((trial): StudyChange => ({ kind: 'TRIAL', trial })), { kind: 'STUDY', told: true }], result };
}

function scoreFaults(scores: readonly number[], objectives: number): readonly Violation[] {
  if (scores.length !== objectives) return [{ field: 'scores', description: `${scores.length} scores for ${objectives} objectives` }];
  const odd = scores.find((score) => !Number.isFinite(score));
  return odd === undefined ? [] : [{ field: 'scores', description: `${odd} is not finite` }];
}
