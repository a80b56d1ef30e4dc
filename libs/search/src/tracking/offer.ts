/** Who gets which trial. */
import type { Suggestion } from '../study/algorithm';
import { WHOLE } from '../study/trial-record';
import { expireLeases } from './leases';
import { limitsOf, settled } from './settle';
import { isHeld, newTrial, type TrackedTrial } from './tracked-trial';
import { withTrials, type Move, type StudyChange, type TrackedStudy } from './tracked-study';

/** What a client that asks for trials is given. */
export interface Offer {
  /** Those that it has, and those that were waiting for somebody. */
  readonly trials: readonly TrackedTrial[];
  /** How many more may be suggested to it now. */
  readonly wanted: number;
}

/** Gives a client the trials that it has already, then those that nobody works on, up to `count`. */
export function offerTrials(before: TrackedStudy, client: string, count: number, nowMs: number): Move<Offer> {
  // Time alone may have taken trials from their holders, or brought the study to its end.
  const expired = expireLeases(before, nowMs);
  const { study, changes } = settled(expired.study, expired.changes, undefined, nowMs);
  const own: TrackedTrial[] = [];
  const free: TrackedTrial[] = [];
  for (const trial of study.pending.values()) {
    if (isHeld(trial.state) && trial.state.holder === client) own.push({ ...trial, state: { ...trial.state, heardMs: nowMs } });
    else if (trial.state.kind === 'REQUESTED') free.push(trial);
  }
  // A trial that it has is its own even when the study has ended since; nothing new is begun then.
  const mayBegin = Math.max(0, Math.min(count - own.length, placesOf(study)));
  const taken = free.slice(0, mayBegin).map((trial) => begun(trial, client, nowMs));
  const next = withTrials(study, [...own, ...taken]);
  return {
    study: next,
    changes: [...changes, ...taken.map((trial): StudyChange => ({ kind: 'TRIAL', trial }))],
    result: { trials: [...own, ...taken].slice(0, count), wanted: Math.max(0, Math.min(count - own.length - taken.length, roomFor(next, nowMs))) },
  };
}

/** How many trials may be begun beside those that run. */
function placesOf({ state, rules, pending }: TrackedStudy): number {
  if (state.kind !== 'ACTIVE') return 0;
  if (rules.maxParallelTrials === undefined) return Infinity;
  return rules.maxParallelTrials - [...pending.values()].filter((trial) => isHeld(trial.state)).length;
}

/** How many trials may be made of suggestions now. */
export function roomFor(study: TrackedStudy, nowMs: number): number {
  const { rules, nextNumber, imported, space, pending } = study;
  if (limitsOf(study, nowMs).kind !== 'WITHIN') return 0;
  if (space.kind === 'DISCOVERING') return pending.size === 0 ? Math.min(1, placesOf(study)) : 0;
  return Math.min(placesOf(study), (rules.limits.maxTrials ?? Infinity) - (nextNumber - imported));
}

/** Makes a trial of a suggestion and gives it to a client. */
export function takeSuggestion(study: TrackedStudy, { values, fidelity, memo, origin }: Extract<Suggestion, { readonly kind: 'TRIAL' }>, client: string, nowMs: number): Move<TrackedTrial> {
  const trial = begun(newTrial(study.nextNumber, origin, values, fidelity, memo), client, nowMs);
  const enqueued = origin === 'ENQUEUED' ? study.enqueued.slice(1) : study.enqueued;
  return created({ ...study, enqueued }, trial);
}

/** The trial that tells a study what there is to search: it has no values, and its run takes the defaults. */
export function beginDiscovery(study: TrackedStudy, client: string, nowMs: number): Move<TrackedTrial> {
  return created(study, begun(newTrial(study.nextNumber, 'DISCOVERY', new Map(), WHOLE, {}), client, nowMs));
}

/** The algorithm has nothing more, not even a place for what is enqueued: when nothing runs either, the study is complete. */
export function takeExhaustion(study: TrackedStudy, why: string): Move<void> {
  if (study.state.kind !== 'ACTIVE' || study.pending.size > 0) return { study, changes: [], result: undefined };
  const waiting = study.enqueued.length;
  const detail = waiting === 0 ? why : `${why}, without a place for the ${waiting} that ${waiting === 1 ? 'is' : 'are'} enqueued: extend the algorithm`;
  return { study: { ...study, state: { kind: 'COMPLETED', detail } }, changes: [{ kind: 'STUDY', told: true }], result: undefined };
}

function created(study: TrackedStudy, trial: TrackedTrial): Move<TrackedTrial> {
  const next = withTrials({ ...study, nextNumber: trial.number + 1 }, [trial]);
  return { study: next, changes: [{ kind: 'TRIAL', trial }, { kind: 'STUDY', told: false }], result: trial };
}

/** A new try has no measurements: it starts over. */
function begun(trial: TrackedTrial, client: string, nowMs: number): TrackedTrial {
  return { ...trial, state: { kind: 'RUNNING', holder: client, heardMs: nowMs }, attempts: trial.attempts + 1, measurements: [] };
}
