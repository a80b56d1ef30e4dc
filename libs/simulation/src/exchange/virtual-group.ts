/**
 * A generation's collective in virtual time: what is waited for is asked for, and answered later.
 *
 * It keeps the rules of the exchange (libs/exchange/src/group/group.ts): operations are numbered, the next one's messages are
 * kept and all others are faults; the first failure is final; a lost peer fails an operation at once when something must
 * still come from it, and otherwise the next one; every wait has a deadline that names whom it waited for.
 */
import {
  CollectiveError, formatPosition, samePosition, subtreeRoots, type CallClaim, type Collective, type CollectiveErrorReason, type Position, type Range, type Round, type Slot,
} from '@lockstep/reduction';
import type { GroupMember } from '@lockstep/membership';
import type { End } from '../world/connection';
import type { SimProcess } from '../world/sim-process';
import { Bucket } from './bucket';
import type { OperationMessage, PeerMessage } from './peer-message';
import type { Plans } from './plans';

export interface GroupSettings {
  readonly oneShotBytes: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly addsAsTheyCome: boolean;
  readonly saysNothingWhenEmpty: boolean;
}

export interface GroupIdentity {
  readonly generation: number;
  readonly rank: number;
  readonly members: readonly GroupMember[];
  readonly replicas: number;
}

/** What comes of a wait. */
export type Answer<T> = { readonly kind: 'DONE'; readonly value: T } | { readonly kind: 'FAILED'; readonly error: CollectiveError };

type Running =
  | { readonly kind: 'NONE' }
  | { readonly kind: 'AGREE'; readonly position: Position; readonly claim: { readonly digest: string; readonly label: string }; readonly claims: Map<number, { readonly digest: string; readonly label: string }> }
  | { readonly kind: 'ROUND'; readonly position: Position; readonly buckets: readonly Bucket[]; readonly present: readonly boolean[] };

interface Link {
  end: End<PeerMessage, PeerMessage> | undefined;
  lost: string | undefined;
  /** Of the next operation. */
  early: OperationMessage[];
}

export class VirtualGroup implements Collective {
  readonly replicas: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly range: Range;
  readonly roots: readonly Range[];
  private readonly slots: readonly Slot[];
  private readonly links = new Map<number, Link>();
  private operation = 0;
  private running: Running = { kind: 'NONE' };
  private failure: CollectiveError | undefined;
  private waiter: (() => void) | undefined;
  private waits = 0;

  constructor(
    readonly identity: GroupIdentity,
    private readonly process: SimProcess,
    private readonly plans: Plans,
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
    this.slots = plans.slotsOf(replicas, members.map(({ range }) => range));
    for (const member of members) if (member.rank !== rank) this.links.set(member.rank, { end: undefined, lost: undefined, early: [] });
  }

  /** Whether every pair that this member is in is connected. */
  get connected(): boolean {
    return [...this.links.values()].every(({ end }) => end !== undefined);
  }

  get unconnected(): readonly number[] {
    return [...this.links].filter(([, { end }]) => end === undefined).map(([rank]) => rank);
  }

