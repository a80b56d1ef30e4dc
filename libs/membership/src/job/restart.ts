import { fail } from './end';
import { heldWorkers, isStanding, type JobFailure, type JobState, type StandingState } from './job-state';
import { fencedOff, moved, type JobEffect, type JobFacts, type JobNotice, type Transition } from './job-transition';

/** Why nobody can go on. */
export interface Loss {
  readonly detail: string;
  /** What it means when the job may not start again. */
  readonly failure: JobFailure;
  readonly notices: readonly JobNotice[];
}

/** Nobody has what it takes to go on: the job waits for workers and goes on from its last checkpoint, or gives up. */
export function restart(facts: JobFacts, state: StandingState, { detail, failure, notices }: Loss): Transition {
  if (state.restarts >= facts.maxRestarts) {
    return fail(state, { ...failure, message: `${failure.message}. No worker is left, and the job has been restarted ${state.restarts} of ${facts.maxRestarts} times` });
  }
  const { endMs, barred, callsAtStart } = state;
  const generation = state.generation + 1;
  const stop = heldWorkers(state).map((worker): JobEffect => ({ kind: 'STOP_CHILD', worker, reason: detail }));
  return moved(
    { kind: 'QUEUED', restarts: state.restarts + 1, generation, endMs, barred, callsAtStart },
    `${detail}. No worker is left: the job waits for workers and goes on from its last checkpoint (restart ${state.restarts + 1} of ${facts.maxRestarts})`,
    [...stop, { kind: 'FENCE', generation }], notices,
  );
}

/** All begin anew, from another checkpoint: nobody is to blame, and there are only so many checkpoints. */
export function resumeFromAnother(facts: JobFacts, state: JobState, { worker, detail }: { readonly worker: string; readonly detail: string }): Transition {
  if (!isStanding(state) || !heldWorkers(state).includes(worker)) return fencedOff(`${worker} is no member of ${facts.job}`);
  const { restarts, endMs, barred, callsAtStart } = state;
  const generation = state.generation + 1;
  const stop = heldWorkers(state).map((held): JobEffect => ({ kind: 'STOP_CHILD', worker: held, reason: detail }));
  return moved({ kind: 'QUEUED', restarts, generation, endMs, barred, callsAtStart }, detail, [...stop, { kind: 'FENCE', generation }]);
}
