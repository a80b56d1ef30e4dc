/**
 * Both directions between this member and one peer: our pull from it, its pull from us.
 *
 * 1. Chunks of operations that have not begun here are kept, in order; past `earlyBytes` the pull is paused, and resumed
 *    when they are taken: what is kept is at most that and a window. A peer is never more than one operation ahead, and
 *    everything that it owes to the running operation was sent before, so the pause cannot block it.
 * 2. A payload is counted as in flight until it was sent or its stream closed.
 */
import type { RpcError } from '@lockstep/rpc';
import { ChunkMessage } from '../wire/chunk-message';
import { HEADER_BYTES, type ChunkHeader, type ReceivedChunk } from '../wire/chunk-header';
import type { ChunkStream, OutgoingPull } from '../transport/transport';

/** Our pull from the peer. */
type Inbound =
  | { readonly kind: 'CONNECTING'; readonly lastError: RpcError | undefined }
  | { readonly kind: 'OPEN' }
  | { readonly kind: 'CLOSED'; readonly cause: RpcError | undefined };

/** The peer's pull from us. */
type Outbound =
  | { readonly kind: 'AWAITED' }
  | { readonly kind: 'OPEN'; readonly stream: ChunkStream }
  | { readonly kind: 'CLOSED' };

/** What happens when the payload that is arriving is whole. */
type Arriving =
  | { readonly kind: 'PLACED'; readonly filled: () => void }
  | { readonly kind: 'EARLY'; readonly chunk: ReceivedChunk };

export class PeerLink {
  private inboundState: Inbound = { kind: 'CONNECTING', lastError: undefined };
  private outboundState: Outbound = { kind: 'AWAITED' };
  private pull: OutgoingPull | undefined;
  private early: ReceivedChunk[] = [];
  private earlyBytesHeld = 0;
  private paused = false;
  private arriving: Arriving | undefined;
  /** When the first of the attempts failed that have failed since. */
  private failingSinceMs: number | undefined;
  private readonly inFlight = new Set<{ readonly onSent: (() => void) | undefined }>();

  constructor(
    readonly rank: number,
    readonly address: string,
    private readonly earlyBytes: number,
    private readonly onFlushed: () => void,
  ) {}

  get inbound(): Inbound {
    return this.inboundState;
  }

  get outbound(): Outbound {
    return this.outboundState;
  }

  get up(): boolean {
    return this.inboundState.kind === 'OPEN' && this.outboundState.kind === 'OPEN';
  }

  /** Payloads that were given to send() and not sent yet. */
  get payloadsInFlight(): number {
    return this.inFlight.size;
  }

  pulling(pull: OutgoingPull): void {
    this.pull = pull;
  }

  admitted(): void {
    this.inboundState = { kind: 'OPEN' };
  }

  /** The attempt failed, another follows. @returns for how long all attempts have failed */
  attemptFailed(error: RpcError | undefined, nowMs: number): number {
    this.inboundState = { kind: 'CONNECTING', lastError: error };
    this.failingSinceMs ??= nowMs;
    return nowMs - this.failingSinceMs;
  }

  inboundClosed(cause: RpcError | undefined): void {
    this.inboundState = { kind: 'CLOSED', cause };
  }

  opened(stream: ChunkStream): void {
    this.outboundState = { kind: 'OPEN', stream };
  }

  /** @returns whether it was the current stream */
  outboundClosed(stream: ChunkStream): boolean {
    if (this.outboundState.kind !== 'OPEN' || this.outboundState.stream !== stream) return false;
    this.outboundState = { kind: 'CLOSED' };
    // What was not taken never will be: it may change now.
    for (const payload of [...this.inFlight]) this.settle(payload);
    return true;
  }

  /** @param onSent called once the payload may change, also when it cannot be sent */
  send(header: ChunkHeader, payload: Uint8Array, onSent?: () => void): void {
    if (this.outboundState.kind !== 'OPEN') {
      onSent?.();
      return;
    }
    const entry = { onSent };
    this.inFlight.add(entry);
    this.outboundState.stream.send(new ChunkMessage(header, payload, () => this.settle(entry)));
  }

  /** A payload goes to where its operation wants it. */
  expectPlaced(filled: () => void): void {
    this.arriving = { kind: 'PLACED', filled };
  }

  /** A payload of an operation that has not begun here is kept in memory of its own meanwhile. */
  expectEarly(header: ChunkHeader, payload: Uint8Array): void {
    this.arriving = { kind: 'EARLY', chunk: { header, payload } };
    this.earlyBytesHeld += HEADER_BYTES + payload.byteLength;
    if (this.earlyBytesHeld > this.earlyBytes && !this.paused) {
      this.paused = true;
      this.pull?.pause();
    }
  }

  /** The payload that was expected last is whole: what it is. */
  arrived(): Arriving {
    const { arriving } = this;
    if (!arriving) throw new Error(`the pull from rank ${this.rank} fills a place that it was not given`);
    this.arriving = undefined;
    return arriving;
  }

  keepEarly(chunk: ReceivedChunk): void {
    this.early.push(chunk);
  }

  /** Gives back what was kept, in order. What is arriving still follows. */
  takeEarly(): readonly ReceivedChunk[] {
    const taken = this.early;
    this.early = [];
    this.earlyBytesHeld = 0;
    if (this.paused) {
      this.paused = false;
      this.pull?.resume();
    }
    return taken;
  }

  /** Ends our pull; the stream to the peer is the group's to end. */
  cancelPull(): void {
    this.pull?.cancel();
    this.early = [];
  }

  private settle(entry: { readonly onSent: (() => void) | undefined }): void {
    if (!this.inFlight.delete(entry)) return;
    entry.onSent?.();
    if (this.inFlight.size === 0) this.onFlushed();
  }
}
