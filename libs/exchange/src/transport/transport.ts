/**
 * How chunks travel between members.
 *
 * 1. Bulk bytes flow from the server to the client of a pull, in order, one pull per ordered pair of members.
 * 2. A payload given to send() is read later: it stays as it is until `onSerialised` was called or the stream closed.
 * 3. Back-pressure goes from a paused pull to the sender's queue, which holds references, not copies.
 */
import type { RpcError } from '@lockstep/rpc';
import type { ChunkMessage } from '../wire/chunk-message';
import type { PullClaim } from '../wire/exchange-service';

/** What became of a message: KEPT ones are still read after chunk() has returned. */
export type ChunkFate = 'TAKEN' | 'KEPT';

/** Sends chunks to the peer that pulled. */
export interface ChunkStream {
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
  /** Called once when the pull is over, for whatever reason; at once if it is over already. */
  onClosed(listener: () => void): void;
}

/** What becomes of a pull of ours. */
export interface PullEvents {
  /** The peer admitted us. */
  admitted(): void;
  /** A Chunk message; the buffer belongs to the receiver. */
  chunk(message: Buffer): ChunkFate;
  /** Over, called once. Without a cause: the peer ended the stream after all that it had sent. */
  closed(cause: RpcError | undefined): void;
}

/** A pull of ours. */
export interface OutgoingPull {
  /** Stops chunk() soon: what was read from the network already may still come. */
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
