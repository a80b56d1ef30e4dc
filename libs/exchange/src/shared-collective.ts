/**
 * The collective of a group, on the compute thread.
 *
 * 1. Inputs and outputs are views of shared memory: no copy lies between the caller and the wire's own.
 * 2. Nothing is posted before the first submit of a round: opening and submitting it costs one message.
 * 3. The first error is final: every later call throws it.
 */
import {
  CLAIM_DIGEST_BYTES, CollectiveError, fits, formatPosition, formatRanks, grow, NO_AREAS, RoundPlanner, subtreeRoots,
  type AreaSizes, type CallClaim, type Collective, type Position, type Range, type Round, type RoundPlace,
} from '@lockstep/reduction';
import type { Arena } from './arena/arena';
import { formatGroup, type ExchangeGroup } from './group/exchange-group';
import type { ResolvedOptions } from './options';
import type { Control } from './thread/control';
import type { ThreadLine } from './thread/thread-line';

/** How long the own exchange thread may take to say whom it waits for. */
const EXPLAIN_TIMEOUT_MS = 5000;
/** From when a peer gives up connecting to another until that is known. */
const FIRST_SLACK_MS = 2000;

/** The round that is open. */
interface OpenRound {
  readonly number: number;
  readonly round: Round;
  readonly place: RoundPlace;
  readonly submitted: boolean[];
}

export class SharedCollective implements Collective {
  readonly replicas: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly range: Range;
  readonly roots: readonly Range[];
  private readonly planner: RoundPlanner;
  private areas: AreaSizes = NO_AREAS;
  private operation = 0;
  private open: OpenRound | undefined;
  private failure: Error | undefined;
  private flags: Int32Array = new Int32Array(0);

  constructor(
    private readonly group: ExchangeGroup,
    private readonly options: ResolvedOptions,
    private readonly line: ThreadLine,
    private readonly arena: Arena,
    private readonly control: Control,
  ) {
    this.replicas = group.replicas;
    this.rank = group.rank;
    this.worldSize = group.members.length;
    const own = group.members[group.rank];
    if (!own) throw new RangeError(`rank ${group.rank} is not among the members`);
    this.range = own.range;
    this.roots = subtreeRoots(group.replicas, own.range);
    this.planner = new RoundPlanner(group.replicas, group.members.map(({ range }) => range), group.rank, options.constants);
  }

  /** The members of a generation do not change. */
  boundary(): void {}

  agree(position: Position, claim: CallClaim): void {
    this.check();
    this.requireFinished();
    if (claim.digest.byteLength !== CLAIM_DIGEST_BYTES) throw new RangeError(`a claim's digest has ${CLAIM_DIGEST_BYTES} bytes, not ${claim.digest.byteLength}`);
    this.open = undefined;
    const number = ++this.operation;
    this.line.tell({ kind: 'AGREE', generation: this.group.generation, number, position, claim: { digest: Uint8Array.from(claim.digest), label: claim.label } });
    this.block(() => this.control.agreed === (number | 0), position, undefined);
  }

