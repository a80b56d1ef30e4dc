/** Who was heard of, and who has lost its trials. */
import { heard, requireHeld } from './holder';
import { isHeld, type TrackedTrial } from './tracked-trial';
import { trialName, withTrials, type Move, type StudyChange, type TrackedStudy } from './tracked-study';

/** A client lives: its trials stay its own for another lease. @returns their numbers */
export function hear(study: TrackedStudy, client: string, nowMs: number): Move<readonly number[]> {
  const own = [...study.pending.values()].flatMap(({ state, ...trial }) => (isHeld(state) && state.holder === client ? [{ ...trial, state: { ...state, heardMs: nowMs } }] : []));
  return { study: withTrials(study, own), changes: [], result: own.map(({ number }) => number) };
}

/**
 * Whether a client should end its trial now with what it has.
 *
 * @returns why, if it should
 * @throws TrackingError NOT_PENDING, TRIAL_LOST
 */
export function askStop(study: TrackedStudy, number: number, client: string, nowMs: number): Move<string | undefined> {
  const trial = heard(requireHeld(study, number, client), nowMs);
  return { study: withTrials(study, [trial]), changes: [], result: trial.state.kind === 'STOPPING' ? trial.state.detail : undefined };
}

/** A stopper says that a trial should end; nothing when it has ended meanwhile, or was asked already. */
export function adviseStop(study: TrackedStudy, number: number, why: string): Move<void> {
  const trial = study.pending.get(number);
  if (trial?.state.kind !== 'RUNNING') return { study, changes: [], result: undefined };
  const next: TrackedTrial = { ...trial, state: { ...trial.state, kind: 'STOPPING', detail: why } };
  return { study: withTrials(study, [next]), changes: [{ kind: 'TRIAL', trial: next }], result: undefined };
}

/** Takes their trials from those who were not heard of for a lease: they are offered again. */
export function expireLeases(study: TrackedStudy, nowMs: number): Move<void> {
  return release(study, ({ state }) => isHeld(state) && nowMs - state.heardMs >= study.limits.leaseMs, (holder) => `nothing was heard of "${holder}" for ${study.limits.leaseMs} ms`);
}

/** Takes its trials from a client that is known to be gone. @param why in words: its connection ended */
export const releaseHolder = (study: TrackedStudy, client: string, why: string): Move<void> =>
  release(study, ({ state }) => isHeld(state) && state.holder === client, (holder) => `"${holder}" is gone: ${why}`);

function release(study: TrackedStudy, isLost: (trial: TrackedTrial) => boolean, detail: (holder: string) => string): Move<void> {
  const lost = [...study.pending.values()].filter(isLost).map((trial): TrackedTrial => ({
    ...trial, state: { kind: 'REQUESTED', detail: isHeld(trial.state) ? detail(trial.state.holder) : trialName(study, trial.number) },
  }));
  if (lost.length === 0) return { study, changes: [], result: undefined };
  return { study: withTrials(study, lost), changes: lost.map((trial): StudyChange => ({ kind: 'TRIAL', trial })), result: undefined };
}

/** When the next lease may expire; Infinity when nobody has a trial. */
export function nextExpiryMs({ pending, limits }: TrackedStudy): number {
  let next = Infinity;
  for (const { state } of pending.values()) if (isHeld(state)) next = Math.min(next, state.heardMs + limits.leaseMs);
  return next;
}
