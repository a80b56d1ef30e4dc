import { planReduction, type Position, type ReductionPlan } from '@lockstep/reduction';
import type { ArenaAccess } from '../arena/arena-access';
import type { RoundPlace, RoundShape } from '../arena/arena-layout';
import { NODE_CLAIM, type ReceivedChunk } from '../wire/chunk-header';
import { BucketReduction, type Missing, type OutgoingPiece } from './bucket-reduction';
import { formatRanks } from './exchange-group';
import type { Operation, WaitDescription } from './operation';

export interface RoundContext {
  readonly number: number;
  readonly position: Position;
  readonly shape: RoundShape;
  readonly place: RoundPlace;
  /** For each logical replica, whether it has rows. */
  readonly present: readonly boolean[];
  readonly arena: ArenaAccess;
  readonly send: (piece: OutgoingPiece) => void;
  /** Called once per bucket, when its output is complete. */
  readonly reduced: (bucket: number) => void;
}

/** An all-reduce over some buckets. */
export class RoundOperation implements Operation {
  readonly number: number;
  readonly position: Position;
  readonly plan: ReductionPlan;
  private readonly buckets: readonly BucketReduction[];
  private readonly reported: boolean[];
  private unfinished: number;

  constructor(private readonly context: RoundContext) {
    const { number, position, shape, place, present, arena, send } = context;
    this.number = number;
    this.position = position;
    this.plan = planReduction(shape.replicas, shape.slots, present);
    const bucketContext = {
      rank: shape.rank, worldSize: shape.worldSize, slots: shape.slots, plan: this.plan, registers: place.registers,
      chunkLength: shape.constants.chunkBytes / Float32Array.BYTES_PER_ELEMENT, arena, send,
    };
    this.buckets = place.buckets.map((bucket, index) => new BucketReduction(bucketContext, index, bucket));
    this.reported = this.buckets.map(() => false);
    this.unfinished = this.buckets.length;
  }

  get finished(): boolean {
    return this.unfinished === 0;
  }

  submit(bucket: number): void {
    this.at(bucket).submit();
    this.report(bucket);
  }

  accept(from: number, { header, payload }: ReceivedChunk): string | undefined {
    if (header.node === NODE_CLAIM) return 'compares collective calls while this member reduces buckets';
    const bucket = this.buckets[header.bucket];
    if (!bucket) return `sends bucket ${header.bucket}; there are ${this.buckets.length}`;
    const fault = bucket.accept(from, header, payload);
    if (fault === undefined) this.report(header.bucket);
    return fault;
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
    return { what: faults.join(', ') || 'nothing is missing', ranks: contributions.length > 0 ? contributions : sums };
  }

  private report(bucket: number): void {
    if (this.reported[bucket] === true || !this.at(bucket).finished) return;
    this.reported[bucket] = true;
    this.unfinished--;
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
