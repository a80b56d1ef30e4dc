/** Whether a study has come to its end. */
import type { Move, StudyChange, TrackedStudy } from './tracked-study';

/** A move, and the end of the study where that is what follows from it. */
export function settled<T>(study: TrackedStudy, changes: readonly StudyChange[], result: T): Move<T> {
  const end = study.state.kind === 'ACTIVE' ? endOf(study) : undefined;
  if (!end) return { study, changes, result };
  return { study: { ...study, state: end }, changes: [...changes, { kind: 'STUDY', told: true }], result };
}

function endOf({ limits, consecutiveFailed, pending, nextNumber, imported, ended }: TrackedStudy): TrackedStudy['state'] | undefined {
  if (consecutiveFailed >= limits.maxConsecutiveFailedTrials) {
    return { kind: 'FAILED', error: `${consecutiveFailed} trials in a row failed, as many as fail the study: look at their errors, then extend the study to go on` };
  }
  const made = nextNumber - imported;
  if (limits.maxTrials !== undefined && made >= limits.maxTrials && pending.size === 0) {
    return { kind: 'COMPLETED', detail: `all ${limits.maxTrials} trials have ended, ${ended.succeeded} of them with scores` };
  }
  return undefined;
}
