/**
 * How chunks travel between members.
 *
 * 1. Bulk bytes flow from the server to the client of a pull, in order, one pull per ordered pair of members.
 * 2. A payload given to send() is read later: it stays as it is until `onSent` was called or the stream closed.
 * 3. Back-pressure goes from a held pull to the sender's queue, which holds references, not copies.
 * 4. A payload that comes is written to where its receiver says, once: no buffer of the transport's lies between where that can be.
 */
import type { RpcError } from '@lockstep/rpc';
import type { ChunkHeader } from '../wire/chunk-header';
import type { ChunkMessage } from '../wire/chunk-message';
import type { PullClaim } from '../wire/exchange-service';

/** Sends chunks to the peer that pulled. */
export interface ChunkStream {
  /** Never calls `onSent` before it returns. */
  send(message: ChunkMessage): void;
  /** Ends the stream after what was sent. */
  end(): void;
  /** Ends the stream now; what was not sent is dropped. */
  abort(error: RpcError): void;
}

/** A peer asks for our chunks. Exactly one of admit() and refuse() is called. */
export interface IncomingPull {
  readonly claim: PullClaim;
  admit(): ChunkStream;
  refuse(error: RpcError): void;
  /** Called once when the pull is over, for whatever reason, and after end() when the peer has read all; at once if it is over already. */
  onClosed(listener: () => void): void;
}

/** What comes of chunks, in order: chunk(), then filled() if chunk() named a place. */
export interface ChunkSink {
  /**
   * A chunk begins.
   *
   * @returns where its payload goes: `payloadBytes` bytes that the transport writes until filled() or closed(); undefined: nowhere, it is dropped
   */
  chunk(header: ChunkHeader, payloadBytes: number): Uint8Array | undefined;
  /** The payload is in its place. */
  filled(): void;
  /** A message is no Chunk; it is dropped. @param what says why */
  malformed(what: string): void;
}

/** What becomes of a pull of ours. */
export interface PullEvents extends ChunkSink {
  /** The peer admitted us. */
  admitted(): void;
  /** Over, called once. Without a cause: the peer ended the stream after all that it had sent. */
  closed(cause: RpcError | undefined): void;
}

/** A pull of ours. */
export interface OutgoingPull {
  /** Lets the peer send no more than a window's bytes. */
  pause(): void;
  resume(): void;
  /** Ends the pull; no event follows. */
  cancel(): void;
}

/** A server of pulls. */
export interface Listener {
  /** Port that it listens on. */
  readonly port: number;
  /** Bytes that its sockets wrote since they were opened: payload, headers, framing. */
  wireBytesSent(): number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

export interface Transport {
  /** @throws RpcError UNAVAILABLE (reason ADDRESS_IN_USE) that names the address when the port is taken */
  listen(host: string, port: number, onPull: (pull: IncomingPull) => void): Promise<Listener>;
  /** @param address host:port */
  pull(address: string, claim: PullClaim, events: PullEvents): OutgoingPull;
}
