import { evenPart, type Range } from '@lockstep/reduction';

/** A place in a generation before its holder has reported where it listens. */
export interface Seat {
  readonly rank: number;
  /** Resource name, workers/{worker}. */
  readonly worker: string;
  /** The logical replicas that the seat computes. */
  readonly range: Range;
}

/** A member of a generation. */
export interface GroupMember extends Seat {
  /** host:port of its exchange. */
  readonly address: string;
}

/**
 * Deals V logical replicas to workers, in the order given, as contiguous ranges whose lengths differ by at most one.
 *
 * @throws RangeError when there are more workers than replicas, or none.
 */
export function dealSeats(replicas: number, workers: readonly string[]): readonly Seat[] {
  if (workers.length < 1 || workers.length > replicas) {
    throw new RangeError(`${workers.length} workers cannot share ${replicas} logical replicas: each needs at least one`);
  }
  return workers.map((worker, rank) => ({ rank, worker, range: evenPart(replicas, workers.length, rank) }));
}
