/** What compute thread and exchange thread say to each other. */
import { CollectiveError, type CallClaim, type CollectiveErrorReason, type Position, type WaitDescription } from '@lockstep/reduction';
import type { ExchangeGroup } from '../group/exchange-group';
import type { BeginRound } from '../group/group';

/** Shared memory of a generation. */
export interface SharedState {
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

/** A request that is answered once. */
export type Request =
  /** Leaves the generation before, and joins this one. */
  | { readonly kind: 'CONFIGURE'; readonly group: ExchangeGroup; readonly shared: SharedState }
  /** Waits until nothing of the arena is in flight. */
  | { readonly kind: 'FLUSH' }
  /** Whom does the running operation wait for? */
  | { readonly kind: 'EXPLAIN'; readonly bucket: number | undefined }
  | { readonly kind: 'LEAVE'; readonly generation: bigint }
  | { readonly kind: 'SHUT_DOWN' };

/** What needs no answer. Each names its generation: one that is over is ignored. */
export type Command =
  | { readonly kind: 'BEGIN'; readonly generation: bigint; readonly round: BeginRound; readonly bucket: number }
  | { readonly kind: 'SUBMIT'; readonly generation: bigint; readonly bucket: number }
  | { readonly kind: 'AGREE'; readonly generation: bigint; readonly number: number; readonly position: Position; readonly claim: CallClaim };

export type ToThread = Command | { readonly kind: 'REQUEST'; readonly id: number; readonly request: Request };

/** Answers: EXPLAIN gives a description, the others nothing. */
export type Answer =
  | { readonly kind: 'DONE'; readonly wait?: WaitDescription }
  | { readonly kind: 'REFUSED'; readonly error: WireError };

export type FromThread =
  | { readonly kind: 'LISTENING'; readonly address: string }
  | { readonly kind: 'CANNOT_LISTEN'; readonly error: WireError }
  | { readonly kind: 'ANSWER'; readonly id: number; readonly answer: Answer }
  /** The generation's work is over. */
  | { readonly kind: 'FAILED'; readonly generation: bigint; readonly error: WireError };

/** An error between threads: structured cloning drops classes. */
export interface WireError {
  /** Undefined when it is no CollectiveError. */
  readonly reason: CollectiveErrorReason | undefined;
  readonly message: string;
  readonly details: CollectiveError['details'];
}

export const toWireError = (error: unknown): WireError =>
  error instanceof CollectiveError
    ? { reason: error.reason, message: error.message, details: error.details }
    : { reason: undefined, message: error instanceof Error ? error.message : String(error), details: {} };

export const fromWireError = ({ reason, message, details }: WireError): Error =>
  reason === undefined ? new Error(message) : new CollectiveError(reason, message, details);
