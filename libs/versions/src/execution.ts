/** Lineage: what was run, on which versions, and what came of it. */
import type { Label } from './label';
import type { VersionName } from './resource-name';

/** How an execution can end. */
export type ExecutionOutcome = 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export type ExecutionState =
  | { readonly kind: 'RUNNING' }
  | { readonly kind: ExecutionOutcome; readonly endTimeMs: number; readonly detail: string };

/** A version in a role of an execution. */
export interface ExecutionArtifact {
  readonly key: string;
  readonly version: VersionName;
}

/** What a caller says of an execution when it begins; it never changes. */
export interface ExecutionSpec {
  readonly type: string;
  /** SHA-256 of the specification in hex, or '' when there is none. */
  readonly specDigest: string;
  readonly inputs: readonly ExecutionArtifact[];
  /** Sorted by key. */
  readonly labels: readonly Label[];
}

export type CompletionDecision =
  | { readonly kind: 'END'; readonly state: ExecutionState }
  /** It has ended like that before: a retry. */
  | { readonly kind: 'UNCHANGED' }
  | { readonly kind: 'REFUSED'; readonly message: string };

/** Decides what ending an execution means where it stands. */
export function decideCompletion(execution: string, state: ExecutionState, outcome: ExecutionOutcome, detail: string, nowMs: number): CompletionDecision {
  switch (state.kind) {
    case 'RUNNING': return { kind: 'END', state: { kind: outcome, endTimeMs: nowMs, detail } };
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELLED':
      return state.kind === outcome
        ? { kind: 'UNCHANGED' }
        : { kind: 'REFUSED', message: `execution ${execution} has ended as ${state.kind} and cannot end as ${outcome}: begin a new one` };
  }
}
