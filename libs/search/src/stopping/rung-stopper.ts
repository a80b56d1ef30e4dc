import { rungEpochs, type AshaOptions } from '../hyperband/asha';
import { wholeCurve, type CurvePoint } from '../study/learning-curve';
import type { StudyHistory } from '../study/study-history';
import type { TrialRecord } from '../study/trial-record';
import { GO_ON, type StopDecision, type Stopper } from './stopper';

/**
 * ASHA for trials that cannot be promoted later, because nobody keeps their checkpoints: a trial that reaches one of ASHA's rungs goes on only if it
 * is among the best 1/factor, at least one, of those that have reached it so far. Compared is the best value up to the rung. It is
 * judged once, by the first measurement at or beyond the rung. (The stopping variant of L. Li et al., MLSys 2020.)
 */
export class RungStopper implements Stopper {
  private readonly rungs: readonly number[];

  /** @throws {SearchError} INVALID_SETTINGS */
  constructor(private readonly options: AshaOptions) {
    this.rungs = rungEpochs(options).slice(0, -1);
  }

  check(history: StudyHistory, trial: TrialRecord): StopDecision {
    const curve = wholeCurve(history, trial);
    const now = curve.at(-1)?.epoch ?? 0;
    const before = curve.at(-2)?.epoch ?? 0;
    const rung = this.rungs.findLast((epochs) => before < epochs && epochs <= now);
    if (rung === undefined) return GO_ON;
    const reached = history.trials.flatMap((other) => bestAt(wholeCurve(history, other), rung) ?? []);
    const mine = bestAt(curve, rung) ?? Infinity;
    const better = reached.filter((standing) => standing < mine).length;
    const survivors = Math.max(1, Math.floor(reached.length / this.options.factor));
    return better >= survivors ? { kind: 'STOP', why: `at epoch ${rung} ${better} of ${reached.length} trials are better, and the best ${survivors} may go on` } : GO_ON;
  }
}

/** The best up to the first measurement at or beyond the rung; undefined when the curve does not get there. */
function bestAt(curve: readonly CurvePoint[], rung: number): number | undefined {
  const at = curve.findIndex(({ epoch }) => epoch >= rung);
  if (at < 0) return undefined;
  return Math.min(...curve.slice(0, at + 1).map(({ standing }) => (Number.isFinite(standing) ? standing : Infinity)));
}
