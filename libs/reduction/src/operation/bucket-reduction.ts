/**
 * One bucket of a round on one member: contributions in, additions, sums out.
 *
 * 1. A chunk is placed only when node, offset, length and sender are what the plan expects, and only once. It is written to its
 *    place as it comes, and counts when it is whole.
 * 2. A chunk is reduced when the own part is submitted, every present slot's values are there, and whoever contributes
 *    nothing has said so: in the plan's order, whatever the order of arrival. Who has spoken in this operation has all
 *    sums of the one before, which may be sent from where this one's are written.
 * 3. The bucket is finished when every member has said what it contributes, be it nothing, all sums are in place, and the
 *    own inputs may be written again.
 */
import { chunkCount, chunkRange } from '../chunk-ownership';
import { rangeLength, type Range } from '../range';
import { nodeNumber, type Operand, type ReductionPlan, type Slot } from '../reduction-plan';
import type { BucketPlace } from './arena-layout';
import { fault, type Placement } from './operation';
import { NODE_SUM, type PieceHeader } from './piece-header';
import type { RoundMemory } from './round-memory';

const ELEMENT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** A piece of a bucket for one peer. */
export interface OutgoingPiece extends PieceHeader {
  readonly to: number;
  readonly payload: Uint8Array;
  /** Called once the payload may change. */
  readonly onSent?: () => void;
}

export interface BucketContext {
  readonly rank: number;
  readonly worldSize: number;
  readonly slots: readonly Slot[];
  readonly plan: ReductionPlan;
  readonly registers: readonly number[];
  /** Elements of a full chunk. */
  readonly chunkLength: number;
  readonly arena: RoundMemory;
  /** Buckets up to this size are copied before they are sent. */
  readonly copyBytes: number;
  readonly send: (piece: OutgoingPiece) => void;
  /** The bucket may have finished. */
  readonly progressed: (bucket: number) => void;
}

/** Whom a bucket still waits for. */
export interface Missing {
  /** Whether the own part is submitted. */
  readonly submitted: boolean;
  /** Ranks whose contribution is not complete. */
  readonly contributions: readonly number[];
  /** Ranks whose sums are not complete. */
  readonly sums: readonly number[];
}

export class BucketReduction {
  private readonly own: Range;
  private readonly gathered: boolean;
  /** Per own chunk: present slots of peers whose values are not there. */
  private readonly pending: Uint16Array;
  private readonly reduced: Uint8Array;
  /** Absent slots of peers who have not said so. */
  private silent: number;
  private reducedChunks = 0;
  private submitted = false;
  /** Chunks that were received, as `slot or rank : chunk`. */
  private readonly seen = new Set<number>();
  private readonly contributionsMissing: Int32Array;
  private readonly sumsMissing: Int32Array;
  private messagesMissing: number;
  /** Own payloads in the arena whose being sent nothing else shows. */
  private unsent = 0;

  constructor(
    private readonly context: BucketContext,
    private readonly index: number,
    private readonly at: BucketPlace,
  ) {
    const { rank, worldSize, slots, plan, chunkLength } = context;
    this.own = this.owned(rank);
    this.gathered = this.at.split.mode === 'SCATTER_GATHER';
    const chunks = chunkCount(this.own, chunkLength);
    const foreign = slots.map((slot, i) => ({ slot, i })).filter(({ slot }) => slot.rank !== rank);
    this.pending = new Uint16Array(chunks).fill(foreign.filter(({ i }) => plan.present[i] === true).length);
    this.reduced = new Uint8Array(chunks);
    this.silent = foreign.filter(({ i }) => plan.present[i] !== true).length;
    this.contributionsMissing = new Int32Array(worldSize);
    this.sumsMissing = new Int32Array(worldSize);
    for (const { slot, i } of foreign) this.bump(this.contributionsMissing, slot.rank, plan.present[i] === true ? chunks : 1);
    for (let peer = 0; peer < worldSize; peer++) {
      if (this.gathered && peer !== rank && rangeLength(this.owned(peer)) > 0) this.sumsMissing[peer] = chunkCount(this.owned(peer), chunkLength);
    }
    this.messagesMissing = sum(this.contributionsMissing) + sum(this.sumsMissing);
  }

