import type { Position } from '../position';
import type { PieceHeader } from './piece-header';

/** Where a piece goes. */
export type Placement =
  /** Its payload is written to `target`; then `filled` is called, once. */
  | { readonly kind: 'EXPECTED'; readonly target: Uint8Array; readonly filled: () => void }
  /** It is not what the plan expects: a fault of its sender, in words. Nothing was changed. */
  | { readonly kind: 'FAULT'; readonly what: string };

export const fault = (what: string): Placement => ({ kind: 'FAULT', what });

/** What members do together at a position: reduce buckets, or compare claims. They do the same ones in the same order. */
export interface Operation {
  /** Number within the generation, from 1. */
  readonly number: number;
  readonly position: Position;
  /** Says where a chunk that begins to arrive goes. One that is expected counts as come from here on: it is expected once. */
  place(from: number, header: PieceHeader, payloadBytes: number): Placement;
  /** Whether something must still come from a peer. */
  owes(rank: number): boolean;
  /** Whom it waits for, for errors. */
  describeWait(bucket: number | undefined): WaitDescription;
}

/** Whom an operation waits for. */
export interface WaitDescription {
  /** `no contribution from rank 2`. */
  readonly what: string;
  /** The ranks to blame. */
  readonly ranks: readonly number[];
  /** Whether they owe sums alone: they may lack a contribution of somebody else, and that one is to blame. */
  readonly indirect?: boolean;
}
