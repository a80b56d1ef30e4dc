/**
 * Pulls as server-streaming gRPC calls, over an HTTP/2 that does what a pull needs and no more (../http2).
 *
 * 1. One bulk direction per connection: with both, two peers that fill each other's socket buffers can stall for ever.
 * 2. The client lets the server send large frames into a large window: a chunk is one frame, written from the arena and read into it.
 * 3. Any gRPC client may pull here, and a pull may go to any gRPC server.
 */
import type net from 'node:net';
import { RpcError } from '@lockstep/rpc';
import { DEFAULT_FRAME_BYTES, FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '../http2/frame';
import { ServerConnection, type ServerOptions } from '../http2/server-connection';
import { GRPC_PREFIX_BYTES, HEADER_BYTES } from '../wire/chunk-header';
import type { PullClaim } from '../wire/exchange-service';
import { receiveRequest } from './incoming-pull';
import { openPull, type PullOptions } from './outgoing-pull';
import { TCP_SOCKETS, type Sockets } from './sockets';
import type { IncomingPull, Listener, OutgoingPull, PullEvents, Transport } from './transport';

/** A PullRequest is small: a larger one is no PullRequest. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_HEADER_LIST_BYTES = 16 * 1024;
/** Pulls of a connection: a client that shares one between its calls needs a few. */
const MAX_STREAMS = 128;
/** Connections at a time: each member of a job needs one. */
const MAX_CONNECTIONS = 4096;
const IDLE_TIMEOUT_MS = 30_000;
const STAGING_BYTES = 64 * 1024;

export interface GrpcTransportOptions {
  /** HTTP/2 flow-control window of a pull: how much may be on its way or unread. At least 65,535. */
  readonly windowBytes: number;
  /** Largest message that is accepted. */
  readonly maxMessageBytes: number;
  /** Default: plain TCP. */
  readonly sockets?: Sockets;
  /** How long a connection stays that serves nothing; default 30 s. */
  readonly idleTimeoutMs?: number;
}

const now = (): number => performance.now();

export class GrpcTransport implements Transport {
  private readonly sockets: Sockets;
  private readonly pullOptions: PullOptions;
  private readonly serverOptions: ServerOptions;

  constructor({ windowBytes, maxMessageBytes, sockets = TCP_SOCKETS, idleTimeoutMs = IDLE_TIMEOUT_MS }: GrpcTransportOptions) {
    this.sockets = sockets;
    this.pullOptions = {
      sockets, maxMessageBytes, staging: stagingBuffer(),
      connection: { windowBytes, now, settings: { windowBytes, maxFrameBytes: MAX_FRAME_BYTES, maxHeaderListBytes: MAX_HEADER_LIST_BYTES, maxStreams: 0 } },
    };
    this.serverOptions = {
      windowBytes: 2 * MAX_REQUEST_BYTES, now, maxBodyBytes: MAX_REQUEST_BYTES + GRPC_PREFIX_BYTES, idleTimeoutMs,
      settings: { windowBytes: 2 * MAX_REQUEST_BYTES, maxFrameBytes: DEFAULT_FRAME_BYTES, maxHeaderListBytes: MAX_HEADER_LIST_BYTES, maxStreams: MAX_STREAMS },
    };
  }

  async listen(host: string, port: number, onPull: (pull: IncomingPull) => void): Promise<Listener> {
    const open = new Set<net.Socket>();
    let closedBytes = 0;
    const acceptor = this.sockets.acceptor((socket) => {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        closedBytes += socket.bytesWritten;
      });
      new ServerConnection(socket, this.serverOptions, (request) => receiveRequest(request, onPull));
    });
    acceptor.maxConnections = MAX_CONNECTIONS;
    await listenOn(acceptor, host, port);
    return {
      port: portOf(acceptor),
      wireBytesSent: () => [...open].reduce((sum, socket) => sum + socket.bytesWritten, closedBytes),
      close: async () => {
        const closed = new Promise<void>((resolve) => acceptor.close(() => resolve()));
        for (const socket of open) socket.destroy();
        await closed;
      },
    };
  }

  pull(address: string, claim: PullClaim, events: PullEvents): OutgoingPull {
    return openPull(this.pullOptions, address, claim, events);
  }
}

/** Starts where a payload behind the headers of frame and message is aligned to 8 bytes: copies are several times faster then. */
function stagingBuffer(): Buffer {
  const before = (FRAME_HEADER_BYTES + GRPC_PREFIX_BYTES + HEADER_BYTES) % 8;
  return Buffer.allocUnsafeSlow(STAGING_BYTES + 8).subarray((8 - before) % 8, STAGING_BYTES);
}

function listenOn(server: net.Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(new RpcError('UNAVAILABLE', taken
        ? `port ${port} of ${host} is taken by another program: choose another for the exchange, or 0 for any`
        : `the exchange cannot listen on ${host}:${port}: ${error.message}`,
      { reason: taken ? 'ADDRESS_IN_USE' : 'CANNOT_LISTEN' }, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
