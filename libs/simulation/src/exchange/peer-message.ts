import type { PieceHeader, Position } from '@lockstep/reduction';

/** A piece of an operation, with its payload as it was when it left. */
export interface Piece extends PieceHeader {
  /** Number of the operation in the generation. */
  readonly operation: number;
  readonly position: Position;
  readonly payload: Uint8Array;
}

/** What members say to one another. */
export type PeerMessage =
  /** The one who dials says which generation it is in. */
  | { readonly kind: 'HELLO'; readonly generation: number; readonly rank: number }
  | { readonly kind: 'ADMITTED' }
  | { readonly kind: 'REFUSED'; readonly reason: 'FENCED' | 'LEFT'; readonly why: string }
  /** What lay in the stream's queue when it was written, in order. */
  | { readonly kind: 'PIECES'; readonly pieces: readonly Piece[] };
