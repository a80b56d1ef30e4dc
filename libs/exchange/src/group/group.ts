/**
 * One member of one generation: runs the collective operations over the connections.
 *
 * 1. Operations are numbered from 1; chunks carry the number. The next one's chunks are kept, all others are faults.
 * 2. The first failure ends the group's work: nothing is added, placed or sent for it afterwards.
 * 3. A lost peer fails an operation at once when something must still come from it, and otherwise the next one.
 */
import { CollectiveError, formatPosition, samePosition, type CallClaim, type Position } from '@lockstep/reduction';
import type { RpcError } from '@lockstep/rpc';
import type { ArenaAccess } from '../arena/arena-access';
import type { AreaSizes } from '../arena/arena-layout';
import { RoundPlanner } from '../arena/round-planner';
import type { ResolvedOptions } from '../options';
import type { ChunkFate, IncomingPull, Transport } from '../transport/transport';
import { GRPC_PREFIX_BYTES, NODE_CLAIM, readChunk, type ReceivedChunk } from '../wire/chunk-header';
import { AgreeOperation, encodeClaim } from './agree-operation';
import { Connections, lossOf } from './connections';
import type { Counters } from './counters';
import { formatGroup, type ExchangeGroup } from './exchange-group';
import type { Operation, WaitDescription } from './operation';
import type { PeerLink } from './peer-link';
import { RoundOperation } from './round-operation';

export interface GroupContext {
  readonly group: ExchangeGroup;
  readonly options: Pick<ResolvedOptions, 'constants' | 'connectTimeoutMs' | 'earlyBytes'>;
  readonly transport: Transport;
  readonly arena: ArenaAccess;
  readonly counters: Counters;
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number;
  /** Bytes that the listener's sockets wrote. */
  readonly wireBytesSent: () => number;
  /** A bucket's output is complete. */
  readonly onReduced: (round: number, bucket: number) => void;
  /** All members make the same claim. */
  readonly onAgreed: (round: number) => void;
  /** Called once, after the group was up. */
  readonly onFailed: (error: CollectiveError) => void;
}

/** What the compute thread says when it opens a round. */
export interface BeginRound {
  readonly number: number;
  readonly position: Position;
  /** Elements of each bucket. */
  readonly bucketLengths: readonly number[];
  readonly areas: AreaSizes;
  /** For each logical replica, whether it has rows. */
  readonly present: readonly boolean[];
}

export class Group {
  private readonly connections: Connections;
  private readonly planner: RoundPlanner;
  private operation: Operation | undefined;
  private round: RoundOperation | undefined;
  private failure: CollectiveError | undefined;
  private upAndRunning = false;
  private submittedAtMs = 0;
  private readonly lastArrivalMs: number[];
  private readonly wireBefore: number;
  private flushWaiters: (() => void)[] = [];

  constructor(private readonly context: GroupContext) {
    const { group, options, transport } = context;
    this.planner = new RoundPlanner(group.replicas, group.members.map(({ range }) => range), group.rank, options.constants);
    this.lastArrivalMs = group.members.map(() => 0);
    this.wireBefore = context.wireBytesSent();
    this.connections = new Connections({
      group, transport, connectTimeoutMs: options.connectTimeoutMs, earlyBytes: options.earlyBytes,
      onChunk: (link, message) => this.receive(link, message),
      onLost: (link) => this.lost(link),
      onFlushed: () => this.flushed(),
    });
  }

  get isUp(): boolean {
    return this.upAndRunning;
  }

  /** Resolves when every pair of members is connected. @throws CollectiveError */
  async up(): Promise<void> {
    await this.connections.up;
    if (this.failure) throw this.failure;
    this.upAndRunning = true;
  }

  admit(pull: IncomingPull): void {
    this.connections.admit(pull);
  }

  begin({ number, position, bucketLengths, areas, present }: BeginRound): void {
    const { planner } = this;
    const { arena, counters, group, options: { constants } } = this.context;
    arena.refresh();
    const { place } = planner.place(bucketLengths, areas);
    const round = new RoundOperation({
      number, position, place, arena, rank: group.rank, worldSize: group.members.length, slots: planner.slots, plan: planner.plan(present),
      chunkLength: constants.chunkBytes / Float32Array.BYTES_PER_ELEMENT, copyBytes: constants.oneShotBytes,
      send: ({ to, payload, onSerialised, ...piece }) => this.send(to, { number, position }, piece, payload, onSerialised),
      finished: () => {
        this.count();
        counters.add('rounds', 1);
      },
      reduced: (bucket) => {
        arena.setFlag(place.flags + bucket * Int32Array.BYTES_PER_ELEMENT, number);
        this.context.onReduced(number, bucket);
      },
    });
    const planned = planner.traffic(bucketLengths, present);
    counters.add('plannedSentBytes', planned.sentBytes);
    counters.add('plannedReceivedBytes', planned.receivedBytes);
    this.round = round;
    this.start(round);
  }

  submit(bucket: number): void {
    if (this.failure || !this.round) return;
    this.submittedAtMs = this.context.now();
    this.round.submit(bucket);
  }

  agree(number: number, position: Position, claim: CallClaim): void {
    const { group } = this.context;
    this.submittedAtMs = this.context.now();
    this.round = undefined;
    const operation = new AgreeOperation(number, position, group.rank, group.members.length, claim, () => this.compare(operation));
    const payload = encodeClaim(claim);
    for (const rank of this.connections.links.keys()) {
      this.send(rank, operation, { bucket: 0, bucketBytes: payload.byteLength, offset: 0, node: NODE_CLAIM }, payload);
    }
    this.start(operation);
    operation.begin();
  }

