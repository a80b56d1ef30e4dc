/** Who may report on a trial. */
import { TrackingError } from './tracking-error';
import { isHeld, type HeldState, type TrackedTrial } from './tracked-trial';
import { trialName, type TrackedStudy } from './tracked-study';

export type HeldTrial = TrackedTrial & { readonly state: HeldState };

/**
 * The trial, if the client has it.
 *
 * @throws TrackingError NOT_PENDING; TRIAL_LOST with the name of the one who has it
 */
export function requireHeld(study: TrackedStudy, number: number, client: string): HeldTrial {
  const trial = study.pending.get(number);
  if (!trial) throw new TrackingError('NOT_PENDING', `${trialName(study, number)} is not pending`, { trial: trialName(study, number) });
  const { state } = trial;
  if (isHeld(state) && state.holder === client) return { ...trial, state };
  throw trialLost(study, trial, client);
}

/** Why what a client says of a trial is refused, and who has it now. */
export function trialLost(study: Pick<TrackedStudy, 'name'>, { number, state, endedBy, attempts }: TrackedTrial, client: string): TrackingError {
  const name = trialName(study, number);
  const facts = { trial: name, client };
  const advice = 'Nothing was changed; drop what you have of it and ask for another';
  if (isHeld(state)) {
    const since = attempts > 1 ? ', who took it up after its holder before was not heard of for a lease, or failed' : '';
    return new TrackingError('TRIAL_LOST', `${name} is "${state.holder}"'s${since}, not "${client}"'s. ${advice}`, { ...facts, holder: state.holder });
  }
  if (state.kind === 'REQUESTED') {
    return new TrackingError('TRIAL_LOST', `${name} is not "${client}"'s any more: ${state.detail}. It will be offered to the next who asks. ${advice}`, facts);
  }
  const by = endedBy === undefined ? '' : ` by "${endedBy}"`;
  return new TrackingError('TRIAL_LOST', `${name} has ended${by} (${state.kind}) and was not "${client}"'s. ${advice}`, { ...facts, ...(endedBy !== undefined && { holder: endedBy }) });
}

/** The trial with its holder heard of now. */
export const heard = (trial: HeldTrial, nowMs: number): HeldTrial => ({ ...trial, state: { ...trial.state, heardMs: nowMs } });
