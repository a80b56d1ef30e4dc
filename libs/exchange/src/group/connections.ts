/**
 * The streams of a generation: one pull to and one from every peer.
 *
 * 1. The group is up when every peer has admitted us and has pulled; until then attempts are repeated, up to a deadline
 *    that names who is missing.
 * 2. A stream that ends after that is not opened again: its peer is lost to this generation.
 * 3. A peer is lost when our pull from it ends. That it cancels its own pull says nothing: one that leaves after its last
 *    operation does so while its last chunks are still on their way to us.
 */
import { CollectiveError, formatPosition, formatRanks, type Position } from '@lockstep/reduction';
import { RpcError } from '@lockstep/rpc';
import type { ChunkSink, IncomingPull, Transport } from '../transport/transport';
import { formatGroup, type ExchangeGroup } from './exchange-group';
import { PeerLink } from './peer-link';

const RETRY_MS = 100;
/** How long no connection at all to a peer is borne. */
const UNREACHABLE_MS = 5000;
/** How long leaving waits for peers to read what was sent. */
const LEAVE_GRACE_MS = 2000;

export interface ConnectionsContext {
  readonly group: ExchangeGroup;
  readonly transport: Transport;
  readonly connectTimeoutMs: number;
  readonly earlyBytes: number;
  /** Takes the chunks of a peer. */
  readonly sinkOf: (link: PeerLink) => ChunkSink;
  /** Our pull from the peer ended after the group was up. */
  readonly onLost: (link: PeerLink) => void;
  /** Payloads in flight to some peer came to zero. */
  readonly onFlushed: () => void;
}

type Phase =
  | { readonly kind: 'CONNECTING'; readonly resolve: () => void; readonly reject: (error: CollectiveError) => void; readonly deadline: NodeJS.Timeout }
  | { readonly kind: 'UP' }
  | { readonly kind: 'CLOSED' };

export class Connections {
  /** By rank; the own rank has none. */
  readonly links: ReadonlyMap<number, PeerLink>;
  /** Resolves when all streams are open. @throws CollectiveError DEADLINE, FENCED, PROTOCOL, PEER_LOST or CLOSED */
  readonly up: Promise<void>;
  private phase: Phase = { kind: 'CLOSED' };
  private readonly retries = new Set<NodeJS.Timeout>();
  private readonly closedListeners = new Set<() => void>();

  constructor(private readonly context: ConnectionsContext) {
    const { group, connectTimeoutMs, earlyBytes, onFlushed } = context;
    this.links = new Map(group.members.filter(({ rank }) => rank !== group.rank)
      .map(({ rank, address }) => [rank, new PeerLink(rank, address, earlyBytes, onFlushed)]));
    this.up = new Promise<void>((resolve, reject) => {
      this.phase = { kind: 'CONNECTING', resolve, reject, deadline: setTimeout(() => this.giveUp([...this.links.values()].filter((link) => !link.up), connectTimeoutMs), connectTimeoutMs) };
    });
    for (const link of this.links.values()) this.dial(link);
    this.checkUp();
  }

  /** Serves the pull of a peer that pull-admission let in. A newer pull replaces an older one until the group is up. */
  admit(pull: IncomingPull): void {
    const link = this.links.get(pull.claim.rank);
    if (!link || this.phase.kind === 'CLOSED') {
      pull.refuse(new RpcError('FAILED_PRECONDITION', `${formatGroup(this.context.group)} is closed here`, { reason: 'LEFT' }));
      return;
    }
    if (link.outbound.kind === 'CLOSED' || this.phase.kind === 'UP') {
      pull.refuse(new RpcError('ALREADY_EXISTS', `rank ${link.rank} has pulled before; a stream is opened once per generation`, { reason: 'PULLED_BEFORE' }));
      return;
    }
    if (link.outbound.kind === 'OPEN') link.outbound.stream.abort(new RpcError('ABORTED', 'a newer pull of the same rank replaces this one', { reason: 'REPLACED' }));
    const stream = pull.admit();
    link.opened(stream);
    pull.onClosed(() => {
      if (link.outboundClosed(stream)) for (const listener of this.closedListeners) listener();
    });
    this.checkUp();
  }

  /** Ends the streams after what was sent on them, and our pulls. */
  async leave(): Promise<void> {
    this.stop(new CollectiveError('CLOSED', `${formatGroup(this.context.group)}: this member left before the group was up`));
    for (const { outbound } of this.links.values()) if (outbound.kind === 'OPEN') outbound.stream.end();
    await this.untilOutboundClosed();
    for (const link of this.links.values()) link.cancelPull();
  }

  /** Ends everything at once, and tells the peers why. */
  cut(error: RpcError): void {
    this.stop(new CollectiveError('CLOSED', `${formatGroup(this.context.group)}: ${error.message}`));
    for (const link of this.links.values()) {
      if (link.outbound.kind === 'OPEN') link.outbound.stream.abort(error);
      link.cancelPull();
    }
  }

  private dial(link: PeerLink): void {
    const { group, transport, sinkOf } = this.context;
    const claim = { job: group.job, generation: group.generation, rank: group.rank, worldSize: group.members.length, token: group.token, targetRank: link.rank };
    const sink = sinkOf(link);
    link.pulling(transport.pull(link.address, claim, {
      admitted: () => {
        link.admitted();
        this.checkUp();
      },
      chunk: (header, payloadBytes) => sink.chunk(header, payloadBytes),
      filled: () => sink.filled(),
      malformed: (what) => sink.malformed(what),
      closed: (cause) => this.pullClosed(link, cause),
    }));
  }