  get finished(): boolean {
    return this.submitted && this.messagesMissing === 0 && this.reducedChunks === this.reduced.length && this.unsent === 0;
  }

  /** The own inputs are written: sends them and reduces what is complete. */
  submit(): void {
    this.submitted = true;
    this.sendContributions();
    this.reduceComplete();
  }

  place(from: number, header: PieceHeader, payloadBytes: number): Placement {
    if (header.bucketBytes !== this.at.length * ELEMENT_BYTES) {
      return fault(`says bucket ${this.index} has ${header.bucketBytes} bytes, here it has ${this.at.length * ELEMENT_BYTES}`);
    }
    return header.node === NODE_SUM ? this.placeSum(from, header, payloadBytes) : this.placeContribution(from, header, payloadBytes);
  }

  owes(rank: number): boolean {
    return (this.contributionsMissing[rank] ?? 0) > 0 || (this.sumsMissing[rank] ?? 0) > 0;
  }

  missing(): Missing {
    const ranks = (counts: Int32Array): number[] => Array.from(counts.keys()).filter((rank) => (counts[rank] ?? 0) > 0);
    return { submitted: this.submitted, contributions: ranks(this.contributionsMissing), sums: ranks(this.sumsMissing) };
  }

  private placeContribution(from: number, header: PieceHeader, payloadBytes: number): Placement {
    const { slots, plan, arena } = this.context;
    const slot = slots.findIndex(({ rank, root }) => rank === from && nodeNumber(root) === header.node);
    if (slot < 0) return fault(`sends node ${header.node}, which is no subtree root of its replicas`);
    const present = plan.present[slot] === true;
    const chunk = this.chunkAt(present ? this.own : { from: this.own.from, to: this.own.from }, header.offset, payloadBytes);
    if (chunk === undefined) {
      return fault(`sends ${payloadBytes} bytes at ${header.offset} of node ${header.node}${present ? '' : ', which has no rows here'}; no chunk of [${this.own.from * ELEMENT_BYTES}, ${this.own.to * ELEMENT_BYTES}) is there`);
    }
    if (!this.mark(slot, chunk)) return fault(`sends ${header.offset} of node ${header.node} twice`);
    const address = this.at.sources[slot];
    if (address === undefined) throw new RangeError(`slot ${slot} has no place`);
    return {
      kind: 'EXPECTED',
      target: arena.bytes(address + header.offset - this.own.from * ELEMENT_BYTES, payloadBytes),
      filled: () => {
        this.bump(this.contributionsMissing, from, -1);
        this.messagesMissing--;
        if (present) {
          this.bump(this.pending, chunk, -1);
          this.reduceIfComplete(chunk);
        } else {
          this.silent--;
          if (this.silent === 0) this.reduceComplete();
        }
        this.context.progressed(this.index);
      },
    };
  }

  private placeSum(from: number, header: PieceHeader, payloadBytes: number): Placement {
    const range = this.owned(from);
    const chunk = this.gathered && rangeLength(range) > 0 ? this.chunkAt(range, header.offset, payloadBytes) : undefined;
    if (chunk === undefined) return fault(`sends a sum of ${payloadBytes} bytes at ${header.offset}, which is no chunk that it owns`);
    if (!this.mark(this.context.slots.length + from, chunk)) return fault(`sends the sum at ${header.offset} twice`);
    return {
      kind: 'EXPECTED',
      target: this.context.arena.bytes(this.at.output + header.offset, payloadBytes),
      filled: () => {
        this.bump(this.sumsMissing, from, -1);
        this.messagesMissing--;
        this.context.progressed(this.index);
      },
    };
  }

