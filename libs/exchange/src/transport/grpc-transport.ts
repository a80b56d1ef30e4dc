/**
 * Pulls as server-streaming gRPC calls.
 *
 * 1. The receiver is the client: grpc-js enlarges HTTP/2's flow-control windows on the client's side only.
 * 2. One bulk direction per connection: with both, two peers that fill each other's socket buffers stall for ever.
 * 3. No retries (grpc-js would keep every message for them), no proxy, a channel of its own per pull.
 */
import net from 'node:net';
import { Client, credentials, Metadata, Server, ServerCredentials, type ClientReadableStream, type ServerWritableStream } from '@grpc/grpc-js';
import { RpcError } from '@lockstep/rpc';
import { encodePull, exchangeServiceDefinition, identity, PULL_PATH, type PullClaim } from '../wire/exchange-service';
import type { ChunkMessage } from '../wire/chunk-message';
import { BufferRelease } from './buffer-release';
import type { ChunkStream, IncomingPull, Listener, OutgoingPull, PullEvents, Transport } from './transport';

/** A PullRequest is small: a larger one is no PullRequest. */
const MAX_REQUEST_BYTES = 64 * 1024;
/** MB that an HTTP/2 session may hold; our queues are bounded by the rounds themselves. */
const SESSION_MEMORY_MB = 4096;

export interface GrpcTransportOptions {
  /** HTTP/2 flow-control window of a pull: how much may be on its way or unread. */
  readonly windowBytes: number;
  /** Largest message that is accepted. */
  readonly maxMessageBytes: number;
  /** Whether messages are written into gRPC's buffers directly (wire/chunk-message). */
  readonly directCopy?: boolean;
}

export class GrpcTransport implements Transport {
  private readonly received = new BufferRelease();

  constructor(private readonly options: GrpcTransportOptions) {}

  async listen(host: string, port: number, onPull: (pull: IncomingPull) => void): Promise<Listener> {
    const server = new Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc-node.max_session_memory': SESSION_MEMORY_MB,
    });
    server.addService(exchangeServiceDefinition(this.options.directCopy), {
      pull: (call: ServerWritableStream<PullClaim, ChunkMessage>) => onPull(incomingPull(call)),
    });
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    // The sockets are ours, so that they can be counted.
    const sockets = new Set<net.Socket>();
    let closedBytes = 0;
    const acceptor = net.createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        closedBytes += socket.bytesWritten;
      });
      injector.injectConnection(socket);
    });
    await listenOn(acceptor, host, port);
    return {
      port: portOf(acceptor),
      wireBytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, closedBytes),
      close: async () => {
        const closed = new Promise<void>((resolve) => acceptor.close(() => resolve()));
        injector.destroy();
        server.forceShutdown();
        for (const socket of sockets) socket.destroy();
        await closed;
      },
    };
  }

  pull(address: string, claim: PullClaim, events: PullEvents): OutgoingPull {
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': this.options.maxMessageBytes,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc-node.flow_control_window': this.options.windowBytes,
      'grpc-node.max_session_memory': SESSION_MEMORY_MB,
    });
    const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(PULL_PATH, encodePull, identity, claim, new Metadata({ waitForReady: true }));
    let over = false;
    const close = (report: () => void): void => {
      if (over) return;
      over = true;
      client.close();
      report();
    };
    call.on('metadata', () => { if (!over) events.admitted(); });
    call.on('data', (message: Buffer) => { if (!over && events.chunk(message) === 'TAKEN') this.received.release(message); });
    call.on('end', () => {
      // 'end' comes with failures too; then 'error' follows within the tick and says why.
      setImmediate(() => close(() => events.closed(undefined)));
    });
    call.on('error', (error) => close(() => events.closed(RpcError.from(error))));
    return {
      pause: () => void call.pause(),
      resume: () => void call.resume(),
      cancel: () => {
        over = true;
        call.cancel();
        client.close();
      },
    };
  }
}

function incomingPull(call: ServerWritableStream<PullClaim, ChunkMessage>): IncomingPull {
  let closed = false;
  const listeners: (() => void)[] = [];
  // Emitted when the client cancels, when the connection drops, and after our own trailers.
  call.on('cancelled', () => {
    if (closed) return;
    closed = true;
    for (const listener of listeners) listener();
  });
  return {
    claim: call.request,
    admit: () => {
      call.sendMetadata(new Metadata());
      return new GrpcChunkStream(call, () => closed);
    },
    refuse: (error) => { if (!closed) call.emit('error', error.toStatus()); },
    onClosed: (listener) => {
      if (closed) listener();
      else listeners.push(listener);
    },
  };
}

/** Hands one message at a time to gRPC, which serialises it when it is its turn: so abort() can drop the rest. */
class GrpcChunkStream implements ChunkStream {
  private queue: ChunkMessage[] = [];
  private next = 0;
  private writing = false;
  private ending = false;

  constructor(
    private readonly call: ServerWritableStream<PullClaim, ChunkMessage>,
    private readonly isClosed: () => boolean,
  ) {}

  send(message: ChunkMessage): void {
    if (this.ending || this.isClosed()) return;
    this.queue.push(message);
    if (!this.writing) this.pump();
  }

  end(): void {
    if (this.ending || this.isClosed()) return;
    this.ending = true;
    if (!this.writing) this.pump();
  }

  abort(error: RpcError): void {
    if (this.isClosed()) return;
    this.ending = true;
    this.drop();
    this.call.emit('error', error.toStatus());
  }

  private pump(): void {
    const message = this.queue[this.next];
    if (message) {
      this.next++;
      this.writing = true;
      this.call.write(message, this.written);
      return;
    }
    this.drop();
    if (this.ending) this.call.end();
  }

  private readonly written = (): void => {
    this.writing = false;
    if (!this.isClosed()) this.pump();
  };

  private drop(): void {
    this.queue = [];
    this.next = 0;
  }
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