  /** A peer of this generation is connected. */
  link(rank: number, end: End<PeerMessage, PeerMessage>): void {
    const link = this.links.get(rank);
    if (!link) return;
    link.end = end;
    end.onMessage = (message) => {
      if ('operation' in message) this.receive(rank, message);
    };
    end.onClosed = (why) => {
      link.lost = why;
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
    for (const { end } of this.links.values()) end?.close(why);
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
    const plan = this.plans.plan(this.replicas, this.worldSize, this.slots, present);
    const { rank, worldSize, slots, settings: { oneShotBytes, addsAsTheyCome, saysNothingWhenEmpty } } = this;
    const operation = ++this.operation;
    const buckets = bucketLengths.map((length, index) => new Bucket({
      index, length, rank, worldSize, slots, plan, oneShotBytes, addsAsTheyCome, saysNothingWhenEmpty,
      send: (to, message) => this.links.get(to)?.end?.send({ ...message, operation, position, bucket: index, bucketLength: length }),
    }));
    this.start({ kind: 'ROUND', position, buckets, present });
  }

  input(bucket: number, root: number): Float32Array {
    const found = this.bucket(bucket).inputs[root];
    if (!found) throw new RangeError(`rank ${this.rank} has no root ${root}`);
    return found;
  }

  submit(bucket: number): void {
    this.bucket(bucket).submit();
    this.wake();
  }

  close(): Promise<void> {
    this.cut('this member has left');
    return Promise.resolve();
  }

  askAgree(position: Position, claim: CallClaim, answered: (answer: Answer<undefined>) => void): void {
    if (this.failure) return answered({ kind: 'FAILED', error: this.failure });
    const operation = ++this.operation;
    const own = { digest: Buffer.from(claim.digest).toString('hex'), label: claim.label };
    for (const { end } of this.links.values()) end?.send({ kind: 'CLAIM', operation, position, ...own });
    this.start({ kind: 'AGREE', position, claim: own, claims: new Map() });
    return this.until(() => {
      const { running } = this;
      if (running.kind !== 'AGREE' || running.claims.size < this.links.size) return undefined;
      const other = [...running.claims].sort(([a], [b]) => a - b).find(([, { digest }]) => digest !== own.digest);
      if (!other) return { kind: 'DONE', value: undefined };
      const [rank, { label }] = other;
      return { kind: 'FAILED', error: this.error('CALL_MISMATCH', `rank ${this.rank} runs ${own.label}, rank ${rank} runs ${label}`, [rank]) };
    }, answered);
  }

  askSums(bucket: number, answered: (answer: Answer<Float32Array>) => void): void {
    if (this.failure) return answered({ kind: 'FAILED', error: this.failure });
    const found = this.bucket(bucket);
    return this.until(() => (found.finished ? { kind: 'DONE', value: found.output } : undefined), answered);
  }

  /** What has arrived of a copy that one member sends to all: what only a planted bug takes for the whole. */
  partialCopy(): Float32Array | undefined {
    const { running } = this;
    return running.kind === 'ROUND' && running.present.filter(Boolean).length === 1 ? running.buckets[0]?.output : undefined;
  }

  private start(running: Running): void {
    this.running = running;
    for (const [rank, link] of this.links) {
      const { early } = link;
      link.early = [];
      for (const message of early) this.take(rank, message);
      if (link.lost !== undefined) this.failIfOwed(rank);
    }
  }

  private receive(rank: number, message: OperationMessage): void {
    if (this.failure) return;
    if (message.operation === this.operation) {
      this.take(rank, message);
      this.wake();
    } else if (message.operation === this.operation + 1) {
      this.links.get(rank)?.early.push(message);
    } else {
      this.fail(this.error('PROTOCOL', `rank ${rank} is at operation ${message.operation} while this member is at ${this.operation}`, [rank]));
    }
  }

  private take(rank: number, message: OperationMessage): void {
    const { running } = this;
    const wrong = ((): string | undefined => {
      if (running.kind === 'NONE' || !samePosition(message.position, running.position)) return `is at ${formatPosition(message.position)}`;
      if (message.kind === 'CLAIM') {
        if (running.kind !== 'AGREE' || running.claims.has(rank)) return 'makes a claim that nobody asked for';
        running.claims.set(rank, message);
        return undefined;
      }
      const bucket = running.kind === 'ROUND' ? running.buckets[message.bucket] : undefined;
      return bucket ? bucket.receive(rank, message) : `sends bucket ${message.bucket}, which does not exist`;
    })();
    if (wrong !== undefined) this.fail(this.error('PROTOCOL', `rank ${rank} ${wrong}`, [rank]));
  }

  private owes(rank: number): boolean {
    const { running } = this;
    switch (running.kind) {
      case 'NONE': return false;
      case 'AGREE': return !running.claims.has(rank);
      case 'ROUND': return running.buckets.some((bucket) => bucket.owes(rank));
    }
  }

  private failIfOwed(rank: number): void {
    const why = this.links.get(rank)?.lost;
    if (why !== undefined && this.owes(rank)) this.fail(this.error('PEER_LOST', `rank ${rank}: ${why}`, [rank]));
  }

  /** Answers once, when there is an answer, the group has failed, or the deadline has passed. */
  private until<T>(look: () => Answer<T> | undefined, answered: (answer: Answer<T>) => void): void {
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
    this.process.after(this.settings.timeoutMs, () => {
      if (this.waits !== wait) return;
      // Who waits for somebody's contribution cannot send sums: the one who owes contributions is to blame.
      const contributors = this.running.kind === 'ROUND' ? [...new Set(this.running.buckets.flatMap((bucket) => bucket.lateContributors))] : [];
      const indirect = this.running.kind === 'ROUND' && contributors.length === 0;
      const ranks = contributors.length > 0 ? contributors : [...this.links.keys()].filter((rank) => this.owes(rank));
      this.fail(this.error('DEADLINE', `waited ${this.settings.timeoutMs} ms for rank ${ranks.join(', ')}`, ranks, indirect));
    });
    attempt();
  }

  private wake(): void {
    this.waiter?.();
  }

  private bucket(index: number): Bucket {
    this.check();
    const found = this.running.kind === 'ROUND' ? this.running.buckets[index] : undefined;
    if (!found) throw this.error('PROTOCOL', `bucket ${index} does not exist`);
    return found;
  }

  private check(): void {
    if (this.failure) throw this.failure;
  }

  private error(reason: CollectiveErrorReason, what: string, ranks?: readonly number[], indirect = false): CollectiveError {
    const where = this.running.kind === 'NONE' ? '' : ` at ${formatPosition(this.running.position)}`;
    return new CollectiveError(reason, `generation ${this.identity.generation}${where}: ${what}`, { ...(ranks && { ranks }), ...(indirect && { indirect }) });
  }
}