  private sendContributions(): void {
    const { rank, worldSize, slots, plan, chunkLength, arena } = this.context;
    const own = slots.flatMap((slot, i) => (slot.rank === rank ? [{ slot, present: plan.present[i] === true }] : []));
    // The sums of scatter-gather show that the owners have the inputs. A one-shot bucket ends without a word from the
    // peers: small inputs are copied, once for all peers; of large ones the end waits until they are sent.
    const bytes = this.at.length * ELEMENT_BYTES;
    const copied = !this.gathered && bytes <= this.context.copyBytes;
    const snapshots = own.map(({ slot }) => (copied ? Buffer.from(arena.bytes(this.inputOf(slot), bytes)) : undefined));
    const onSent = this.gathered || copied ? undefined : this.sent;
    const peers = Array.from({ length: worldSize - 1 }, (_, i) => (rank + 1 + i) % worldSize);
    const longest = Math.max(0, ...peers.map((peer) => chunkCount(this.owned(peer), chunkLength)));
    for (let chunk = 0; chunk < longest; chunk++) {
      for (const to of peers) {
        const target = this.owned(to);
        if (chunk >= chunkCount(target, chunkLength)) continue;
        own.forEach(({ slot, present }, i) => {
          if (!present && chunk > 0) return;
          const range = chunkRange(target, chunkLength, chunk);
          const [start, end] = [range.from * ELEMENT_BYTES, (present ? range.to : range.from) * ELEMENT_BYTES];
          if (onSent) this.unsent++;
          this.send(to, start, nodeNumber(slot.root), snapshots[i]?.subarray(start, end) ?? arena.bytes(this.inputOf(slot) + start, end - start), onSent);
        });
      }
    }
  }

  private reduceComplete(): void {
    for (let chunk = 0; chunk < this.reduced.length; chunk++) this.reduceIfComplete(chunk);
  }

  private reduceIfComplete(chunk: number): void {
    if (!this.submitted || this.silent > 0 || this.pending[chunk] !== 0 || this.reduced[chunk] !== 0) return;
    this.reduced[chunk] = 1;
    this.reducedChunks++;
    const { rank, worldSize, plan, registers, chunkLength, arena } = this.context;
    const range = chunkRange(this.own, chunkLength, chunk);
    const bytes = rangeLength(range) * ELEMENT_BYTES;
    if (bytes === 0) return;
    const address = (operand: Operand): number => {
      const found = operand.kind === 'REGISTER' ? registers[operand.register] : this.at.sources[operand.slot];
      if (found === undefined) throw new RangeError(`the plan names ${JSON.stringify(operand)}, which has no place`);
      return operand.kind === 'REGISTER' ? found : found + (range.from - this.own.from) * ELEMENT_BYTES;
    };
    const output = this.at.output + range.from * ELEMENT_BYTES;
    for (const step of plan.steps) {
      if (step.kind === 'COPY') arena.copy(output, address(step.from), bytes);
      else arena.add(step.target.kind === 'OUTPUT' ? output : address(step.target), address(step.left), address(step.right), bytes);
    }
    if (!this.gathered) return;
    for (let i = 1; i < worldSize; i++) this.send((rank + i) % worldSize, range.from * ELEMENT_BYTES, NODE_SUM, arena.bytes(output, bytes));
  }

  private send(to: number, offset: number, node: number, payload: Uint8Array, onSent?: () => void): void {
    this.context.send({ to, bucket: this.index, bucketBytes: this.at.length * ELEMENT_BYTES, offset, node, payload, ...(onSent && { onSent }) });
  }

  private readonly sent = (): void => {
    this.unsent--;
    if (this.unsent === 0) this.context.progressed(this.index);
  };

  /** Index of the chunk of a range that lies exactly there. */
  private chunkAt(range: Range, offsetBytes: number, lengthBytes: number): number | undefined {
    const { chunkLength } = this.context;
    const chunk = (offsetBytes / ELEMENT_BYTES - range.from) / chunkLength;
    if (!Number.isInteger(chunk) || chunk < 0 || chunk >= chunkCount(range, chunkLength)) return undefined;
    return rangeLength(chunkRange(range, chunkLength, chunk)) * ELEMENT_BYTES === lengthBytes ? chunk : undefined;
  }

  /** @returns false when it was marked before */
  private mark(source: number, chunk: number): boolean {
    const key = source * 2 ** 32 + chunk;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  private bump(counts: Int32Array | Uint16Array, index: number, by: number): void {
    counts[index] = (counts[index] ?? 0) + by;
  }

  private owned(rank: number): Range {
    return this.at.split.owned[rank] ?? { from: 0, to: 0 };
  }

  private inputOf(slot: Slot): number {
    const address = this.at.inputs[slot.index];
    if (address === undefined) throw new RangeError(`root ${slot.index} has no input`);
    return address;
  }
}

const sum = (counts: Int32Array): number => counts.reduce((total, count) => total + count, 0);
