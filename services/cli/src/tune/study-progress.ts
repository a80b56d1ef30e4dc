/**
 * A study as its events tell it: what runs, what is best, how fast it goes. Of the trials that have ended, the best few are kept and the
 * others counted, so that a study of any length fits.
 */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { objectivesOf, toMeasurement } from '@lockstep/client';
import { Origin, type Study, type StudyEvent, type StudySpec, type Trial } from '@lockstep/contract';
import { combined, type Objective } from '@lockstep/search';
import { plannedWork } from './planned-work';

/** How many of the best trials are kept. */
const BEST_KEPT = 50;

/** A trial that has not ended. */
export interface OpenTrial {
  readonly trial: Trial;
  /** When the current try began, by the tuner's clock; undefined while nobody works on it. */
  readonly startedMs: number | undefined;
  /** The last that was measured, counted from the very start; 0 before the first. */
  readonly epoch: number;
  /** The objectives at the last epoch, NaN where one was not reported; empty before the first. */
  readonly values: readonly number[];
}

/** A trial that has succeeded. */
export interface ScoredTrial {
  readonly trial: Trial;
  readonly scores: readonly number[];
  /** Of its last try; undefined for one that was evaluated elsewhere. */
  readonly durationMs: number | undefined;
}

export interface EndedCounts {
  readonly succeeded: number;
  readonly infeasible: number;
  readonly failed: number;
  readonly cancelled: number;
}

type EndedCase = keyof EndedCounts;

export class StudyProgress {
  private current: Study | undefined;
  private readonly open = new Map<string, OpenTrial>();
  private scored: readonly ScoredTrial[] = [];
  private readonly endedNames = new Set<string>();
  private readonly counts: Record<EndedCase, number> = { succeeded: 0, infeasible: 0, failed: 0, cancelled: 0 };
  /** Trials that ended here, the time that they took and the epochs that they trained. */
  private timed = { trials: 0, ms: 0, epochs: 0 };
  /** Ended trials that count towards the study's limits: not those that were evaluated elsewhere. */
  private counted = 0;
  private lastMs = 0;

  get study(): Study | undefined {
    return this.current;
  }

  get spec(): StudySpec | undefined {
    return this.current?.spec;
  }

  get objectives(): readonly Objective[] {
    return objectivesOf(this.spec);
  }

  /** Trials that have not ended, in the order of suggestion. */
  get openTrials(): readonly OpenTrial[] {
    return [...this.open.values()];
  }

  /** The best trials, best first; those of equal standing in the order in which they ended. */
  get best(): readonly ScoredTrial[] {
    return this.scored;
  }

  get ended(): EndedCounts {
    return this.counts;
  }

  /** When the last event happened, by the tuner's clock. */
  get lastEventMs(): number {
    return this.lastMs;
  }

  /** Takes in an event; events come in their order. */
  apply({ event, time }: StudyEvent): void {
    const atMs = time ? timestampMs(time) : this.lastMs;
    this.lastMs = Math.max(this.lastMs, atMs);
    switch (event.case) {
      case 'created':
      case 'updated':
        this.current = event.value;
        return;
      case 'trialChanged': return this.change(event.value, atMs);
      case 'trialMeasured': {
        const known = this.open.get(event.value.trial);
        if (!known || !event.value.measurement) return;
        const { epoch, metrics } = toMeasurement(event.value.measurement);
        if (epoch >= known.epoch) this.open.set(event.value.trial, { ...known, epoch, values: this.objectives.map(({ metric }) => metrics.get(metric) ?? NaN) });
        return;
      }
      case 'trialEnqueued':
      case 'deleted':
      case undefined: return;
    }
  }

  /** True when it suggests no more trials, and none runs. */
  get isOver(): boolean {
    return this.current !== undefined && this.current.state.case !== 'active' && this.openTrials.every(({ startedMs }) => startedMs === undefined);
  }

  /** How far the study is: trials that have ended and count, of how many, and the seconds until its end; undefined where nobody knows. */
  get outlook(): { readonly countedTrials: number; readonly plannedTrials: number | undefined; readonly remainingSeconds: number | undefined } {
    const planned = plannedWork(this.spec);
    return { countedTrials: this.counted, plannedTrials: planned.trials, remainingSeconds: this.remainingSeconds(planned) };
  }

  private change(trial: Trial, atMs: number): void {
    const { name, state } = trial;
    if (this.endedNames.has(name)) return;
    const known = this.open.get(name);
    switch (state.case) {
      case 'requested':
      case undefined:
        // A new try begins without measurements.
        this.open.set(name, { trial, startedMs: undefined, epoch: 0, values: [] });
        return;
      case 'running':
      case 'stopping':
        this.open.set(name, { trial, startedMs: known?.startedMs ?? atMs, epoch: known?.epoch ?? 0, values: known?.values ?? [] });
        return;
      case 'succeeded':
      case 'infeasible':
      case 'failed':
      case 'cancelled': {
        this.open.delete(name);
        this.endedNames.add(name);
        this.counts[state.case]++;
        if (trial.origin !== Origin.IMPORTED) this.counted++;
        const durationMs = known?.startedMs === undefined ? undefined : Math.max(0, atMs - known.startedMs);
        if (durationMs !== undefined) {
          const epochs = Math.max(0, (known?.epoch ?? 0) - (trial.rung?.initialEpoch ?? 0));
          this.timed = { trials: this.timed.trials + 1, ms: this.timed.ms + durationMs, epochs: this.timed.epochs + epochs };
        }
        if (state.case === 'succeeded') this.rank({ trial, scores: state.value.scores, durationMs });
      }
    }
  }

  private rank(scored: ScoredTrial): void {
    const { objectives } = this;
    const standing = combined(scored.scores, objectives);
    const before = this.scored.findIndex(({ scores }) => standing < combined(scores, objectives));
    this.scored = this.scored.toSpliced(before === -1 ? this.scored.length : before, 0, scored).slice(0, BEST_KEPT);
  }

  private remainingSeconds({ trials, epochs }: ReturnType<typeof plannedWork>): number | undefined {
    if (this.current?.state.case !== 'active') return 0;
    const { timed } = this;
    const running = this.openTrials.filter(({ startedMs }) => startedMs !== undefined);
    const parallel = Math.max(1, running.length);
    const seconds = timed.ms / 1000 / parallel;
    // By epochs where they are planned: the trials of a Hyperband differ in length.
    if (epochs !== undefined && timed.epochs > 0) {
      const begun = running.reduce((sum, { trial, epoch }) => sum + Math.max(0, epoch - (trial.rung?.initialEpoch ?? 0)), 0);
      return Math.max(0, epochs - timed.epochs - begun) * seconds / timed.epochs;
    }
    if (trials === undefined || timed.trials === 0) return undefined;
    const begun = running.reduce((sum, { startedMs = this.lastMs }) => sum + Math.min(1, (this.lastMs - startedMs) * timed.trials / Math.max(1, timed.ms)), 0);
    return Math.max(0, trials - this.counted - begun) * seconds / timed.trials;
  }
}
