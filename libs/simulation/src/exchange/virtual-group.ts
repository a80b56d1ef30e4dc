/**
 * A generation's collective in virtual time: what is waited for is asked for, and answered later.
 *
 * The operations are libs/reduction's own, as libs/exchange runs them; the memory that they lie in, the streams and who gets
 * which piece are the simulation's, by the rules of libs/exchange/src/group/group.ts: operations are numbered, the next one's
 * pieces are kept and all others are faults; the first failure is final; a lost peer fails an operation at once when something
 * must still come from it, and otherwise the next one; every wait has a deadline that names whom it waited for.
 */
import {
  AgreeOperation, CollectiveError, encodeClaim, formatPosition, grow, NO_AREAS, NODE_CLAIM, NODE_SUM, RoundOperation, samePosition, subtreeRoots, totalBytes,
  type AreaSizes, type CallClaim, type Collective, type CollectiveErrorReason, type ExchangeConstants, type Operation, type OutgoingPiece, type Position, type Range, type Round,
  type RoundPlace, type RoundPlanner,
} from '@lockstep/reduction';
import type { GroupMember } from '@lockstep/membership';
import type { End } from '../world/connection';
import type { SimProcess } from '../world/sim-process';
import { ArrivalOrder } from './arrival-order';
import type { PeerMessage, Piece } from './peer-message';
import { PeerStream } from './peer-stream';
import type { Plans } from './plans';
import { VirtualMemory } from './virtual-memory';

export interface GroupSettings {
  readonly constants: ExchangeConstants;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Only a planted bug adds in the order of arrival. */
  readonly addsAsTheyCome: boolean;
  /** Only a planted bug leaves empty contributions out. */
  readonly saysNothingWhenEmpty: boolean;
}

export interface GroupIdentity {
  readonly generation: number;
  readonly rank: number;
  readonly members: readonly GroupMember[];
  readonly replicas: number;
}

/** From when a peer gives up connecting to another until that is known. */
const FIRST_SLACK_MS = 2000;

/** What comes of a wait. */
export type Answer<T> = { readonly kind: 'DONE'; readonly value: T } | { readonly kind: 'FAILED'; readonly error: CollectiveError };

interface RunningRound {
  readonly operation: RoundOperation;
  readonly place: RoundPlace;
  readonly present: readonly boolean[];
  readonly reduced: Set<number>;
  readonly order: ArrivalOrder | undefined;
}

export class VirtualGroup implements Collective {
  readonly replicas: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly range: Range;
  readonly roots: readonly Range[];
  private readonly planner: RoundPlanner;
  private readonly memory = new VirtualMemory();
  private readonly streams = new Map<number, PeerStream>();
  private areas: AreaSizes = NO_AREAS;
  private operation: Operation | undefined;
  private round: RunningRound | undefined;
  private operations = 0;
  private failure: CollectiveError | undefined;
  private waiter: (() => void) | undefined;
  private waits = 0;

  constructor(
    readonly identity: GroupIdentity,
    private readonly process: SimProcess,
    plans: Plans,
    private readonly settings: GroupSettings,
  ) {
    const { rank, members, replicas } = identity;
    const own = members[rank];
    if (!own) throw new RangeError(`rank ${rank} is not among ${members.length} members`);
    this.replicas = replicas;
    this.rank = rank;
    this.worldSize = members.length;
    this.range = own.range;
    this.roots = subtreeRoots(replicas, own.range);
    this.planner = plans.planner(replicas, members.map(({ range }) => range), rank, settings.constants);
    for (const member of members) if (member.rank !== rank) this.streams.set(member.rank, new PeerStream(process));
  }

  /** Whether every pair that this member is in is connected. */
  get connected(): boolean {
    return this.unconnected.length === 0;
  }

  get unconnected(): readonly number[] {
    return [...this.streams].filter(([, { connected }]) => !connected).map(([rank]) => rank);
  }