  /** Whom the running operation waits for. */
  describeWait(bucket: number | undefined): WaitDescription {
    return this.operation?.describeWait(bucket) ?? { what: 'no operation has begun', ranks: [] };
  }

  /** Ranks that have not taken everything that was sent. */
  ranksBehind(): readonly number[] {
    return [...this.connections.links.values()].filter((link) => link.payloadsInFlight > 0).map(({ rank }) => rank);
  }

  /** Resolves when no payload in the arena is in flight. */
  untilFlushed(): Promise<void> {
    if (this.ranksBehind().length === 0) return Promise.resolve();
    return new Promise((resolve) => this.flushWaiters.push(resolve));
  }

  /** Ends the work with an error of this member's own. */
  fail(error: CollectiveError): void {
    if (this.failure) return;
    this.failure = error;
    if (this.upAndRunning) this.context.onFailed(error);
  }

  /** Says goodbye: peers get what was sent. */
  async leave(): Promise<void> {
    this.fail(new CollectiveError('CLOSED', `${formatGroup(this.context.group)}: this member has left`));
    await this.connections.leave();
  }

  /** Ends everything at once and tells the peers why. */
  cut(error: RpcError): void {
    this.fail(new CollectiveError('CLOSED', `${formatGroup(this.context.group)}: ${error.message}`));
    this.connections.cut(error);
  }

  private start(operation: Operation): void {
    if (this.failure) return;
    this.operation = operation;
    this.lastArrivalMs.fill(0);
    for (const link of this.connections.links.values()) {
      for (const chunk of link.takeEarly()) this.deliver(link, operation, chunk);
      if (link.inbound.kind === 'CLOSED') this.lost(link);
    }
  }

  private receive(link: PeerLink, message: Buffer): ChunkFate {
    if (this.failure) return 'TAKEN';
    this.context.counters.add('receivedBytes', GRPC_PREFIX_BYTES + message.byteLength);
    let chunk: ReceivedChunk;
    try {
      chunk = readChunk(message);
    } catch (error) {
      this.blame(link, `sends what is no Chunk: ${error instanceof Error ? error.message : String(error)}`);
      return 'TAKEN';
    }
    const { generation, round } = chunk.header;
    const current = this.operation?.number ?? 0;
    if (generation !== this.context.group.generation) this.blame(link, `sends a chunk of generation ${generation}`);
    else if (this.operation && round === current) this.deliver(link, this.operation, chunk);
    else if (round === current + 1) {
      link.keepEarly(chunk);
      return 'KEPT';
    } else this.blame(link, `sends a chunk of operation ${round} while this member is at ${current}`);
    return 'TAKEN';
  }

  private deliver(link: PeerLink, operation: Operation, chunk: ReceivedChunk): void {
    if (this.failure) return;
    const { position } = chunk.header;
    if (!samePosition(position, operation.position)) {
      this.blame(link, `is at ${formatPosition(position)} while this member is at ${formatPosition(operation.position)}`);
      return;
    }
    this.lastArrivalMs[link.rank] = this.context.now();
    const fault = operation.accept(link.rank, chunk);
    if (fault !== undefined) this.blame(link, fault);
  }

  /** Brings the counters up to date at the end of an operation, before the compute thread hears of it. */
  private count(): void {
    const { counters, wireBytesSent } = this.context;
    this.lastArrivalMs.forEach((arrivedMs, rank) => counters.addWait(rank, Math.max(0, arrivedMs - this.submittedAtMs)));
    counters.set('wireSentBytes', wireBytesSent() - this.wireBefore);
  }

  private compare(operation: AgreeOperation): void {
    this.count();
    const disagreement = operation.disagreement();
    if (!disagreement) {
      this.context.onAgreed(operation.number);
      return;
    }
    const { ranks: [a, b], labels: [labelA, labelB] } = disagreement;
    this.fail(new CollectiveError('CALL_MISMATCH', `${formatGroup(this.context.group)} at ${formatPosition(operation.position)}: the members run different collective calls: `
      + `rank ${a} runs ${labelA}, rank ${b} runs ${labelB}. Every worker must make the same calls with the same arguments`, { position: operation.position, ranks: [a, b] }));
  }

  private send(to: number, operation: Pick<Operation, 'number' | 'position'>, piece: { bucket: number; bucketBytes: number; offset: number; node: number }, payload: Uint8Array, onSerialised?: () => void): void {
    const { group, counters, options } = this.context;
    this.connections.links.get(to)?.send({ generation: group.generation, position: operation.position, round: operation.number, ...piece }, payload, onSerialised);
    counters.add('sentBytes', options.constants.headerBytes + payload.byteLength);
  }

  private blame(link: PeerLink, what: string): void {
    const { operation } = this;
    const where = operation ? ` at ${formatPosition(operation.position)}` : '';
    this.fail(new CollectiveError('PROTOCOL', `${formatGroup(this.context.group)}${where}: rank ${link.rank} ${what}`,
      { ranks: [link.rank], ...(operation && { position: operation.position }) }));
  }

  private lost(link: PeerLink): void {
    const { operation } = this;
    if (operation?.owes(link.rank) === true) this.fail(lossOf(this.context.group, link, operation.position));
  }

  private flushed(): void {
    if (this.flushWaiters.length === 0 || this.ranksBehind().length > 0) return;
    const waiters = this.flushWaiters;
    this.flushWaiters = [];
    for (const waiter of waiters) waiter();
  }
}
