import { hasEnded, heldWorkers, type EndedState, type JobFailure, type JobState } from './job-state';
import { moved, UNCHANGED, type JobEffect, type Transition } from './job-transition';

/** Whatever ends a job stops all its processes. */
export function end(from: JobState, state: EndedState, detail: string): Transition {
  const effects = heldWorkers(from).map((worker): JobEffect => ({ kind: 'STOP_CHILD', worker, reason: detail }));
  return moved(state, detail, effects);
}

export const fail = (from: JobState, failure: JobFailure): Transition =>
  hasEnded(from) ? UNCHANGED : end(from, { kind: 'FAILED', failure }, failure.message);

/** What the loss of a member means for a job that has no other. */
export const lossOf = (worker: string, rank: number, detail: string): JobFailure => ({
  reason: 'WORKER_LOST', fault: 'WORKER', worker, rank, message: `rank ${rank} (${worker}) was lost: ${detail}`,
});