  /** A peer of this generation is connected. */
  link(rank: number, end: End<PeerMessage, PeerMessage>): void {
    const stream = this.streams.get(rank);
    if (!stream) return;
    stream.connect(end);
    end.onMessage = (message) => {
      if (message.kind === 'PIECES') for (const piece of message.pieces) this.receive(rank, stream, piece);
    };
    end.onClosed = (why) => {
      stream.lost = why;
      this.failIfOwed(rank);
    };
  }

  /** Ends the work with an error of this member's own; whoever waits is told. */
  fail(error: CollectiveError): void {
    if (this.failure) return;
    this.failure = error;
    this.wake();
  }

  /** Ends the connections. */
  cut(why: string): void {
    this.fail(this.error('CLOSED', why));
    for (const stream of this.streams.values()) stream.close(why);
  }

  boundary(): void {}

  agree(): never {
    throw new Error('in virtual time an agreement is asked for: askAgree');
  }

  wait(): never {
    throw new Error('in virtual time sums are asked for: askSums');
  }

  begin({ position, bucketLengths, present }: Round): void {
    this.check();
    const { rank, worldSize, planner, memory, settings: { constants, addsAsTheyCome } } = this;
    const { needs } = planner.place(bucketLengths, this.areas);
    this.areas = grow(this.areas, needs);
    memory.reserve(totalBytes(this.areas));
    const { place } = planner.place(bucketLengths, this.areas);
    const plan = planner.plan(present);
    const order = addsAsTheyCome ? new ArrivalOrder(plan, planner.slots, rank) : undefined;
    const reduced = new Set<number>();
    const number = ++this.operations;
    const operation = new RoundOperation({
      number, position, place, rank, worldSize, slots: planner.slots, plan: order ?? plan, arena: memory,
      chunkLength: constants.chunkBytes / Float32Array.BYTES_PER_ELEMENT, copyBytes: constants.oneShotBytes,
      send: (piece) => this.send(piece, number, position),
      finished: () => undefined,
      reduced: (bucket) => {
        reduced.add(bucket);
        this.wake();
      },
    });
    this.round = { operation, place, present, reduced, order };
    this.start(operation);
  }

  input(bucket: number, root: number): Float32Array {
    const { place } = this.runningRound;
    const at = place.buckets[bucket];
    const address = at?.inputs[root];
    if (!at || address === undefined) throw new RangeError(`rank ${this.rank} has no bucket ${bucket} with a root ${root}`);
    return this.memory.floats(address, at.length);
  }

  submit(bucket: number): void {
    this.runningRound.operation.submit(bucket);
  }

  close(): Promise<void> {
    this.cut('this member has left');
    return Promise.resolve();
  }

  askAgree(position: Position, claim: CallClaim, answered: (answer: Answer<undefined>) => void): void {
    if (this.failure) return answered({ kind: 'FAILED', error: this.failure });
    const number = ++this.operations;
    let agreed = false;
    const operation = new AgreeOperation(number, position, this.rank, this.worldSize, claim, () => {
      agreed = true;
      this.wake();
    });
    this.round = undefined;
    const payload = encodeClaim(claim);
    for (const to of this.streams.keys()) this.send({ to, bucket: 0, bucketBytes: payload.byteLength, offset: 0, node: NODE_CLAIM, payload }, number, position);
    this.start(operation);
    operation.begin();
    return this.until(undefined, () => {
      if (!agreed) return undefined;
      const found = operation.disagreement();
      if (!found) return { kind: 'DONE', value: undefined };
      const { ranks: [a, b], labels: [labelA, labelB] } = found;
      return { kind: 'FAILED', error: this.error('CALL_MISMATCH', `rank ${a} runs ${labelA}, rank ${b} runs ${labelB}`, [a, b]) };
    }, answered);
  }

  askSums(bucket: number, answered: (answer: Answer<Float32Array>) => void): void {
    if (this.failure) return answered({ kind: 'FAILED', error: this.failure });
    const round = this.runningRound;
    return this.until(bucket, () => (round.reduced.has(bucket) ? { kind: 'DONE', value: this.output(round, bucket) } : undefined), answered);
  }

