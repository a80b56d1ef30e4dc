import type { Values } from '../space/value';

/** Small JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What an algorithm wants to find again with the trial that it suggested, e.g. the state of its seed. Stored with the trial. */
export type Memo = { readonly [key: string]: Json };

/** How much of a training a trial is. */
export type Fidelity =
  /** As much as the model's own fit asks for. */
  | { readonly kind: 'WHOLE' }
  /** One rung of a successive halving. */
  | {
    readonly kind: 'RUNG';
    /** Which sweep over all brackets, from 0. */
    readonly iteration: number;
    readonly bracket: number;
    /** From 0, the lowest rung. */
    readonly round: number;
    /** The epoch to end after, counted from the very start. */
    readonly epochs: number;
    /** The epoch to go on from: 0, or the `epochs` of the parent. */
    readonly initialEpoch: number;
    /** Number of the trial whose checkpoint this one goes on from. Absent in round 0. */
    readonly parent?: number;
  };

export const WHOLE: Fidelity = { kind: 'WHOLE' };

export type TrialState =
  /** Suggested; nobody works on it now, for the first time or because it is to be tried again. */
  | { readonly kind: 'REQUESTED' }
  | { readonly kind: 'RUNNING' }
  /** Running still, and asked to end with what it has. */
  | { readonly kind: 'STOPPING' }
  /** One finite score for each objective, in the order of the study's objectives and each in its own direction. */
  | { readonly kind: 'SUCCEEDED'; readonly scores: readonly number[] }
  /** The values cannot be evaluated, and never will. */
  | { readonly kind: 'INFEASIBLE'; readonly reason: string }
  /** Every try has failed. */
  | { readonly kind: 'FAILED'; readonly error: string }
  | { readonly kind: 'CANCELLED' };

/** What a trial has reported after an epoch. */
export interface Measurement {
  /** Epochs done so far, from 1; 0 for a trial that does not train in epochs. */
  readonly epoch: number;
  readonly metrics: ReadonlyMap<string, number>;
}

/** One point of the space, tried, being tried or about to be. */
export interface TrialRecord {
  /** From 0, in the order of suggestion: its index in the history. */
  readonly number: number;
  /** Of the parameters that were active when it was suggested (and those that its run found, since then). */
  readonly values: Values;
  readonly fidelity: Fidelity;
  readonly state: TrialState;
  /** In order of arrival. Several of one epoch are several executions, and count as their mean. */
  readonly measurements: readonly Measurement[];
  readonly memo: Memo;
}

/** Whether the trial may still come to a score: requested, running or stopping. */
export function isPending({ state }: TrialRecord): boolean {
  switch (state.kind) {
    case 'REQUESTED': case 'RUNNING': case 'STOPPING': return true;
    case 'SUCCEEDED': case 'INFEASIBLE': case 'FAILED': case 'CANCELLED': return false;
  }
}