  private pullClosed(link: PeerLink, cause: RpcError | undefined): void {
    if (this.phase.kind === 'CLOSED') return;
    if (link.inbound.kind === 'OPEN') {
      link.inboundClosed(cause);
      if (this.phase.kind === 'UP') this.context.onLost(link);
      else this.fail(lossOf(this.context.group, link));
      return;
    }
    const refusal = refusalOf(this.context.group, link, cause);
    if (refusal) {
      this.fail(refusal);
      return;
    }
    const failingMs = link.attemptFailed(cause, performance.now());
    // One whose process lives holds our pull until it has its assignment; one that cannot be reached at all does not come.
    if (failingMs > UNREACHABLE_MS) {
      this.giveUp([link], failingMs);
      return;
    }
    const retry = setTimeout(() => {
      this.retries.delete(retry);
      this.dial(link);
    }, RETRY_MS);
    this.retries.add(retry);
  }

  private checkUp(): void {
    if (this.phase.kind !== 'CONNECTING' || ![...this.links.values()].every((link) => link.up)) return;
    const { resolve, deadline } = this.phase;
    clearTimeout(deadline);
    this.phase = { kind: 'UP' };
    resolve();
  }

  private giveUp(missing: readonly PeerLink[], waitedMs: number): void {
    const { group } = this.context;
    const waits = missing.map((link) => ({ rank: link.rank, text: describeLink(link) }));
    this.fail(new CollectiveError('DEADLINE', `${formatGroup(group)}: not all members connected within ${Math.round(waitedMs)} ms: ${waits.map(({ text }) => text).join('; ')}`,
      { ranks: waits.map(({ rank }) => rank) }));
  }

  private fail(error: CollectiveError): void {
    if (this.phase.kind !== 'CONNECTING') return;
    this.stop(error);
    this.cut(new RpcError('ABORTED', `rank ${this.context.group.rank} gave up: ${error.message}`, { reason: error.reason }));
  }

  private stop(error: CollectiveError): void {
    if (this.phase.kind === 'CONNECTING') {
      clearTimeout(this.phase.deadline);
      this.phase.reject(error);
    }
    this.phase = { kind: 'CLOSED' };
    for (const retry of this.retries) clearTimeout(retry);
    this.retries.clear();
  }

  private async untilOutboundClosed(): Promise<void> {
    const open = (): boolean => [...this.links.values()].some(({ outbound }) => outbound.kind === 'OPEN');
    if (!open()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.closedListeners.delete(check);
        resolve();
      };
      const check = (): void => { if (!open()) done(); };
      const timer = setTimeout(done, LEAVE_GRACE_MS);
      this.closedListeners.add(check);
    });
  }
}

/** The error of an operation that needs a peer whose stream ended. */
export function lossOf(group: ExchangeGroup, link: PeerLink, position?: Position): CollectiveError {
  const cause = link.inbound.kind === 'CLOSED' ? link.inbound.cause : undefined;
  if (cause?.details.reason === 'FENCED') return fencedBy(group, link, cause);
  const where = position ? ` at ${formatPosition(position)}` : '';
  return new CollectiveError('PEER_LOST', `${formatGroup(group)}${where}: ${formatRanks([link.rank])} at ${link.address} ${cause ? `is gone: ${cause.code} ${cause.message}` : 'left the group'}`,
    { ranks: [link.rank], ...(position && { position }) });
}

/** Answers that another attempt would not change. */
function refusalOf(group: ExchangeGroup, link: PeerLink, cause: RpcError | undefined): CollectiveError | undefined {
  if (!cause) return undefined;
  if (cause.details.reason === 'FENCED') return fencedBy(group, link, cause);
  if (cause.code === 'UNAUTHENTICATED' || cause.code === 'PERMISSION_DENIED' || cause.code === 'INVALID_ARGUMENT' || cause.code === 'UNIMPLEMENTED') {
    return new CollectiveError('PROTOCOL', `${formatGroup(group)}: ${formatRanks([link.rank])} at ${link.address} refuses this member: ${cause.message}`, { ranks: [link.rank] });
  }
  if (cause.details.reason === 'LEFT') return new CollectiveError('PEER_LOST', `${formatGroup(group)}: ${formatRanks([link.rank])} at ${link.address} has left: ${cause.message}`, { ranks: [link.rank] });
  return undefined;
}

const fencedBy = (group: ExchangeGroup, link: PeerLink, cause: RpcError): CollectiveError =>
  new CollectiveError('FENCED', `${formatGroup(group)}: ${formatRanks([link.rank])} at ${link.address} answers: ${cause.message}`, { ranks: [link.rank] });

function describeLink({ rank, address, inbound, outbound }: PeerLink): string {
  const parts: string[] = [];
  if (inbound.kind !== 'OPEN') {
    const why = inbound.kind === 'CONNECTING' ? inbound.lastError : inbound.cause;
    parts.push(`does not answer at ${address}${why ? ` (${why.code} ${why.message})` : ''}`);
  }
  if (outbound.kind !== 'OPEN') parts.push('has not connected to this member');
  return `${formatRanks([rank])} ${parts.join(' and ')}`;
}
