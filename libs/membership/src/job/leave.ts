/** How members leave in good order: they end with the others what all are doing, and the next generation goes on without them. */
import { lossOf } from './end';
import type { StandingState } from './job-state';
import { moved, UNCHANGED, type JobFacts, type Transition } from './job-transition';
import { regroup, seatNames } from './regroup';

const TOLD = 'it was told to leave';

/** A member wants to go. Others are left as they are: a joiner is dropped by whoever asks, and who is released goes already. */
export function wantsToLeave(facts: JobFacts, state: StandingState, worker: string, nowMs: number): Transition {
  const member = state.members.find((one) => one.worker === worker);
  if (!member || state.leaving.includes(worker)) return UNCHANGED;
  // The model is nearly there, and who commits it is as good as gone.
  if (state.kind === 'EXPORTING' && state.committer === worker) return moved({ ...state, leaving: [...state.leaving, worker] }, `${seatNames([member])} leaves when it has committed the model`);
  // Who has finished waits for no sums, and comes to no boundary.
  if (state.finished.length > 0) return goAtOnce(facts, state, [worker], nowMs);
  const next = { ...state, leaving: [...state.leaving, worker] };
  return letGo(facts, next, nowMs) ?? moved(next, `${seatNames([member])} is to leave`);
}

/** Lets those go who were told to leave, when the group runs. */
export function letGo(facts: JobFacts, state: StandingState, nowMs: number): Transition | undefined {
  if (state.kind !== 'RUNNING' || state.leaving.length === 0) return undefined;
  const goes = state.members.filter(({ worker }) => state.leaving.includes(worker));
  if (state.finished.length > 0) return goAtOnce(facts, state, state.leaving, nowMs);
  if (goes.length < state.members.length) {
    return regroup(facts, state, {
      release: state.leaving, detail: `${seatNames(goes)} ${goes.length === 1 ? 'leaves' : 'leave'}`, failure: failureOf(state),
      notices: goes.map(({ worker, rank }) => ({ kind: 'MEMBER_LEFT', worker, rank })),
    }, nowMs);
  }
  // One who is about to join can take the state over.
  return state.joiners.length > 0 ? undefined : goAtOnce(facts, state, state.leaving, nowMs);
}

/** One who was to go at the boundary is gone before it: the others may wait for it, and must not. */
export function releasedLost(facts: JobFacts, state: StandingState, worker: string, detail: string, nowMs: number): Transition {
  return regroup(facts, state, { detail: `${worker}, which was about to leave, is gone before: ${detail}`, failure: failureOf(state), notices: [] }, nowMs);
}

function goAtOnce(facts: JobFacts, state: StandingState, leave: readonly string[], nowMs: number): Transition {
  const goes = state.members.filter(({ worker }) => leave.includes(worker));
  return regroup(facts, state, {
    leave, failure: failureOf(state), detail: `${seatNames(goes)} ${goes.length === 1 ? 'leaves' : 'leave'}`,
    notices: goes.map(({ worker, rank }) => ({ kind: 'MEMBER_LEFT', worker, rank })),
  }, nowMs);
}

/** What it means that nobody is left. */
function failureOf({ members }: StandingState): ReturnType<typeof lossOf> {
  const [first] = members;
  return lossOf(first?.worker ?? '', first?.rank ?? 0, TOLD);
}
