/** Who gets which trial. */
import type { Suggestion } from '../study/algorithm';
import { WHOLE } from '../study/trial-record';
import { settled } from './settle';
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
export function offerTrials(study: TrackedStudy, client: string, count: number, nowMs: number): Move<Offer> {
  const own: TrackedTrial[] = [];
  const free: TrackedTrial[] = [];
  let held = 0;
  for (const trial of study.pending.values()) {
    if (isHeld(trial.state)) held++;
    if (isHeld(trial.state) && trial.state.holder === client) own.push({ ...trial, state: { ...trial.state, heardMs: nowMs } });
    else if (trial.state.kind === 'REQUESTED') free.push(trial);
  }
  // A trial that it has is its own even when the study has ended since; nothing new is begun then.
  const mayBegin = study.state.kind === 'ACTIVE' ? Math.max(0, Math.min(count - own.length, (study.limits.maxParallelTrials ?? Infinity) - held)) : 0;
  const taken = free.slice(0, mayBegin).map((trial) => begun(trial, client, nowMs));
  const next = withTrials(study, [...own, ...taken]);
  return {
    study: next,
    changes: taken.map((trial): StudyChange => ({ kind: 'TRIAL', trial })),
    result: { trials: [...own, ...taken].slice(0, count), wanted: Math.min(mayBegin - taken.length, remaining(study)) },
  };
}

/** How many trials may still be made of suggestions. */
function remaining({ limits, nextNumber, imported, space, pending }: TrackedStudy): number {
  const left = Math.max(0, (limits.maxTrials ?? Infinity) - (nextNumber - imported));
  if (space.kind === 'DISCOVERING') return Math.min(left, pending.size === 0 ? 1 : 0);
  return left;
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

/** The algorithm has nothing more: when nothing runs either, the study is complete. */
export function takeExhaustion(study: TrackedStudy, why: string): Move<void> {
  if (study.state.kind !== 'ACTIVE' || study.pending.size > 0 || study.enqueued.length > 0) return { study, changes: [], result: undefined };
  return settled({ ...study, state: { kind: 'COMPLETED', detail: why } }, [{ kind: 'STUDY', told: true }], undefined);
}

function created(study: TrackedStudy, trial: TrackedTrial): Move<TrackedTrial> {
  const next = withTrials({ ...study, nextNumber: trial.number + 1 }, [trial]);
  return { study: next, changes: [{ kind: 'TRIAL', trial }, { kind: 'STUDY', told: false }], result: trial };
}

/** A new try has no measurements: it starts over. */
function begun(trial: TrackedTrial, client: string, nowMs: number): TrackedTrial {
  return { ...trial, state: { kind: 'RUNNING', holder: client, heardMs: nowMs }, attempts: trial.attempts + 1, measurements: [] };
}
