/** Who was heard of, and who has lost its trials. */
import { ended, lose } from './complete';
import { heard, requireHeld } from './holder';
import { isHeld, isOpen, type HeldState, type TrackedTrial } from './tracked-trial';
import { withTrials, type Move, type TrackedStudy } from './tracked-study';

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
export const expireLeases = (study: TrackedStudy, nowMs: number): Move<void> =>
  release(study, nowMs, ({ heardMs }) => nowMs - heardMs >= study.rules.leaseMs, `nothing was heard of its holder for ${study.rules.leaseMs} ms`);

/** Takes its trials from a client that is known to be gone. @param why in words: its connection ended */
export const releaseHolder = (study: TrackedStudy, client: string, why: string, nowMs: number): Move<void> =>
  release(study, nowMs, ({ holder }) => holder === client, `its holder is gone: ${why}`);

function release(study: TrackedStudy, nowMs: number, isLost: (state: HeldState) => boolean, detail: string): Move<void> {
  let move: Move<void> = { study, changes: [], result: undefined };
  for (const trial of study.pending.values()) {
    if (!isHeld(trial.state) || !isLost(trial.state)) continue;
    const lost = lose(trial, study.rules.retry, detail);
    const next = isOpen(lost.state) ? { study: withTrials(move.study, [lost]), changes: [{ kind: 'TRIAL', trial: lost } as const] } : ended(move.study, lost, lost.state, undefined, nowMs);
    move = { study: next.study, changes: [...move.changes, ...next.changes], result: undefined };
  }
  return move;
}

/** When the next lease may expire; Infinity when nobody has a trial. */
export function nextExpiryMs({ pending, rules }: TrackedStudy): number {
  let next = Infinity;
  for (const { state } of pending.values()) if (isHeld(state)) next = Math.min(next, state.heardMs + rules.leaseMs);
  return next;
}
