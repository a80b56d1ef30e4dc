/** Whether a study may go on, and whether it has come to its end. */
import { checkLimits, type LimitCheck } from '../study/limits';
import type { Move, StudyChange, TrackedStudy } from './tracked-study';

/** Where a study stands with its limits. */
export function limitsOf({ rules, nextNumber, imported, epochCount, createdMs, consecutiveFailed }: TrackedStudy, nowMs: number): LimitCheck {
  return checkLimits(rules.limits, {
    trialCount: nextNumber - imported, epochCount, durationMs: nowMs - createdMs,
    endings: Array.from({ length: consecutiveFailed }, () => 'FAILED' as const),
  });
}

/** A move, and the end of the study where that is what follows from it. */
export function settled<T>(study: TrackedStudy, changes: readonly StudyChange[], result: T, nowMs: number): Move<T> {
  const end = study.state.kind === 'ACTIVE' ? endOf(study, nowMs) : undefined;
  if (!end) return { study, changes, result };
  return { study: { ...study, state: end }, changes: [...changes, { kind: 'STUDY', told: true }], result };
}

function endOf(study: TrackedStudy, nowMs: number): TrackedStudy['state'] | undefined {
  const check = limitsOf(study, nowMs);
  switch (check.kind) {
    case 'WITHIN': return undefined;
    case 'REACHED': return study.pending.size === 0 ? { kind: 'COMPLETED', detail: check.why } : undefined;
    case 'FAILED': return { kind: 'FAILED', error: `${check.why}. Extend the study to go on` };
  }
}
