/** The history of a study where suggestions are made, kept up change by change. */
import {
  valuesKey, type Algorithm, type Measurement, type Objective, type SearchSpace, type StopDecision, type Stopper, type StudyHistory, type Suggestion, type TrialRecord, type Values,
} from '@lockstep/search';
import { makeAlgorithm, makeStopper, type AlgorithmSettings, type StopperSettings } from './algorithm-settings';

/** Everything that suggestions depend on, beside the trials. */
export interface ReplicaSetup {
  readonly algorithm: AlgorithmSettings;
  readonly stopper: StopperSettings;
  readonly space: SearchSpace;
  readonly objectives: readonly Objective[];
  readonly seed: number;
}

/** Suggestions, and why there are no more of them than were wanted. */
export interface Suggestions {
  readonly trials: readonly Extract<Suggestion, { readonly kind: 'TRIAL' }>[];
  readonly end: Exclude<Suggestion, { readonly kind: 'TRIAL' }> | undefined;
}

/** A round of suggestions takes no longer than it must: who has waited gets what there is. */
const ROUND_MS = 150;

export class StudyReplica {
  private readonly trials: TrialRecord[] = [];
  private algorithm: Algorithm;
  private stopper: Stopper | undefined;
  private enqueued: readonly Values[] = [];

  /** @throws SearchError INVALID_SETTINGS */
  constructor(private setup: ReplicaSetup, private readonly nowMs: () => number) {
    this.algorithm = makeAlgorithm(setup.algorithm);
    this.stopper = makeStopper(setup.stopper);
  }

  /** Takes up values that are to be tried first, those of before that still are included. */
  enqueue(enqueued: readonly Values[]): void {
    this.enqueued = enqueued;
  }

  /** Takes up settings or a space that have changed. */
  set(setup: ReplicaSetup): void {
    if (JSON.stringify(setup.algorithm) !== JSON.stringify(this.setup.algorithm)) this.algorithm = makeAlgorithm(setup.algorithm);
    this.setup = setup;
  }

  /** Takes up trials that are new or have changed; a number beyond the last one follows it at once. */
  put(trials: readonly TrialRecord[]): void {
    for (const trial of trials) {
      const known = this.trials[trial.number];
      // The same values are the same object: algorithms remember what they made of it.
      this.trials[trial.number] = known && valuesKey(known.values) === valuesKey(trial.values) ? { ...trial, values: known.values } : trial;
    }
  }

  measured(number: number, measurement: Measurement): void {
    const trial = this.trials[number];
    if (trial) this.trials[number] = { ...trial, measurements: [...trial.measurements, measurement] };
  }

  /** What to try next: each suggestion knows of the ones before it. None of them is kept: those that are taken up are put. */
  suggest(count: number): Suggestions {
    const startedMs = this.nowMs();
    const known = this.trials.length;
    const enqueued = [...this.enqueued];
    const taken: Extract<Suggestion, { readonly kind: 'TRIAL' }>[] = [];
    try {
      while (taken.length < count && (taken.length === 0 || this.nowMs() - startedMs < ROUND_MS)) {
        const suggestion = this.algorithm.suggest(this.history(enqueued));
        if (suggestion.kind !== 'TRIAL') return { trials: taken, end: suggestion };
        taken.push(suggestion);
        if (suggestion.origin === 'ENQUEUED') enqueued.shift();
        const { values, fidelity, memo } = suggestion;
        this.trials.push({ number: this.trials.length, values, fidelity, memo, state: { kind: 'RUNNING' }, measurements: [] });
      }
      return { trials: taken, end: undefined };
    } finally {
      this.trials.length = known;
    }
  }

  checkStop(number: number): StopDecision {
    const trial = this.trials[number];
    if (!trial || !this.stopper) return { kind: 'GO_ON' };
    return this.stopper.check(this.history(this.enqueued), trial);
  }

  private history(enqueued: readonly Values[]): StudyHistory {
    const { space, objectives, seed } = this.setup;
    return { space, objectives, seed, trials: this.trials, enqueued };
  }
}
