/**
 * ASHA, the asynchronous successive halving of L. Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020.
 *
 * 1. Of the trials that have ended in a rung, the best 1/factor may go on, each as soon as it is among them; the highest rung in which one
 *    can goes first. When none can, a new trial starts in the lowest rung. So nobody waits for the slowest.
 * 2. A trial that has failed has ended, behind all others.
 * 3. Rung k ends after ceil(maxEpochs / factor^(rungs - 1 - k)) epochs, the lowest after minEpochs or more. A trial counts in the highest rung
 *    that it has reached: when maxEpochs grows, the rungs shift and the trials of before go on from where they are.
 */
import type { Algorithm, Sampler, Suggestion } from '../study/algorithm';
import { endOrWait } from '../study/end-or-wait';
import { nextEnqueued } from '../study/enqueued';
import { ranked } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import { isPending, type Fidelity, type TrialRecord } from '../study/trial-record';
import { refuseViolations } from '../search-error';
import { Schedule, sweepViolations, type Sweep } from './sweep';

export interface AshaOptions extends Sweep {
  /** Epochs before a trial is judged for the first time; an integer of [1, maxEpochs]. */
  readonly minEpochs: number;
}

export const ASHA_DEFAULTS: AshaOptions = { maxEpochs: 100, factor: 3, minEpochs: 1 };

export class Asha implements Algorithm {
  private readonly rungs: readonly number[];

  /**
   * @param sampler chooses the values of the lowest rung
   * @throws {SearchError} INVALID_SETTINGS
   */
  constructor(private readonly sampler: Sampler, private readonly options: AshaOptions) {
    this.rungs = rungEpochs(options);
  }

  suggest(history: StudyHistory): Suggestion {
    const rungs = this.rungs.map((): TrialRecord[] => []);
    const promoted = new Set<number>();
    for (const trial of history.trials) {
      if (trial.fidelity.kind !== 'RUNG') continue;
      const { epochs } = trial.fidelity;
      rungs[this.rungs.findLastIndex((rung) => rung <= epochs)]?.push(trial);
      if (trial.fidelity.parent !== undefined) promoted.add(trial.fidelity.parent);
    }
    for (let round = this.rungs.length - 1; round >= 1; round--) {
      const ended = (rungs[round - 1] ?? []).filter((trial) => !isPending(trial));
      const best = ranked(ended, history.objectives).slice(0, Math.floor(ended.length / this.options.factor)).find(({ number }) => !promoted.has(number));
      if (best) return { kind: 'TRIAL', values: best.values, fidelity: this.fidelity(round, best), memo: {}, origin: 'ALGORITHM' };
    }
    return this.start(history);
  }

  private start(history: StudyHistory): Suggestion {
    const fidelity = this.fidelity(0);
    const enqueued = nextEnqueued(history);
    if (enqueued) return { kind: 'TRIAL', values: enqueued, fidelity, memo: {}, origin: 'ENQUEUED' };
    const sample = this.sampler.sample(history, fidelity);
    switch (sample.kind) {
      case 'VALUES': return { kind: 'TRIAL', values: sample.values, fidelity, memo: sample.memo, origin: 'ALGORITHM' };
      case 'EXHAUSTED': return endOrWait(history, sample.why);
    }
  }

  private fidelity(round: number, parent?: TrialRecord): Fidelity {
    const rung = { kind: 'RUNG', iteration: 0, bracket: this.rungs.length - 1, round, epochs: this.rungs[round] ?? this.options.maxEpochs } as const;
    return parent?.fidelity.kind === 'RUNG' ? { ...rung, initialEpoch: parent.fidelity.epochs, parent: parent.number } : { ...rung, initialEpoch: 0 };
  }
}

/**
 * The epochs after which trials are compared, the last is `maxEpochs`.
 * @throws {SearchError} INVALID_SETTINGS
 */
export function rungEpochs(options: AshaOptions): readonly number[] {
  const { maxEpochs, minEpochs } = options;
  refuseViolations('INVALID_SETTINGS', [
    ...sweepViolations(options, 'options'),
    ...(Number.isSafeInteger(minEpochs) && minEpochs >= 1 && minEpochs <= maxEpochs ? [] : [{ field: 'options.minEpochs', description: `${minEpochs} epochs: it must be an integer from 1 to maxEpochs (${maxEpochs})` }]),
  ]);
  const schedule = new Schedule(options);
  const top = schedule.bracketCount - 1;
  return Array.from({ length: top + 1 }, (_, round) => schedule.epochs(top, round)).filter((epochs) => epochs >= minEpochs);
}
