import type { TrialState } from './trial-record';

/** When a study ends although its algorithm could go on. What is absent has no limit. */
export interface StudyLimits {
  /** Trials ever suggested. */
  readonly maxTrials?: number;
  /** Epochs trained, of all trials together. */
  readonly maxEpochs?: number;
  readonly maxDurationMs?: number;
  /** Trials in a row that have failed; KerasTuner's is 3. */
  readonly maxConsecutiveFailures: number;
}

export interface StudyProgress {
  readonly trialCount: number;
  readonly epochCount: number;
  /** Since the study began. */
  readonly durationMs: number;
  /** How trials ended, in the order in which they did. */
  readonly endings: readonly TrialState['kind'][];
}

export type LimitCheck =
  | { readonly kind: 'WITHIN' }
  /** No new trials; those that run may end. */
  | { readonly kind: 'REACHED'; readonly limit: 'TRIALS' | 'EPOCHS' | 'DURATION'; readonly why: string }
  /** The study fails. */
  | { readonly kind: 'FAILED'; readonly why: string };

/** Whether a study may go on to another trial. */
export function checkLimits(limits: StudyLimits, progress: StudyProgress): LimitCheck {
  const { maxTrials = Infinity, maxEpochs = Infinity, maxDurationMs = Infinity, maxConsecutiveFailures } = limits;
  const failures = mostFailuresInARow(progress.endings);
  if (failures >= maxConsecutiveFailures) return { kind: 'FAILED', why: `${failures} trials in a row have failed, the limit is ${maxConsecutiveFailures}: see the error of the last one` };
  if (progress.trialCount >= maxTrials) return { kind: 'REACHED', limit: 'TRIALS', why: `${progress.trialCount} of ${maxTrials} trials have been suggested` };
  if (progress.epochCount >= maxEpochs) return { kind: 'REACHED', limit: 'EPOCHS', why: `${progress.epochCount} of ${maxEpochs} epochs have been trained` };
  if (progress.durationMs >= maxDurationMs) return { kind: 'REACHED', limit: 'DURATION', why: `${maxDurationMs} ms are over` };
  return { kind: 'WITHIN' };
}

/**
 * The longest run of failures, as KerasTuner counts: once reached, a limit stays reached. A trial that succeeded or told that its
 * values are infeasible ends a run; one that was cancelled says nothing.
 */
export function mostFailuresInARow(endings: readonly TrialState['kind'][]): number {
  let most = 0;
  let now = 0;
  for (const ending of endings) {
    switch (ending) {
      case 'FAILED': most = Math.max(most, ++now); break;
      case 'SUCCEEDED': case 'INFEASIBLE': now = 0; break;
      case 'CANCELLED': case 'REQUESTED': case 'RUNNING': case 'STOPPING': break;
    }
  }
  return most;
}
