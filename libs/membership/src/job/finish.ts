/** How a job comes to its end: all members report, one commits. */
import { end, fail } from './end';
import { isStanding, type FinishReport, type JobState, type StandingState } from './job-state';
import { fencedOff, moved, UNCHANGED, type JobEffect, type JobFacts, type Transition } from './job-transition';
import { restart } from './restart';

export function finished(facts: JobFacts, state: JobState, report: FinishReport, nowMs: number): Transition {
  if (!isStanding(state) || !state.members.some(({ worker }) => worker === report.worker)) {
    return fencedOff(`${report.worker} reports the end of ${facts.job}, of which it is no member`);
  }
  if (state.kind === 'EXPORTING' || state.finished.some(({ worker }) => worker === report.worker)) return UNCHANGED;
  // Nobody is taken in any more: there is too little left to do.
  const stop = state.joiners.map(({ worker }): JobEffect => ({ kind: 'STOP_CHILD', worker, reason: 'the job is nearly done' }));
  const absences = state.absences.filter(({ worker }) => !state.joiners.some((joiner) => joiner.worker === worker));
  const next: StandingState = { ...state, joiners: [], absences, finished: [...state.finished, report] };
  const all = finishIfAll(facts, next, nowMs);
  if (all?.kind === 'MOVED') return { ...all, effects: [...stop, ...all.effects] };
  return all ?? moved(next, `${report.worker} has finished its module`, stop);
}

/** @returns undefined while a member has not finished */
export function finishIfAll(facts: JobFacts, state: StandingState, nowMs: number): Transition | undefined {
  // Asked after each report: thousands of members must not each look through thousands of reports.
  const byWorker = new Map(state.finished.map((report) => [report.worker, report]));
  const reports = state.members.map((member) => ({ member, report: byWorker.get(member.worker) }));
  const [chief] = reports;
  if (!chief?.report) return undefined;
  for (const { member, report } of reports) {
    if (!report) return undefined;
    if (report.stateDigest === chief.report.stateDigest && report.steps === chief.report.steps) continue;
    return fail(state, {
      reason: 'STATE_DIVERGED', fault: 'WORKER', worker: member.worker, rank: member.rank,
      message: `rank ${member.rank} (${member.worker}) ended with state ${report.stateDigest} after ${report.steps} steps, `
        + `rank 0 (${chief.member.worker}) with ${chief.report.stateDigest} after ${chief.report.steps}: nothing was committed. `
        + 'A module must not read clocks, files or random numbers of its own outside the keyed ones',
    });
  }
  const committer = reports.find(({ report }) => report?.hasModel === true)?.member.worker;
  if (committer === undefined) {
    const detail = 'all members that had exported the model are gone, and the others joined after the export';
    return restart(facts, state, {
      detail, notices: [],
      failure: { reason: 'MODEL_LOST', fault: 'WORKER', worker: chief.member.worker, rank: 0, message: `${detail}. Export at the end of the module, or submit the job again: the bytes are the same` },
    });
  }
  const { stateDigest } = chief.report;
  const { restarts, generation, endMs, barred, callsAtStart, members, leaving, released, entering, joiners, deferral, finished: all, suspicions, absences, fingerprint } = state;
  return moved(
    { kind: 'EXPORTING', restarts, generation, endMs, barred, callsAtStart, members, leaving, released, entering, joiners, deferral, finished: all, suspicions, absences, fingerprint, committer, stateDigest, deadlineMs: nowMs + facts.exportTimeoutMs },
    `all members ended with state ${stateDigest.slice(0, 12)}; ${committer} commits the model`,
    [{ kind: 'COMMIT_MODEL', worker: committer }],
  );
}

export function committed(facts: JobFacts, state: JobState, worker: string): Transition {
  if (!isStanding(state) || !state.members.some((m) => m.worker === worker)) return fencedOff(`${worker} is no member of ${facts.job}`);
  if (state.kind !== 'EXPORTING' || state.committer !== worker) return UNCHANGED;
  return end(state, { kind: 'SUCCEEDED' }, 'the model is committed');
}
