/**
 * One member of one generation: runs the collective operations over the connections.
 *
 * 1. Operations are numbered from 1; chunks carry the number. The next one's chunks are kept, all others are faults.
 * 2. The first failure ends the group's work: nothing is added, placed or sent for it afterwards.
 * 3. A lost peer fails an operation at once when something must still come from it, and otherwise the next one.
 */
import {
  AgreeOperation, CollectiveError, encodeClaim, formatPosition, NODE_CLAIM, RoundOperation, RoundPlanner, samePosition,
  type AreaSizes, type CallClaim, type Operation, type PieceHeader, type Placement, type Position, type WaitDescription,
} from '@lockstep/reduction';
import type { RpcError } from '@lockstep/rpc';
import { copyAligned } from '../arena/aligned-copy';
import type { ArenaAccess } from '../arena/arena-access';
import type { ResolvedOptions } from '../options';
import type { IncomingPull, Transport } from '../transport/transport';
import { GRPC_PREFIX_BYTES, HEADER_BYTES, type ChunkHeader, type ReceivedChunk } from '../wire/chunk-header';
import { Connections, lossOf } from './connections';
import { EarlyBuffers } from './early-buffers';
import type { Counters } from './counters';
import { formatGroup, type ExchangeGroup } from './exchange-group';
import type { PeerLink } from './peer-link';

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
  private readonly earlyBuffers: EarlyBuffers;

  constructor(private readonly context: GroupContext) {
    const { group, options, transport } = context;
    this.planner = new RoundPlanner(group.replicas, group.members.map(({ range }) => range), group.rank, options.constants);
    this.lastArrivalMs = group.members.map(() => 0);
    this.wireBefore = context.wireBytesSent();
    this.earlyBuffers = new EarlyBuffers(options.constants.chunkBytes);
    this.connections = new Connections({
      group, transport, connectTimeoutMs: options.connectTimeoutMs, earlyBytes: options.earlyBytes,
      sinkOf: (link) => ({
        chunk: (header, payloadBytes) => this.receive(link, header, payloadBytes),
        filled: () => this.filled(link),
        malformed: (what) => this.blame(link, `sends what is no Chunk: ${what}`),
      }),
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
      send: ({ to, payload, onSent, ...piece }) => this.send(to, { number, position }, piece, payload, onSent),
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

  /** @returns where the payload of a chunk that begins goes; undefined: it is of no use */
  private receive(link: PeerLink, header: ChunkHeader, payloadBytes: number): Uint8Array | undefined {
    if (this.failure) return undefined;
    this.context.counters.add('receivedBytes', GRPC_PREFIX_BYTES + HEADER_BYTES + payloadBytes);
    const { generation, round } = header;
    const current = this.operation?.number ?? 0;
    if (generation !== this.context.group.generation) {
      this.blame(link, `sends a chunk of generation ${generation}`);
      return undefined;
    }
    if (this.operation && round === current) {
      const placement = this.place(link, this.operation, header, payloadBytes);
      if (!placement) return undefined;
      link.expectPlaced(placement.filled);
      return placement.target;
    }
    if (round === current + 1) {
      const payload = this.earlyBuffers.take(payloadBytes);
      link.expectEarly(header, payload);
      return payload;
    }
    this.blame(link, `sends a chunk of operation ${round} while this member is at ${current}`);
    return undefined;
  }

  /** @returns undefined for a chunk that is not expected: its sender is to blame */
  private place(link: PeerLink, operation: Operation, header: ChunkHeader, payloadBytes: number): Extract<Placement, { kind: 'EXPECTED' }> | undefined {
    if (!samePosition(header.position, operation.position)) {
      this.blame(link, `is at ${formatPosition(header.position)} while this member is at ${formatPosition(operation.position)}`);
      return undefined;
    }
    const placement = operation.place(link.rank, header, payloadBytes);
    if (placement.kind === 'EXPECTED') return placement;
    this.blame(link, placement.what);
    return undefined;
  }

  private filled(link: PeerLink): void {
    const arrived = link.arrived();
    if (this.failure) return;
    switch (arrived.kind) {
      case 'PLACED':
        this.arrive(link, arrived.filled);
        return;
      case 'EARLY':
        // Its operation may have begun while it arrived.
        if (arrived.chunk.header.round === this.operation?.number) this.deliver(link, this.operation, arrived.chunk);
        else link.keepEarly(arrived.chunk);
        return;
    }
  }

  /** Takes a chunk that came before its operation began. */
  private deliver(link: PeerLink, operation: Operation, { header, payload }: ReceivedChunk): void {
    const placement = this.failure ? undefined : this.place(link, operation, header, payload.byteLength);
    if (placement) {
      copyAligned(placement.target, 0, payload);
      this.arrive(link, placement.filled);
    }
    this.earlyBuffers.giveBack(payload);
  }

  private arrive(link: PeerLink, filled: () => void): void {
    this.lastArrivalMs[link.rank] = this.context.now();
    filled();
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

  private send(to: number, operation: Pick<Operation, 'number' | 'position'>, piece: PieceHeader, payload: Uint8Array, onSent?: () => void): void {
    const { group, counters, options } = this.context;
    this.connections.links.get(to)?.send({ generation: group.generation, position: operation.position, round: operation.number, ...piece }, payload, onSent);
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
