import type { Values } from '../space/value';
import type { StudyHistory } from './study-history';
import type { Fidelity, Memo } from './trial-record';

/** What to do next. */
export type Suggestion =
  | {
    readonly kind: 'TRIAL';
    readonly values: Values;
    readonly fidelity: Fidelity;
    /** To be stored in the record of the trial. */
    readonly memo: Memo;
    /** ENQUEUED: the values are the first enqueued ones, completed; whoever keeps the history takes them out of `enqueued`. */
    readonly origin: 'ALGORITHM' | 'ENQUEUED';
  }
  /** Nothing until a pending trial has ended. */
  | { readonly kind: 'WAIT'; readonly why: string }
  /** Nothing any more, unless the space or the settings grow. */
  | { readonly kind: 'EXHAUSTED'; readonly why: string };

/**
 * Chooses what to try. Pure and deterministic in (settings, history): it holds no state, so that whoever replays a history gets
 * the same suggestion. What it wants to remember goes into the memo of the trial.
 */
export interface Algorithm {
  suggest(history: StudyHistory): Suggestion;
}

/** New values, or none because the space holds no others. */
export type Sample =
  | { readonly kind: 'VALUES'; readonly values: Values; readonly memo: Memo }
  | { readonly kind: 'EXHAUSTED'; readonly why: string };

/**
 * Chooses the values of a trial for an algorithm that decides on fidelities itself (Hyperband, ASHA). As pure as an algorithm. It
 * never gives values that a trial of the history has.
 */
export interface Sampler {
  /** @param fidelity that of the trial to be. The sampler itself weighs the trials of the history by theirs */
  sample(history: StudyHistory, fidelity: Fidelity): Sample;
}
