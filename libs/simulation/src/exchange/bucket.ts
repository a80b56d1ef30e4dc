/** One bucket of a round on one member: contributions in, libs/reduction's additions in their order, sums out. */
import { rangeLength, splitBucket, type BucketSplit, type Operand, type Range, type ReductionPlan, type Slot } from '@lockstep/reduction';
import type { OperationMessage } from './peer-message';

export interface BucketContext {
  readonly index: number;
  readonly length: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly slots: readonly Slot[];
  readonly plan: ReductionPlan;
  readonly oneShotBytes: number;
  /** Only a planted bug adds in the order of arrival. */
  readonly addsAsTheyCome: boolean;
  /** Only a planted bug leaves empty contributions out. */
  readonly saysNothingWhenEmpty: boolean;
  readonly send: (to: number, message: { readonly kind: 'CONTRIBUTION'; readonly pieces: readonly (Float32Array | undefined)[] } | { readonly kind: 'SUM'; readonly values: Float32Array }) => void;
}

export class Bucket {
  /** By own root. */
  readonly inputs: readonly Float32Array[];
  readonly output: Float32Array;
  submitted = false;
  private readonly split: BucketSplit;
  private readonly own: Range;
  private readonly values: (Float32Array | undefined)[];
  /** Slots in the order in which they came. */
  private readonly arrived: number[] = [];
  private readonly contributionsMissing: Set<number>;
  private readonly sumsMissing: Set<number>;
  private added = false;

  constructor(private readonly context: BucketContext) {
    const { length, rank, worldSize, slots, oneShotBytes } = context;
    this.split = splitBucket(length, worldSize, slots.length, oneShotBytes);
    this.own = this.owned(rank);
    this.inputs = slots.filter((slot) => slot.rank === rank).map(() => new Float32Array(length));
    this.output = new Float32Array(length);
    this.values = slots.map(() => undefined);
    const peers = Array.from({ length: worldSize }, (_, peer) => peer).filter((peer) => peer !== rank);
    this.contributionsMissing = new Set(peers);
    this.sumsMissing = new Set(this.split.mode === 'ONE_SHOT' ? [] : peers.filter((peer) => rangeLength(this.owned(peer)) > 0));
  }

  get finished(): boolean {
    return this.added && this.sumsMissing.size === 0;
  }

  owes(rank: number): boolean {
    return this.contributionsMissing.has(rank) || this.sumsMissing.has(rank);
  }

  /** Ranks whose contributions are missing. */
  get lateContributors(): readonly number[] {
    return [...this.contributionsMissing];
  }

  submit(): void {
    const { rank, worldSize, slots, plan, send, saysNothingWhenEmpty } = this.context;
    this.submitted = true;
    const own = slots.flatMap((slot, i) => (slot.rank === rank ? [{ slot: i, input: this.inputs[slot.index] }] : []));
    for (const { slot, input } of own) this.place(slot, plan.present[slot] === true ? input?.slice(this.own.from, this.own.to) : undefined);
    const empty = own.every(({ slot }) => plan.present[slot] !== true);
    for (let step = 1; step < worldSize && !(empty && saysNothingWhenEmpty); step++) {
      const to = (rank + step) % worldSize;
      const { from, to: end } = this.owned(to);
      send(to, { kind: 'CONTRIBUTION', pieces: own.map(({ slot, input }) => (plan.present[slot] === true ? input?.slice(from, end) : undefined)) });
    }
    this.addIfComplete();
  }

  /** @returns what is wrong with it; undefined when it was taken */
  receive(from: number, message: Extract<OperationMessage, { kind: 'CONTRIBUTION' | 'SUM' }>): string | undefined {
    if (message.bucketLength !== this.context.length) return `says bucket ${this.context.index} has ${message.bucketLength} elements, here it has ${this.context.length}`;
    if (message.kind === 'SUM') {
      const range = this.owned(from);
      if (!this.sumsMissing.delete(from) || message.values.length !== rangeLength(range)) return 'sends a sum that it does not owe';
      this.output.set(message.values, range.from);
      return undefined;
    }
    if (!this.contributionsMissing.delete(from)) return 'contributes twice';
    this.context.slots.forEach((slot, i) => {
      if (slot.rank === from) this.place(i, message.pieces[slot.index]);
    });
    this.addIfComplete();
    return undefined;
  }

  private place(slot: number, values: Float32Array | undefined): void {
    this.values[slot] = values;
    if (values) this.arrived.push(slot);
  }

  private addIfComplete(): void {
    if (!this.submitted || this.added || this.contributionsMissing.size > 0) return;
    this.added = true;
    const { rank, worldSize, send, addsAsTheyCome } = this.context;
    const sums = addsAsTheyCome ? this.addAsTheyCame() : this.addByPlan();
    this.output.set(sums, this.own.from);
    if (this.split.mode === 'ONE_SHOT' || sums.length === 0) return;
    for (let step = 1; step < worldSize; step++) send((rank + step) % worldSize, { kind: 'SUM', values: sums });
  }

  private addByPlan(): Float32Array {
    const registers: Float32Array[] = [];
    const value = (operand: Operand): Float32Array => {
      const found = operand.kind === 'SLOT' ? this.values[operand.slot] : registers[operand.register];
      if (!found) throw new RangeError(`the plan of bucket ${this.context.index} reads ${JSON.stringify(operand)}, which is not there`);
      return found;
    };
    let output: Float32Array = new Float32Array(rangeLength(this.own));
    for (const step of this.context.plan.steps) {
      const sum = step.kind === 'COPY' ? value(step.from) : add(value(step.left), value(step.right));
      if (step.kind === 'COPY' || step.target.kind === 'OUTPUT') output = sum;
      else registers[step.target.register] = sum;
    }
    return output;
  }

  private addAsTheyCame(): Float32Array {
    return this.arrived.map((slot) => this.values[slot]).reduce((sum, values) => (sum && values ? add(sum, values) : sum ?? values)) ?? new Float32Array(0);
  }

  private owned(rank: number): Range {
    return this.split.owned[rank] ?? { from: 0, to: 0 };
  }
}

function add(left: Float32Array, right: Float32Array): Float32Array {
  const sum = new Float32Array(left.length);
  for (let i = 0; i < sum.length; i++) sum[i] = (left[i] ?? NaN) + (right[i] ?? NaN);
  return sum;
}
