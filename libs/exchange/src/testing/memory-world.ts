import { fits, grow, NO_AREAS, RoundPlanner, subtreeRoots, type AreaSizes, type CallClaim, type CollectiveError, type ExchangeConstants, type Position, type Range, type RoundPlace } from '@lockstep/reduction';
import { Arena } from '../arena/arena';
import { ArenaAccess } from '../arena/arena-access';
import { Counters, type ExchangeStats } from '../group/counters';
import { Group } from '../group/group';
import type { ExchangeGroup } from '../group/exchange-group';
import { MemoryNetwork } from './memory-network';
import { sumOver } from './leaf-values';

export interface WorldOptions {
  readonly replicas: number;
  readonly ranges: readonly Range[];
  readonly seed?: number;
  readonly constants?: Partial<ExchangeConstants>;
  readonly earlyBytes?: number;
}

/** A round for all members. */
export interface WorldRound {
  readonly position: Position;
  readonly bucketLengths: readonly number[];
  readonly present: readonly boolean[];
  readonly leaf: (replica: number, bucket: number) => Float32Array;
}

/** All members of a generation in one process, without exchange threads: the groups themselves. */
export class MemoryWorld {
  private constructor(
    readonly network: MemoryNetwork,
    readonly members: readonly MemoryMember[],
  ) {}

  /** Resolves when all members are connected. */
  static async create(options: WorldOptions): Promise<MemoryWorld> {
    const network = new MemoryNetwork(options.seed ?? 1);
    const identities = options.ranges.map((_, rank): ExchangeGroup => ({
      job: 'jobs/test', generation: 5n, rank, token: Buffer.from('token'), replicas: options.replicas,
      members: options.ranges.map((range, i) => ({ rank: i, address: `memory:${i + 1}`, range })),
    }));
    const members = identities.map((identity) => new MemoryMember(identity, network, options));
    for (const member of members) await network.listen('memory', 0, (pull) => member.group.admit(pull));
    await Promise.all(members.map((member) => member.group.up()));
    return new MemoryWorld(network, members);
  }

  /** An all-reduce by all members. @returns the outputs by rank and bucket, copied @throws the first member's error */
  async allReduce(round: WorldRound): Promise<readonly (readonly Float32Array[])[]> {
    return Promise.all(this.members.map((member) => member.allReduce(round)));
  }
}

export class MemoryMember {
  readonly group: Group;
  readonly counters: Counters;
  private readonly arena = Arena.create(1 << 28);
  private readonly planner: RoundPlanner;
  private areas: AreaSizes = NO_AREAS;
  private operation = 0;
  private failure: CollectiveError | undefined;
  private readonly waiters = new Set<() => void>();
  private reduced = 0;
  private agreed = 0;

  constructor(
    private readonly identity: ExchangeGroup,
    network: MemoryNetwork,
    options: WorldOptions,
  ) {
    const constants = { oneShotBytes: 65_536, chunkBytes: 65_536, headerBytes: 64, ...options.constants };
    this.planner = new RoundPlanner(identity.replicas, identity.members.map(({ range }) => range), identity.rank, constants);
    this.counters = Counters.create(identity.members.length);
    const notify = (): void => { for (const waiter of [...this.waiters]) waiter(); };
    this.group = new Group({
      group: identity, transport: network, arena: new ArenaAccess(this.arena.memory), counters: this.counters,
      options: { constants, connectTimeoutMs: 10_000, earlyBytes: options.earlyBytes ?? 1 << 26 },
      now: () => 0, wireBytesSent: () => 0,
      onReduced: () => {
        this.reduced++;
        notify();
      },
      onAgreed: (number) => {
        this.agreed = number;
        notify();
      },
      onFailed: (error) => {
        this.failure = error;
        notify();
      },
    });
  }

  get stats(): ExchangeStats {
    return this.counters.read();
  }

  async allReduce({ position, bucketLengths, present, leaf }: WorldRound): Promise<readonly Float32Array[]> {
    const place = await this.begin(position, bucketLengths, present, leaf);
    await this.until(() => this.reduced === bucketLengths.length);
    return place.buckets.map(({ output, length }) => new Float32Array(this.arena.memory.buffer, output, length).slice());
  }

  async agree(position: Position, claim: CallClaim): Promise<void> {
    const number = ++this.operation;
    this.group.agree(number, position, claim);
    await this.until(() => this.agreed === number);
  }

  /** Opens and submits a round. */
  async begin(position: Position, bucketLengths: readonly number[], present: readonly boolean[], leaf: WorldRound['leaf']): Promise<RoundPlace> {
    const { replicas, members, rank } = this.identity;
    const { needs } = this.planner.place(bucketLengths, this.areas);
    if (!fits(this.areas, needs)) {
      await this.group.untilFlushed();
      this.areas = grow(this.areas, needs);
      this.arena.reserve(this.areas);
    }
    const { areas } = this;
    const { place } = this.planner.place(bucketLengths, areas);
    const roots = subtreeRoots(replicas, members[rank]?.range ?? { from: 0, to: 0 });
    this.reduced = 0;
    place.buckets.forEach(({ inputs, length }, bucket) => roots.forEach((root, i) => {
      const input = new Float32Array(this.arena.memory.buffer, inputs[i], length);
      // What lies in the input of a root without rows must not matter.
      input.set(sumOver(root, present, (replica) => leaf(replica, bucket)) ?? new Float32Array(length).fill(Number.NaN));
    }));
    this.group.begin({ number: ++this.operation, position, bucketLengths, areas, present });
    for (const bucket of bucketLengths.keys()) this.group.submit(bucket);
    return place;
  }

  private until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!this.failure && !done()) return;
        this.waiters.delete(check);
        if (this.failure) reject(this.failure);
        else resolve();
      };
      this.waiters.add(check);
      check();
    });
  }
}
