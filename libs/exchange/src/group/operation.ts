import type { Position } from '@lockstep/reduction';
import type { ReceivedChunk } from '../wire/chunk-header';

/** What members do together at a position: reduce buckets, or compare claims. They do the same ones in the same order. */
export interface Operation {
  /** Number within the generation, from 1. */
  readonly number: number;
  readonly position: Position;
  /** @returns what is wrong with the chunk, in words: a fault of its sender; nothing was changed then */
  accept(from: number, chunk: ReceivedChunk): string | undefined;
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
}
