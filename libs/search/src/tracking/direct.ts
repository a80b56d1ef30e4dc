/** What whoever owns a study does with it, beside asking and telling. */
import { checkValues } from '../space/check-values';
import type { SearchSpace } from '../space/search-space';
import type { Values } from '../space/value';
import { refuseViolations } from '../search-error';
import type { StudyLimits } from '../study/limits';
import { ended } from './complete';
import { grownSpace } from './grown-space';
import { settled } from './settle';
import { TrackingError } from './tracking-error';
import type { KnownSpace, Move, StudyChange, TrackedStudy } from './tracked-study';

/** Values that may wait to be tried. */
export const MAX_ENQUEUED = 10_000;

/** @throws TrackingError SPACE_UNKNOWN */
export function knownSpace({ name, space }: TrackedStudy): SearchSpace {
  if (space.kind === 'KNOWN') return space.space;
  throw new TrackingError('SPACE_UNKNOWN', `the space of ${name} is told by the run of its first trial, which has not ended yet: try again then`);
}

/**
 * Has values tried before what the algorithm suggests. Those of a study that is over wait until it is extended: later they would come after what it suggests then.
 *
 * @throws SearchError INVALID_VALUES; TrackingError SPACE_UNKNOWN, TOO_MANY_ENQUEUED
 */
export function enqueueValues(study: TrackedStudy, values: Values): Move<number> {
  refuseViolations('INVALID_VALUES', checkValues(knownSpace(study), values));
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
  /** None smaller than it was, or than what has been done. */
  readonly limits: Pick<StudyLimits, 'maxTrials' | 'maxEpochs' | 'maxDurationMs'>;
  readonly parameters: SearchSpace;
  /** Whether its algorithm has more to do than before. */
  readonly algorithmGrew: boolean;
}

/**
 * Gives a study more to do. One that has ended goes on, and forgets how many trials failed in a row; one that has nothing to do even so ends again, and says why.
 *
 * @throws TrackingError SHRINKS; SearchError INVALID_SPACE
 */
export function extendStudy(study: TrackedStudy, { limits, parameters, algorithmGrew }: Extension, nowMs: number): Move<void> {
  const before = study.rules.limits;
  const grown = LIMITS.filter(({ limit, field, done, unit }) => {
    const [was, is] = [before[limit], limits[limit]];
    if (is === undefined || is === was) return false;
    if (was !== undefined && is < was) throw shrinks(study, field, `${was} ${unit} and cannot become ${is}`);
    const far = done(study, nowMs);
    if (is < far) throw shrinks(study, field, `${was === undefined ? 'not limited' : `${was} ${unit}`} and cannot become ${is}: ${far} ${unit} are behind it already`);
    return true;
  });
  const space = extendedSpace(study, parameters);
  if (grown.length === 0 && space === study.space && !algorithmGrew && !goesOn(study)) return { study, changes: [], result: undefined };
  const next: TrackedStudy = { ...study, space, state: { kind: 'ACTIVE' }, consecutiveFailed: 0, rules: { ...study.rules, limits: { ...before, ...limits } } };
  return settled(next, [{ kind: 'STUDY', told: true }], undefined, nowMs);
}

/** What may be extended, what requests call it, and how far a study has come with it. */
const LIMITS = [
  { limit: 'maxTrials', field: 'max_trials', unit: 'trials', done: ({ nextNumber, imported }: TrackedStudy) => nextNumber - imported },
  { limit: 'maxEpochs', field: 'max_total_epochs', unit: 'epochs', done: ({ epochCount }: TrackedStudy) => epochCount },
  { limit: 'maxDurationMs', field: 'max_duration', unit: 'ms', done: ({ createdMs }: TrackedStudy, nowMs: number) => nowMs - createdMs },
] as const;

const shrinks = ({ name }: TrackedStudy, field: string, how: string): TrackingError => new TrackingError('SHRINKS', `${field} of ${name} is ${how}. To end it sooner, stop it`, { field });

/** Whether a study that gets nothing more goes on all the same: it was stopped, has failed, or has something to try. */
function goesOn({ state, enqueued }: TrackedStudy): boolean {
  switch (state.kind) {
    case 'STOPPED':
    case 'FAILED': return true;
    case 'COMPLETED': return enqueued.length > 0;
    case 'ACTIVE': return false;
  }
}

/** The study's space with further parameters; the same object when it has them. @throws SearchError INVALID_SPACE */
function extendedSpace(study: TrackedStudy, parameters: SearchSpace): KnownSpace {
  const known = study.space.kind === 'KNOWN' ? study.space.space : [];
  const space = grownSpace(known, parameters, 'parameters');
  return space === known ? study.space : { kind: 'KNOWN', space };
}

/** Has a study know further parameters. @throws SearchError INVALID_SPACE */
export function growSpace(study: TrackedStudy, parameters: SearchSpace): Move<void> {
  const space = extendedSpace(study, parameters);
  return space === study.space ? { study, changes: [], result: undefined } : { study: { ...study, space }, changes: [{ kind: 'STUDY', told: true }], result: undefined };
}
