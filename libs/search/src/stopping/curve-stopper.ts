import { refuseViolations } from '../search-error';
import { wholeCurve } from '../study/learning-curve';
import { standingOf } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { probabilityBelow } from './power-law';
import { GO_ON, type StopDecision, type Stopper } from './stopper';

export interface CurveOptions {
  /** Epochs of a whole trial. A trial of a rung ends at its own epochs. */
  readonly maxEpochs: number;
  /** Measured epochs before a curve is extrapolated, at least 3. */
  readonly minEpochs: number;
  /** A trial is stopped when the chance that it ends better than the best one is less than this; Domhan et al. take 0.05. */
  readonly minProbability: number;
}

export const CURVE_DEFAULTS: Omit<CurveOptions, 'maxEpochs'> = { minEpochs: 5, minProbability: 0.05 };

/** Stops a trial whose learning curve, extrapolated by power laws, is unlikely to end below the best succeeded trial. */
export class CurveStopper implements Stopper {
  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly options: CurveOptions) {
    const { maxEpochs, minEpochs, minProbability } = options;
    refuseViolations('INVALID_SETTINGS', [
      ...(maxEpochs >= 1 ? [] : [{ field: 'options.maxEpochs', description: `${maxEpochs} epochs: it must be at least 1` }]),
      ...(minEpochs >= 3 ? [] : [{ field: 'options.minEpochs', description: `${minEpochs} epochs: a curve has three unknowns, so it must be at least 3` }]),
      ...(minProbability > 0 && minProbability < 1 ? [] : [{ field: 'options.minProbability', description: `${minProbability}: it must lie between 0 and 1` }]),
    ]);
  }

  check(history: StudyHistory, trial: TrialRecord): StopDecision {
    const horizon = trial.fidelity.kind === 'RUNG' ? trial.fidelity.epochs : this.options.maxEpochs;
    const points = wholeCurve(history, trial)
      .filter(({ epoch, standing }) => epoch >= 1 && epoch < horizon && Number.isFinite(standing))
      .map(({ epoch, standing }) => ({ epoch, value: standing }));
    const best = Math.min(...history.trials.map((other) => standingOf(other, history.objectives)));
    if (points.length < this.options.minEpochs || best === Infinity || points.some(({ value }) => value <= best)) return GO_ON;
    const probability = probabilityBelow(points, horizon, best);
    return probability < this.options.minProbability
      ? { kind: 'STOP', why: `after epoch ${points.at(-1)?.epoch ?? 0} it has a chance of ${(probability * 100).toFixed(1)} % to be better than the best trial after epoch ${horizon}` }
      : GO_ON;
  }
}