  begin(round: Round): void {
    this.check();
    this.requireFinished();
    const { bucketLengths, present } = round;
    if (bucketLengths.length === 0) throw new RangeError('a round has at least one bucket');
    for (const length of bucketLengths) {
      if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`a bucket of ${length} elements`);
    }
    if (present.length !== this.replicas) throw new RangeError(`presence of ${present.length} logical replicas; there are ${this.replicas}`);
    if (!present.includes(true)) throw new RangeError('no logical replica has rows: there is nothing to reduce');
    const { needs } = this.planner.place(bucketLengths, this.areas);
    if (!fits(this.areas, needs)) this.grow(round.position, needs);
    const { place } = this.planner.place(bucketLengths, this.areas);
    this.open = { number: ++this.operation, round: { position: round.position, bucketLengths: [...bucketLengths], present: [...present] }, place, submitted: bucketLengths.map(() => false) };
  }

  input(bucket: number, root: number): Float32Array {
    const { place } = this.bucketOf(bucket);
    const address = place.inputs[root];
    if (address === undefined) throw new RangeError(`this member has ${this.roots.length} subtree roots; root ${root} does not exist`);
    return new Float32Array(this.arena.memory.buffer, address, place.length);
  }

  submit(bucket: number): void {
    const { open } = this.bucketOf(bucket);
    if (open.submitted[bucket] === true) throw this.misuse(`bucket ${bucket} was submitted before`, open.round.position, bucket);
    const first = !open.submitted.includes(true);
    open.submitted[bucket] = true;
    const { generation } = this.group;
    if (first) {
      const { number, round: { position, bucketLengths, present } } = open;
      this.line.tell({ kind: 'BEGIN', generation, bucket, round: { number, position, bucketLengths, areas: this.areas, present } });
    } else {
      this.line.tell({ kind: 'SUBMIT', generation, bucket });
    }
  }

  wait(bucket: number): Float32Array {
    const { open, place } = this.bucketOf(bucket);
    if (open.submitted[bucket] !== true) throw this.misuse(`bucket ${bucket} was not submitted: it can never be reduced`, open.round.position, bucket);
    this.block(() => this.isReduced(bucket, open.number), open.round.position, bucket);
    return new Float32Array(this.arena.memory.buffer, place.output, place.length);
  }

  async close(): Promise<void> {
    this.failure ??= new CollectiveError('CLOSED', `${formatGroup(this.group)}: the collective is closed`);
    this.open = undefined;
    await this.line.ask({ kind: 'LEAVE', generation: this.group.generation });
  }

  /** Marks it unusable, for a newer generation. */
  supersede(error: CollectiveError): void {
    this.failure ??= error;
    this.open = undefined;
  }

  private isReduced(bucket: number, number: number): boolean {
    return Atomics.load(this.flags, bucket) === (number | 0);
  }

  private bucketOf(bucket: number): { open: OpenRound; place: RoundPlace['buckets'][number] } {
    this.check();
    const place = this.open?.place.buckets[bucket];
    if (!this.open || !place) {
      throw this.misuse(this.open ? `bucket ${bucket} does not exist, the round has ${this.open.place.buckets.length}` : 'no round is open', this.open?.round.position, bucket);
    }
    return { open: this.open, place };
  }

  private requireFinished(): void {
    const { open } = this;
    if (!open) return;
    const unfinished = open.place.buckets.findIndex((_, bucket) => !this.isReduced(bucket, open.number));
    if (unfinished >= 0) throw this.misuse(`bucket ${unfinished} of the round before is not reduced: wait for every bucket first`, open.round.position, unfinished);
  }

  /** Moves the areas. Nothing may be in flight then: peers may still have sums of the round before to pull. */
  private grow(position: Position, needs: AreaSizes): void {
    const areas = grow(this.areas, needs);
    if (this.areas !== NO_AREAS) {
      const { timeoutMs } = this.options;
      if (!this.line.askBlocking({ kind: 'FLUSH' }, this.control, timeoutMs)) {
        this.check();
        throw this.deadline(position, undefined, 'for peers to take the last sums', timeoutMs);
      }
    }
    this.arena.reserve(areas);
    this.areas = areas;
    this.flags = new Int32Array(this.arena.memory.buffer, 0, areas.flagsBytes / Int32Array.BYTES_PER_ELEMENT);
    // Outputs may have lain where the flags lie now.
    this.flags.fill(0);
  }

  /**
   * Who is connected may have peers that are not yet connected to one another. They are to say whom they miss before this member
   * misses them: else it is the one that all are broken with.
   */
  private get patienceMs(): number {
    const { timeoutMs, connectTimeoutMs } = this.options;
    return this.operation > 1 ? timeoutMs : Math.max(timeoutMs, connectTimeoutMs + FIRST_SLACK_MS);
  }

  private block(done: () => boolean, position: Position, bucket: number | undefined): void {
    const { patienceMs } = this;
    const outcome = this.control.waitFor(() => (done() ? 'DONE' : this.control.failed ? 'FAILED' : undefined), performance.now() + patienceMs);
    if (outcome === 'DONE') return;
    this.check();
    throw this.deadline(position, bucket, bucket === undefined ? 'for the members to agree' : `for bucket ${bucket}`, patienceMs);
  }

  private deadline(position: Position, bucket: number | undefined, what: string, waitedMs: number): Error {
    const wait = this.line.askBlocking({ kind: 'EXPLAIN', bucket }, this.control, EXPLAIN_TIMEOUT_MS)?.wait;
    const whom = wait ? `${wait.what}${wait.ranks.length > 0 ? ` (waiting for ${formatRanks(wait.ranks)})` : ''}` : 'the exchange thread of this member does not answer';
    this.failure = new CollectiveError('DEADLINE', `${formatGroup(this.group)} at ${formatPosition(position)}: rank ${this.rank} waited ${waitedMs} ms ${what}: ${whom}`,
      { position, ranks: wait?.ranks ?? [this.rank], ...(wait?.indirect === true && { indirect: true }), ...(bucket !== undefined && { bucket }) });
    return this.failure;
  }

  /** @throws the error that ended this collective, if one did */
  private check(): void {
    if (!this.failure && this.control.failed) {
      this.failure = this.line.failureOf(this.group.generation) ?? new CollectiveError('CLOSED', `${formatGroup(this.group)}: the exchange thread has ended`);
    }
    if (this.failure) throw this.failure;
  }

  private misuse(what: string, position: Position | undefined, bucket: number): CollectiveError {
    return new CollectiveError('PROTOCOL', `${formatGroup(this.group)}${position ? ` at ${formatPosition(position)}` : ''}: ${what}`, { bucket, ...(position && { position }) });
  }
}