  /** What has arrived of a copy that one member sends to all: what only a planted bug takes for the whole. */
  partialCopy(): Float32Array | undefined {
    return this.round && this.round.present.filter(Boolean).length === 1 ? this.output(this.round, 0) : undefined;
  }

  private output({ place }: RunningRound, bucket: number): Float32Array {
    const at = place.buckets[bucket];
    if (!at) throw new RangeError(`bucket ${bucket} does not exist`);
    return this.memory.floats(at.output, at.length);
  }

  private send(piece: OutgoingPiece, operation: number, position: Position): void {
    const lost = this.settings.saysNothingWhenEmpty && piece.node !== NODE_SUM && piece.payload.byteLength === 0;
    if (!lost && !this.failure) this.streams.get(piece.to)?.send(piece, operation, position);
  }

  private start(operation: Operation): void {
    this.operation = operation;
    for (const [rank, stream] of this.streams) {
      const { early } = stream;
      stream.early = [];
      for (const piece of early) this.take(rank, operation, piece);
      this.failIfOwed(rank);
    }
  }

  private receive(rank: number, stream: PeerStream, piece: Piece): void {
    if (this.failure) return;
    if (this.operation && piece.operation === this.operation.number) this.take(rank, this.operation, piece);
    else if (piece.operation === this.operations + 1) stream.early.push(piece);
    else this.fail(this.error('PROTOCOL', `rank ${rank} is at operation ${piece.operation} while this member is at ${this.operations}`, [rank]));
  }

  private take(rank: number, operation: Operation, piece: Piece): void {
    if (this.failure) return;
    const placement = samePosition(piece.position, operation.position) ? operation.place(rank, piece, piece.payload.byteLength)
      : { kind: 'FAULT' as const, what: `is at ${formatPosition(piece.position)}` };
    if (placement.kind === 'FAULT') {
      this.fail(this.error('PROTOCOL', `rank ${rank} ${placement.what}`, [rank]));
      return;
    }
    placement.target.set(piece.payload);
    this.round?.order?.note(rank, piece);
    placement.filled();
  }

  private failIfOwed(rank: number): void {
    const why = this.streams.get(rank)?.lost;
    if (why !== undefined && this.operation?.owes(rank) === true) this.fail(this.error('PEER_LOST', `rank ${rank}: ${why}`, [rank]));
  }

  /** Answers once, when there is an answer, the group has failed, or the deadline has passed. */
  private until<T>(bucket: number | undefined, look: () => Answer<T> | undefined, answered: (answer: Answer<T>) => void): void {
    const wait = ++this.waits;
    const attempt = (): void => {
      const answer = look() ?? (this.failure && { kind: 'FAILED' as const, error: this.failure });
      if (!answer) return;
      this.waiter = undefined;
      this.waits++;
      if (answer.kind === 'FAILED') this.failure ??= answer.error;
      answered(answer);
    };
    this.waiter = attempt;
    const { timeoutMs, connectTimeoutMs } = this.settings;
    // Who is connected may have peers that are not yet connected to one another.
    const patienceMs = this.operations > 1 ? timeoutMs : Math.max(timeoutMs, connectTimeoutMs + FIRST_SLACK_MS);
    this.process.after(patienceMs, () => {
      if (this.waits !== wait || !this.operation) return;
      const { what, ranks, indirect } = this.operation.describeWait(bucket);
      this.fail(this.error('DEADLINE', `waited ${patienceMs} ms: ${what}`, ranks, indirect));
    });
    attempt();
  }

  private wake(): void {
    this.waiter?.();
  }

  private get runningRound(): RunningRound {
    this.check();
    if (!this.round) throw this.error('PROTOCOL', 'no round is open');
    return this.round;
  }

  private check(): void {
    if (this.failure) throw this.failure;
  }

  private error(reason: CollectiveErrorReason, what: string, ranks?: readonly number[], indirect = false): CollectiveError {
    const where = this.operation ? ` at ${formatPosition(this.operation.position)}` : '';
    return new CollectiveError(reason, `generation ${this.identity.generation}${where}: ${what}`, { ...(ranks && { ranks }), ...(indirect && { indirect }) });
  }
}
