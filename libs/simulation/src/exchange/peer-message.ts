import type { Position } from '@lockstep/reduction';

/** What members say to one another. */
export type PeerMessage =
  /** The one who dials says which generation it is in. */
  | { readonly kind: 'HELLO'; readonly generation: number; readonly rank: number }
  | { readonly kind: 'ADMITTED' }
  | { readonly kind: 'REFUSED'; readonly reason: 'FENCED' | 'LEFT'; readonly why: string }
  | { readonly kind: 'CLAIM'; readonly operation: number; readonly position: Position; readonly digest: string; readonly label: string }
  /** The sender's part of a bucket for the receiver: one piece for each of its subtree roots, in order; undefined: no rows there. */
  | { readonly kind: 'CONTRIBUTION'; readonly operation: number; readonly position: Position; readonly bucket: number; readonly bucketLength: number; readonly pieces: readonly (Float32Array | undefined)[] }
  /** What the sender has reduced. */
  | { readonly kind: 'SUM'; readonly operation: number; readonly position: Position; readonly bucket: number; readonly bucketLength: number; readonly values: Float32Array };

/** A message that belongs to an operation. */
export type OperationMessage = Extract<PeerMessage, { readonly operation: number }>;
