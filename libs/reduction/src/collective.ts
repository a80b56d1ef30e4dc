/**
 * The all-reduce as training sees it.
 *
 * 1. All members of a generation open the same rounds in the same order, with the same bucket lengths and presence.
 * 2. A round's inputs are the sums over the member's subtree roots; its outputs are the sums over the whole tree,
 *    bit for bit what `foldTree` over all leaves gives.
 * 3. Every wait has a deadline and throws a CollectiveError that names the position, the bucket and the rank.
 */
import type { Position } from './position';
import type { Range } from './range';

/** One all-reduce over one or several buckets of float32 values. */
export interface Round {
  readonly position: Position;
  /** Length of each bucket in elements (not bytes). */
  readonly bucketLengths: readonly number[];
  /** For each of the V logical replicas, whether it has rows at this position. At least one has. */
  readonly present: readonly boolean[];
}

/** What a member says at the start of a collective call, so that a disagreement is found before anything is added. */
export interface CallClaim {
  /** SHA-256 of the call's kind and arguments. */
  readonly digest: Uint8Array;
  /** The call in words, for the error: `fit(epochs=3, batchSize=32)`. */
  readonly label: string;
}

/** The members of a generation, as one of them sees them. Blocking by design: it runs on the compute thread. */
export interface Collective {
  /** V, the number of logical replicas. */
  readonly replicas: number;
  readonly rank: number;
  readonly worldSize: number;
  /** The logical replicas that this member computes. */
  readonly range: Range;
  /** The subtree roots inside `range`: what this member contributes to each bucket. */
  readonly roots: readonly Range[];
  /** Called before a step reads its rows: members may be changed here, and `range` and `roots` with them. */
  boundary(): void;
  /**
   * Compares the claims of all members.
   * @throws CollectiveError (reason CALL_MISMATCH) that names both ranks and both labels.
   */
  agree(position: Position, claim: CallClaim): void;
  /** Opens a round; the one before must be finished. Views of earlier rounds are invalid from here on. */
  begin(round: Round): void;
  /** Where to write the sum over `roots[root]` of a bucket. Not called for a root without rows. */
  input(bucket: number, root: number): Float32Array;
  /** This member's part of the bucket is written: the exchange may start while other buckets are computed. */
  submit(bucket: number): void;
  /** Blocks until the bucket is reduced. The view is valid until the next begin(). */
  wait(bucket: number): Float32Array;
  /** Leaves the group and frees the arena. */
  close(): Promise<void>;
}

export type CollectiveErrorReason =
  | 'DEADLINE' | 'PEER_LOST' | 'CALL_MISMATCH' | 'FENCED' | 'CLOSED' | 'TOO_LARGE' | 'PROTOCOL'
  /** The members changed while an all-reduce ran. The next group stands: compute this member's replicas again, and reduce again. */
  | 'REGROUPED'
  /** A joiner could not be handed the state at this moment. */
  | 'JOIN_DEFERRED'
  /** This member's part in the job is over: the job has ended, or goes on without it. */
  | 'OVER';

/** Why a collective operation failed, with whom it waited for. */
export class CollectiveError extends Error {
  override readonly name = 'CollectiveError';
  constructor(
    readonly reason: CollectiveErrorReason,
    message: string,
    readonly details: {
      readonly position?: Position;
      readonly bucket?: number;
      /** Ranks that this member waited for, or that disagree with it. */
      readonly ranks?: readonly number[];
      /** Those ranks owe sums alone, and may wait for somebody else themselves. */
      readonly indirect?: boolean;
    } = {},
  ) {
    super(message);
  }
}
