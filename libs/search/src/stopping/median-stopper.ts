import { refuseViolations } from '../search-error';
import { wholeCurve, type CurvePoint } from '../study/learning-curve';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { GO_ON, type StopDecision, type Stopper } from './stopper';

export interface MedianOptions {
  /** Succeeded trials to compare with, at least; a positive integer. */
  readonly minTrials: number;
  /** Epochs that every trial may train. */
  readonly minEpochs: number;
}

export const MEDIAN_DEFAULTS: MedianOptions = { minTrials: 5, minEpochs: 1 };

/**
 * Stops a trial whose best value so far is worse than the median, over the succeeded trials that got as far, of the mean of their
 * values up to that epoch (D. Golovin et al., Google Vizier, KDD 2017, 3.2.2).
 */
export class MedianStopper implements Stopper {
  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly options: MedianOptions) {
    refuseViolations('INVALID_SETTINGS', [
      ...(Number.isSafeInteger(options.minTrials) && options.minTrials >= 1 ? [] : [{ field: 'options.minTrials', description: `${options.minTrials} trials: it must be an integer of at least 1` }]),
      ...(options.minEpochs >= 0 ? [] : [{ field: 'options.minEpochs', description: `${options.minEpochs} epochs: it must be at least 0` }]),
    ]);
  }

  check(history: StudyHistory, trial: TrialRecord): StopDecision {
    const curve = wholeCurve(history, trial);
    const epoch = curve.at(-1)?.epoch;
    if (epoch === undefined || epoch < this.options.minEpochs) return GO_ON;
    const means = history.trials.filter(({ state }) => state.kind === 'SUCCEEDED').flatMap((other) => {
      const whole = wholeCurve(history, other);
      const upTo = standingsUpTo(whole, epoch);
      return (whole.at(-1)?.epoch ?? -1) >= epoch && upTo.length > 0 ? [upTo.reduce((sum, standing) => sum + standing, 0) / upTo.length] : [];
    });
    if (means.length < this.options.minTrials) return GO_ON;
    const best = Math.min(...standingsUpTo(curve, epoch));
    const median = medianOf(means);
    return best > median ? { kind: 'STOP', why: `after epoch ${epoch} its best is worse than the median of ${means.length} trials` } : GO_ON;
  }
}

const standingsUpTo = (curve: readonly CurvePoint[], epoch: number): readonly number[] =>
  curve.filter((point) => point.epoch <= epoch && Number.isFinite(point.standing)).map(({ standing }) => standing);

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
