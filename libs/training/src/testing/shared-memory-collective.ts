/**
 * A group of members in threads of one process, for tests: shared memory, barriers by Atomics, no transport. Its views
 * lie in shared memory, as those of the real exchange do.
 */
import { CollectiveError, evenPart, foldTree, formatPosition, subtreeRoots, type CallClaim, type Collective, type Position, type Range, type Round } from '@lockstep/reduction';

const CLAIM_BYTES = 512;
const DIGEST_BYTES = 32;
/** How often a waiting member looks whether its group is over. */
const LOOK_MS = 20;

/** The memory that the members of a group share; it can be posted to threads. */
export interface SharedGroup {
  readonly replicas: number;
  readonly worldSize: number;
  /** Elements that one round may have. */
  readonly capacity: number;
  readonly deadlineMs: number;
  /** Barriers passed, of each rank. */
  readonly progress: SharedArrayBuffer;
  /** One area a replica, used by the root that starts there. */
  readonly inputs: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  /** Set when the group is over. */
  readonly broken: SharedArrayBuffer;
}

/** Ends a group: whoever waits in it, or comes to it later, gets PEER_LOST. */
export function breakGroup(group: SharedGroup): void {
  Atomics.store(new Int32Array(group.broken), 0, 1);
  const progress = new Int32Array(group.progress);
  for (let rank = 0; rank < group.worldSize; rank++) Atomics.notify(progress, rank);
}

export function sharedGroup(replicas: number, worldSize: number, capacity = 1 << 16, deadlineMs = 60_000): SharedGroup {
  return {
    replicas,
    worldSize,
    capacity,
    deadlineMs,
    progress: new SharedArrayBuffer(4 * worldSize),
    inputs: new SharedArrayBuffer(4 * replicas * capacity),
    claims: new SharedArrayBuffer(CLAIM_BYTES * worldSize),
    broken: new SharedArrayBuffer(4),
  };
}

export class SharedMemoryCollective implements Collective {
  readonly replicas: number;
  readonly worldSize: number;
  readonly range: Range;
  readonly roots: readonly Range[];
  private readonly progress: Int32Array;
  private readonly inputs: Float32Array;
  private readonly broken: Int32Array;
  private readonly allRoots: ReadonlyMap<string, Range>;
  private barriers = 0;
  private round: Round | undefined;
  private reduced: Float32Array[] | undefined;

  constructor(
    private readonly group: SharedGroup,
    readonly rank: number,
  ) {
    this.replicas = group.replicas;
    this.worldSize = group.worldSize;
    this.range = evenPart(group.replicas, group.worldSize, rank);
    this.roots = subtreeRoots(group.replicas, this.range);
    this.progress = new Int32Array(group.progress);
    this.inputs = new Float32Array(group.inputs);
    this.broken = new Int32Array(group.broken);
    const ranges = Array.from({ length: group.worldSize }, (_, other) => evenPart(group.replicas, group.worldSize, other));
    this.allRoots = new Map(ranges.flatMap((range) => subtreeRoots(group.replicas, range)).map((root) => [`${root.from}-${root.to}`, root]));
  }

  boundary(): void {}

  agree(position: Position, claim: CallClaim): void {
    const label = new TextEncoder().encode(claim.label).subarray(0, CLAIM_BYTES - DIGEST_BYTES);
    const own = new Uint8Array(this.group.claims, this.rank * CLAIM_BYTES, CLAIM_BYTES);
    own.fill(0);
    own.set(claim.digest);
    own.set(label, DIGEST_BYTES);
    this.barrier(position);
    const claims = Array.from({ length: this.worldSize }, (_, rank) => Buffer.from(new Uint8Array(this.group.claims, rank * CLAIM_BYTES, CLAIM_BYTES)));
    this.barrier(position);
    const text = (rank: number): string => (claims[rank]?.subarray(DIGEST_BYTES).toString('utf8') ?? '').replace(/\0+$/, '');
    claims.forEach((other, rank) => {
      if (Buffer.compare(other.subarray(0, DIGEST_BYTES), claim.digest) === 0) return;
      throw new CollectiveError('CALL_MISMATCH', `${formatPosition(position)}: rank ${this.rank} calls ${claim.label}, rank ${rank} calls ${text(rank)}`, { position, ranks: [rank] });
    });
  }

  begin(round: Round): void {
    const length = round.bucketLengths.reduce((sum, n) => sum + n, 0);
    if (length > this.group.capacity) throw new CollectiveError('TOO_LARGE', `a round of ${length} elements in a group for ${this.group.capacity}`, { position: round.position });
    this.round = round;
    this.reduced = undefined;
  }

  input(bucket: number, root: number): Float32Array {
    const node = this.roots[root];
    if (!node) throw new RangeError(`rank ${this.rank} has no root ${root}`);
    return this.area(node, bucket);
  }

  submit(): void {
    this.open();
  }

  wait(bucket: number): Float32Array {
    const round = this.open();
    if (!this.reduced) {
      this.barrier(round.position);
      this.reduced = round.bucketLengths.map((length, i) => this.reduce(i, length));
      this.barrier(round.position);
    }
    const found = this.reduced[bucket];
    if (!found) throw new CollectiveError('PROTOCOL', `no bucket ${bucket}`, { bucket });
    return found;
  }

  close(): Promise<void> {
    this.round = undefined;
    return Promise.resolve();
  }

  private reduce(bucket: number, length: number): Float32Array {
    const { present } = this.open();
    const view = new Float32Array(new SharedArrayBuffer(4 * length));
    const sum = foldTree<Float32Array>(
      { from: 0, to: this.replicas },
      () => undefined,
      (left, right) => left.map((value, i) => value + (right[i] ?? NaN)),
      (node) => {
        if (!this.allRoots.has(`${node.from}-${node.to}`)) return undefined;
        const filled = present.slice(node.from, node.to).includes(true);
        return { value: filled ? this.area(node, bucket).slice() : undefined };
      },
    );
    view.set(sum ?? []);
    return view;
  }

  private area(node: Range, bucket: number): Float32Array {
    const { bucketLengths } = this.open();
    const offset = node.from * this.group.capacity + bucketLengths.slice(0, bucket).reduce((sum, n) => sum + n, 0);
    return this.inputs.subarray(offset, offset + (bucketLengths[bucket] ?? 0));
  }

  private open(): Round {
    if (!this.round) throw new CollectiveError('PROTOCOL', 'no open round');
    return this.round;
  }

  /** A group may break between a look and the wait after it: waits are short. */
  private check(position: Position): void {
    if (Atomics.load(this.broken, 0) !== 0) throw new CollectiveError('PEER_LOST', `${formatPosition(position)}: the group is over`, { position });
  }

  private barrier(position: Position): void {
    this.check(position);
    const goal = ++this.barriers;
    Atomics.store(this.progress, this.rank, goal);
    Atomics.notify(this.progress, this.rank);
    const deadlineMs = performance.now() + this.group.deadlineMs;
    for (let rank = 0; rank < this.worldSize; rank++) {
      for (let passed = Atomics.load(this.progress, rank); passed < goal; passed = Atomics.load(this.progress, rank)) {
        this.check(position);
        if (Atomics.wait(this.progress, rank, passed, LOOK_MS) === 'timed-out' && performance.now() > deadlineMs) {
          throw new CollectiveError('DEADLINE', `${formatPosition(position)}: rank ${this.rank} waited ${this.group.deadlineMs} ms for rank ${rank}`, { position, ranks: [rank] });
        }
      }
    }
  }
}
