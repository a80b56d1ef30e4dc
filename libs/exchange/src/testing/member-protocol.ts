import type { CollectiveErrorReason, Position } from '@lockstep/reduction';
import type { ExchangeGroup } from '../group/exchange-group';
import type { ExchangeStats } from '../group/counters';
import type { ExchangeOptions } from '../options';

/** What a test tells a member process. Sent over the fork's channel with advanced serialisation. */
export type MemberCommand =
  | { readonly kind: 'CREATE'; readonly options: ExchangeOptions }
  | { readonly kind: 'CONFIGURE'; readonly group: ExchangeGroup }
  /** All-reduces of leafValues(replica, bucket, seed, length). */
  | { readonly kind: 'ROUND'; readonly position: Position; readonly bucketLengths: readonly number[]; readonly present: readonly boolean[]; readonly seed: number }
  /** Rounds of the lengths in turn, checked by value, without a word in between. */
  | { readonly kind: 'SOAK'; readonly rounds: number; readonly lengths: readonly number[] }
  | { readonly kind: 'AGREE'; readonly position: Position; readonly label: string }
  | { readonly kind: 'STATS' }
  | { readonly kind: 'LEAVE' }
  | { readonly kind: 'CLOSE' };

export interface MemberReply {
  /** CREATE. */
  readonly address?: string;
  /** ROUND: SHA-256 of each bucket's output. */
  readonly digests?: readonly string[];
  readonly stats?: ExchangeStats;
  readonly error?: { readonly name: string; readonly message: string; readonly reason?: CollectiveErrorReason; readonly ranks?: readonly number[]; readonly bucket?: number };
}
