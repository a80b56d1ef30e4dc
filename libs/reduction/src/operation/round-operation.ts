import type { Position } from '../position';
import type { ReductionPlan, Slot } from '../reduction-plan';
import type { RoundPlace } from './arena-layout';
import { BucketReduction, type Missing, type OutgoingPiece } from './bucket-reduction';
import { formatRanks } from './format-ranks';
import { fault, type Operation, type Placement, type WaitDescription } from './operation';
import { NODE_CLAIM, type PieceHeader } from './piece-header';
import type { RoundMemory } from './round-memory';

export interface RoundContext {
  readonly number: number;
  readonly position: Position;
  readonly rank: number;
  readonly worldSize: number;
  readonly slots: readonly Slot[];
  readonly plan: ReductionPlan;
  readonly place: RoundPlace;
  /** Elements of a full chunk. */
  readonly chunkLength: number;
  /** Buckets up to this size are copied before they are sent. */
  readonly copyBytes: number;
  readonly arena: RoundMemory;
  readonly send: (piece: OutgoingPiece) => void;
  /** Called once, when all buckets are complete, before the last one is announced. */
  readonly finished: () => void;
  /** Called once per bucket, when its output is complete. */
  readonly reduced: (bucket: number) => void;
}

/** An all-reduce over some buckets. */
export class RoundOperation implements Operation {
  readonly number: number;
  readonly position: Position;
  private readonly buckets: readonly BucketReduction[];
  private readonly reported: boolean[];
  private unfinished: number;

  constructor(private readonly context: RoundContext) {
    this.number = context.number;
    this.position = context.position;
    const bucketContext = {
      ...context,
      registers: context.place.registers,
      progressed: (bucket: number) => this.report(bucket),
    };
    this.buckets = context.place.buckets.map((bucket, index) => new BucketReduction(bucketContext, index, bucket));
    this.reported = this.buckets.map(() => false);
    this.unfinished = this.buckets.length;
  }

  submit(bucket: number): void {
    this.at(bucket).submit();
    this.report(bucket);
  }

  place(from: number, header: PieceHeader, payloadBytes: number): Placement {
    if (header.node === NODE_CLAIM) return fault('compares collective calls while this member reduces buckets');
    const bucket = this.buckets[header.bucket];
    return bucket ? bucket.place(from, header, payloadBytes) : fault(`sends bucket ${header.bucket}; there are ${this.buckets.length}`);
  }

  owes(rank: number): boolean {
    return this.buckets.some((bucket) => bucket.owes(rank));
  }

  describeWait(bucket: number | undefined): WaitDescription {
    const missing = (bucket === undefined ? this.buckets : [this.at(bucket)]).map((one) => one.missing());
    const contributions = unite(missing, (one) => one.contributions);
    const sums = unite(missing, (one) => one.sums);
    const faults: string[] = [];
    if (contributions.length > 0) faults.push(`no complete contribution from ${formatRanks(contributions)}`);
    if (sums.length > 0) faults.push(`no complete sums from ${formatRanks(sums)}`);
    if (missing.some((one) => !one.submitted)) faults.push('this member has not submitted its own part');
    // Who waits for somebody's contribution cannot send sums: the one who owes contributions is to blame.
    return { what: faults.join(', ') || 'nothing is missing', ranks: contributions.length > 0 ? contributions : sums, indirect: contributions.length === 0 };
  }

  private report(bucket: number): void {
    if (this.reported[bucket] === true || !this.at(bucket).finished) return;
    this.reported[bucket] = true;
    this.unfinished--;
    if (this.unfinished === 0) this.context.finished();
    this.context.reduced(bucket);
  }

  private at(bucket: number): BucketReduction {
    const found = this.buckets[bucket];
    if (!found) throw new RangeError(`bucket ${bucket} of ${this.buckets.length}`);
    return found;
  }
}

const unite = (missing: readonly Missing[], pick: (one: Missing) => readonly number[]): number[] =>
  [...new Set(missing.flatMap(pick))].sort((a, b) => a - b);
