/** What the service and its suggestion threads say to one another. */
import type { Measurement, StopDecision, TrialRecord, Values } from '@lockstep/search';
import type { ReplicaSetup, Suggestions } from './study-replica';

export type ToThread =
  | { readonly kind: 'OPEN'; readonly study: string; readonly setup: ReplicaSetup }
  | { readonly kind: 'SET'; readonly study: string; readonly setup: ReplicaSetup }
  | { readonly kind: 'ENQUEUED'; readonly study: string; readonly enqueued: readonly Values[] }
  | { readonly kind: 'PUT'; readonly study: string; readonly trials: readonly TrialRecord[] }
  | { readonly kind: 'MEASURED'; readonly study: string; readonly number: number; readonly measurement: Measurement }
  | { readonly kind: 'CLOSE'; readonly study: string }
  | { readonly kind: 'CALL'; readonly study: string; readonly call: ThreadCall };

/** A question that is answered. */
export type ThreadCall = { readonly kind: 'SUGGEST'; readonly count: number } | { readonly kind: 'CHECK_STOP'; readonly number: number };

/** Answers come in the order of the questions. */
export type ThreadAnswer =
  | { readonly kind: 'SUGGESTED'; readonly suggestions: Suggestions }
  | { readonly kind: 'CHECKED'; readonly decision: StopDecision }
  /** The algorithm threw. */
  | { readonly kind: 'FAILED'; readonly message: string };
