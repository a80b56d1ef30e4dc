/**
 * Hyperband (L. Li et al., JMLR 18, 2018), with KerasTuner's brackets, sizes, epochs and order of decisions.
 *
 * 1. Older brackets come first. A bracket fills its round 0 with new values; then the best trial of a round that is not promoted yet goes on as
 *    soon as more trials of the round are decided than will be thrown out.
 * 2. When no open bracket can go on, the next one opens, whether or not trials of others are still running. After the last bracket
 *    of the last sweep it waits for what runs, and is exhausted.
 * 3. A trial that has failed counts as one of those thrown out; a round in which too few have succeeded is promoted as far as it goes. (KerasTuner
 *    leaves the places of failed trials empty in all later rounds.)
 * 4. Everything is read from the fidelities of the trials, so that a study can be extended: the sweeps that it ran first are told
 *    as `earlierSweeps`, and keep the schedule that they had.
 */
import type { Algorithm, Sampler, Suggestion } from '../study/algorithm';
import { endOrWait } from '../study/end-or-wait';
import { nextEnqueued } from '../study/enqueued';
import { ranked } from '../study/standing';
import type { StudyHistory } from '../study/study-history';
import { isPending, type Fidelity, type TrialRecord } from '../study/trial-record';
import { refuseViolations } from '../search-error';
import { Schedule, sweepViolations, type Sweep } from './sweep';

export interface HyperbandOptions extends Sweep {
  /** How many sweeps over all brackets; a positive integer, or Infinity for no end. */
  readonly iterations: number;
  /** Sweeps that the study ran before these, with settings of their own. */
  readonly earlierSweeps: readonly Sweep[];
}

/** KerasTuner's defaults. */
export const HYPERBAND_DEFAULTS: HyperbandOptions = { maxEpochs: 100, factor: 3, iterations: 1, earlierSweeps: [] };

type Rung = Extract<Fidelity, { kind: 'RUNG' }>;

interface Bracket {
  readonly iteration: number;
  readonly bracket: number;
  /** The trials of each round, in the order in which they were suggested. */
  readonly rounds: readonly (readonly TrialRecord[])[];
}

export class Hyperband implements Algorithm {
  private readonly schedules: readonly Schedule[];
  private readonly schedule: Schedule;

  /**
   * @param sampler chooses the values of round 0
   * @throws {SearchError} INVALID_SETTINGS
   */
  constructor(private readonly sampler: Sampler, private readonly options: HyperbandOptions) {
    const { iterations, earlierSweeps } = options;
    refuseViolations('INVALID_SETTINGS', [
      ...sweepViolations(options, 'options'),
      ...earlierSweeps.flatMap((sweep, i) => sweepViolations(sweep, `options.earlierSweeps[${i}]`)),
      ...((Number.isSafeInteger(iterations) || iterations === Infinity) && iterations >= 1 ? [] : [{ field: 'options.iterations', description: `${iterations} iterations: it must be an integer of at least 1, or Infinity` }]),
    ]);
    this.schedules = earlierSweeps.map((sweep) => new Schedule(sweep));
    this.schedule = new Schedule(options);
  }

  suggest(history: StudyHistory): Suggestion {
    const opened = this.openedBrackets(history.trials);
    for (const open of opened) {
      if ((open.rounds[open.bracket]?.length ?? 0) >= this.scheduleOf(open.iteration).size(open.bracket, open.bracket)) continue;
      if ((open.rounds[0]?.length ?? 0) < this.scheduleOf(open.iteration).size(open.bracket, 0)) return this.start(history, open);
      const promotion = this.promote(history, open);
      if (promotion) return promotion;
    }
    const next = this.bracketAfter(opened.at(-1));
    return next ? this.start(history, next) : endOrWait(history, 'every bracket has run');
  }

  private start(history: StudyHistory, { iteration, bracket }: Pick<Bracket, 'iteration' | 'bracket'>): Suggestion {
    const fidelity: Rung = { kind: 'RUNG', iteration, bracket, round: 0, epochs: this.scheduleOf(iteration).epochs(bracket, 0), initialEpoch: 0 };
    const enqueued = nextEnqueued(history);
    if (enqueued) return { kind: 'TRIAL', values: enqueued, fidelity, memo: {}, origin: 'ENQUEUED' };
    const sample = this.sampler.sample(history, fidelity);
    switch (sample.kind) {
      case 'VALUES': return { kind: 'TRIAL', values: sample.values, fidelity, memo: sample.memo, origin: 'ALGORITHM' };
      case 'EXHAUSTED': return endOrWait(history, sample.why);
    }
  }

  private promote({ objectives }: StudyHistory, { iteration, bracket, rounds }: Bracket): Suggestion | undefined {
    const schedule = this.scheduleOf(iteration);
    /** Whether the round before can get no further trials. */
    let isClosed: boolean = true;
    for (let round = 1; round <= bracket; round++) {
      const before = rounds[round - 1] ?? [];
      const here = rounds[round] ?? [];
      const size = schedule.size(bracket, round);
      const promoted = new Set(here.map(({ fidelity }) => (fidelity.kind === 'RUNG' ? fidelity.parent : undefined)));
      const left = before.filter(({ number }) => !promoted.has(number));
      const [best] = ranked(left, objectives);
      const decided = left.filter((trial) => !isPending(trial)).length;
      const isDecided: boolean = isClosed && !before.some(isPending);
      if (best && here.length < size && (isDecided || decided > schedule.size(bracket, round - 1) - size)) {
        const fidelity: Rung = {
          kind: 'RUNG', iteration, bracket, round, epochs: schedule.epochs(bracket, round), initialEpoch: schedule.epochs(bracket, round - 1), parent: best.number,
        };
        return { kind: 'TRIAL', values: best.values, fidelity, memo: {}, origin: 'ALGORITHM' };
      }
      isClosed = here.length >= size || (isDecided && !best);
    }
    return undefined;
  }

  /** In the order in which they were opened. */
  private openedBrackets(trials: readonly TrialRecord[]): readonly Bracket[] {
    const brackets = new Map<string, { readonly iteration: number; readonly bracket: number; readonly rounds: TrialRecord[][] }>();
    for (const trial of trials) {
      if (trial.fidelity.kind !== 'RUNG') continue;
      const { iteration, bracket, round } = trial.fidelity;
      const key = `${iteration}/${bracket}`;
      const known = brackets.get(key) ?? { iteration, bracket, rounds: [] };
      brackets.set(key, known);
      (known.rounds[round] ??= []).push(trial);
    }
    return [...brackets.values()];
  }

  private bracketAfter(last: Bracket | undefined): Pick<Bracket, 'iteration' | 'bracket'> | undefined {
    if (last && last.bracket > 0) return { iteration: last.iteration, bracket: last.bracket - 1 };
    const iteration = last ? last.iteration + 1 : 0;
    if (iteration >= this.schedules.length + this.options.iterations) return undefined;
    return { iteration, bracket: this.scheduleOf(iteration).bracketCount - 1 };
  }

  private scheduleOf(iteration: number): Schedule {
    return this.schedules[iteration] ?? this.schedule;
  }
}
